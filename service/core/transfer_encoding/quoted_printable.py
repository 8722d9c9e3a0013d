"""Quoted-printable (RFC 2045, 6.7) that can be spliced (pure).

Every piece starts at the beginning of a line and, where a value follows, ends with a soft line break. So
pieces and values that were encoded apart may be joined, and no line grows beyond 76 characters.
"""

from __future__ import annotations

import re
from binascii import b2a_qp

MAX_LINE_CHARACTERS = 76
_EASY = re.compile(r"[A-Za-z0-9/:,._~?&+ -]*")


def encode(text: str) -> bytes:
    r"""Return the text encoded; `\n` becomes CRLF, and no line starts with a dot or `From `.

    Lines that start with a dot would have to be stuffed for SMTP (RFC 5321, 4.5.2), and some mail stores
    change a leading "From " (RFC 4155).
    """
    return "\r\n".join(_wrapped(line, MAX_LINE_CHARACTERS) for line in text.split("\n")).encode()


def encode_open(text: str) -> bytes:
    """Return the text encoded so that another piece can follow: it ends at the start of a line."""
    *lines, last = text.split("\n")
    end = _wrapped(last, MAX_LINE_CHARACTERS - 1) + "=" if last else ""
    return "\r\n".join(
        [*(_wrapped(line, MAX_LINE_CHARACTERS) for line in lines), end]
    ).encode() + b"\r\n" * bool(last)


def encode_value(value: str) -> bytes:
    """Return a value encoded for a place between two pieces: on lines of its own, ending in a soft break."""
    if _EASY.fullmatch(value) and "From " not in value:
        step = MAX_LINE_CHARACTERS - 1
        if 0 < len(value) <= step and value[0] != ".":
            return f"{value}=\r\n".encode()
        lines = [value[start : start + step] for start in range(0, len(value), step)]
        if not any([line[0] == "." for line in lines]):  # noqa: C419 - a list is faster for one or two
            return "=\r\n".join([*lines, ""]).encode()
    return encode_open(value)


def _wrapped(line: str, longest_end: int) -> str:
    # The library breaks lines between the bytes of a character, so that its soft line breaks are removed.
    rest = b2a_qp(line.encode("utf-8", "replace")).replace(b"=\n", b"").decode("ascii")
    lines = []
    while True:
        rest = _guarded(rest)
        if len(rest) <= longest_end:
            lines.append(rest)
            return "=\r\n".join(lines)
        cut = _cut(rest)
        lines.append(rest[:cut])
        rest = rest[cut:]


def _guarded(line: str) -> str:
    if line.startswith("."):
        return "=2E" + line[1:]
    return "=46" + line[1:] if line.startswith("From ") else line


def _cut(line: str) -> int:
    """Return where to break: before an escape that would be torn apart, and between characters of UTF-8."""
    cut = min(MAX_LINE_CHARACTERS, len(line)) - 1
    for back in (1, 2):
        if line[cut - back] == "=":
            cut -= back
            break
    start = cut
    while cut > start - 12 and line[cut] == "=" and line[cut + 1] in "89AB":
        cut -= 3
    return cut
