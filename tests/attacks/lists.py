"""Lists of feeds (OPML) that may cost a parser time or depth."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from service.gather.formats.opml import read_opml
from tests.attacks.budget import Attack

BYTES = 150_000
PIECES = (
    "<outline ", "<outline text='x'>", "</outline>", "<outline a=", '<outline a="', '<outline a="b" ',
    "<", "&",
    "&#", "<!--", "<!-- -->", '"', "' a=", "\n", " ", "<outline xmlUrl='https://a.example/'/>",
    "<!DOCTYPE ", "[", "]]>", "<outline\n", "<body ", "&amp;amp;", "a='", "=", "<?xml ",
)  # fmt: skip
HEADS = ("<opml><body>", "", "<opml><body>&", '<opml><body>&<outline text="', "<opml><body>&<outline ")


def lists() -> Iterator[Attack]:
    """Yield reading each list."""
    for head in HEADS:
        for piece in PIECES:
            body = head + piece * (BYTES // len(piece))
            yield f"{head!r} and {piece!r}", partial(read_opml, body.encode())
