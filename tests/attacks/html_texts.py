"""HTML mails of openings that never end."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from service.deliver.bounces import read_bounce
from tests.attacks.budget import Attack

HEAD = b"From: MAILER-DAEMON@mx.example.net\r\nSubject: failure notice\r\nContent-Type: text/html\r\n\r\n"
BYTES = 400_000  # 100,000 of `<!--` took 43 s when each was searched for its own end
OPENINGS = (
    b"<!--",
    b"<style>",
    b"<script ",
    b"<head><!--",
    b"<",
    b"<br ",
    b"</p",
    b"&#",
    b"&amp",
    b"<!---->",
)


def letters() -> Iterator[Attack]:
    """Yield a bounce for each opening."""
    for opening in OPENINGS:
        content = HEAD + opening * (BYTES // len(opening))
        yield opening.decode(), partial(read_bounce, content)
