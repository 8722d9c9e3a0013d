"""Mails that may cost a parser time or depth."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import product

from service.bounces.inbound_mail import MAX_BOUNDARIES, MAX_HEADER_CHARACTERS
from service.bounces.read_mail import read_inbound
from tests.attacks.budget import Attack

BYTES = 150_000  # of each mail: quadratic work takes minutes
BOUNCE = b"From: MAILER-DAEMON@mx.example.net\r\nSubject: failure notice\r\n"
PLAIN = BOUNCE + b"Content-Type: text/plain\r\n\r\n"
REPORT = (
    BOUNCE + b'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
    b"--b\r\nContent-Type: message/delivery-status\r\n\r\n"
)
HEADERS = (b"To", b"Subject", b"Content-Type", b"Message-ID")
VALUES = (
    b"(", b'"', b"<", b"a,", b"<a@b>", b"a@", b"=?a?q?", b"=?utf-8?b?", b"=?punycode?q?a?= ", b";", b'";',
    b"a=1;", b"; name*0*=a", b"; a*=utf-8''%41", b"unsubscribe-", b"x ", b"\\", b"[", b":", b"a.", b"-", b"%",
)  # fmt: skip
BODIES = (
    b"a@", b"a@b.", b"a@b.c ", b"> ", b"-", b" ", b"\t\n", b"\n", b"To: a\n", b"Received: a\n", b"4.1.1",
    b"550 ", b"5.1.1 ", b"user ", b"following recipient ", b"From: x@y.example\n> ", b"(", b"not found ",
    b"\xff", b"\x1b$", b"--b\n", "中".encode(), "用户".encode(), b"x-a: b\n", b"is not ",
)  # fmt: skip
MARKUP = (b"<!--", b"<style>", b"<", b"&amp", b"<br ", b"</p")


def mails() -> Iterator[Attack]:
    """Yield reading each mail whole."""
    for name, content in contents():
        yield name, partial(read_inbound, content[:BYTES])


def contents() -> Iterator[tuple[str, bytes]]:
    """Yield a name and a mail."""
    for header, value in product(HEADERS, VALUES):
        yield f"{header.decode()}: {value!r}", with_header(header, b"", value)
    yield (
        "a Content-Type of parameters behind a quote",
        with_header(b"Content-Type", b'text/plain; a="', b";"),
    )
    for body in BODIES:
        yield f"text of {body!r}", PLAIN + full(body)
        yield f"report of {body!r}", REPORT + full(body)
    for block in (
        b"Final-Recipient: rfc822; a@b.example\nAction: failed\n\n",
        b"Action: failed\n",
        b"a: b\n\n",
    ):
        yield f"report of blocks {block!r}", REPORT + full(block)
    for body in MARKUP:
        yield f"HTML of {body!r}", PLAIN.replace(b"plain", b"html") + full(body)
    yield from encoded()
    yield "many headers", full(b"X: y\n")
    yield "many parts", REPORT + full(b"--b\n\nx\n")
    for depth in (MAX_BOUNDARIES // 4, 1_000, 20_000):
        yield f"multiparts, {depth} deep", nested(depth)
        yield (
            f"mails in mails, {depth} deep",
            BOUNCE + b"Content-Type: message/rfc822\n\n" * depth + full(b"x\n"),
        )


def encoded() -> Iterator[tuple[str, bytes]]:
    """Yield mails in encodings and charsets that may be slow to decode."""
    encodings = "base64 quoted-printable x-uuencode 7bit"
    for encoding, body in product(
        encodings.split(), (b"QUFB\n", b"=41", b"=", b"begin 644 a\nM\n", b"\n", b"A")
    ):
        head = PLAIN.replace(b"\r\n\r\n", f"\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n".encode())
        yield f"{encoding} of {body!r}", head + full(body)
    charsets = "punycode idna utf-7 utf-16 unicode_escape hz iso2022_kr gb18030"
    for charset, body in product(charsets.split(), (b"a-", b"+AGE-", b"~{", b"\\u0041", b"\x0e")):
        yield (
            f"{charset} of {body!r}",
            PLAIN.replace(b"plain", f"plain; charset={charset}".encode()) + full(body),
        )


def full(piece: bytes) -> bytes:
    """Repeat the piece to the length of an attack."""
    return piece * (BYTES // len(piece))


def with_header(name: bytes, begin: bytes, value: bytes) -> bytes:
    """Return a bounce with one very long header."""
    return (
        name + b": " + begin + full(value)[: BYTES - MAX_HEADER_CHARACTERS] + b"\r\n" + PLAIN + b"sorry\r\n"
    )


def nested(depth: int) -> bytes:
    """Return a multipart in a multipart in a multipart, with many lines in the innermost."""
    heads = b"".join(b'Content-Type: multipart/mixed; boundary="%d"\n\n--%d\n' % (n, n) for n in range(depth))
    return BOUNCE + heads + b"\n" + full(b"x\n")
