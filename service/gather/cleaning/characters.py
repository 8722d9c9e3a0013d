"""Characters: remove those that break mails or terminals, fold white space. Pure."""

from __future__ import annotations

import re
import unicodedata

from service.core.placeholders import without_placeholders

MAX_TITLE_CHARACTERS = 300

UNSAFE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\u00ad\u200e\u200f\u202a-\u202e\u2060-\u2069"
    "\ufff9-\ufffb\ufffe\uffff\ue000-\uf8ff]"
)
"""Control characters, lone surrogates, soft hyphens, direction marks, and private-use characters."""
_UNSAFE_ASCII = "".join(UNSAFE.findall("".join(map(chr, range(128))))).encode()


def without_unsafe_characters(text: str) -> str:
    """Return the text without characters that break mail headers, terminals, offsets or placeholders."""
    # The first two ways take a small part of the third one's time.
    if text.isascii():
        return text.encode().translate(None, _UNSAFE_ASCII).decode()
    return text if text.isprintable() else without_placeholders(UNSAFE.sub("", text))


def one_line(text: str, limit: int = MAX_TITLE_CHARACTERS) -> str:
    """Return plain text as one line of at most `limit` characters, cut between words."""
    line = folded(text[: limit * 20])
    if len(line) <= limit:
        return line
    return line[: limit - 1].rsplit(" ", 1)[0].rstrip(" ,;:-–—") + "…"


def folded(text: str) -> str:
    """Return safe text in NFC as one line: white space is one space, and there is none at the ends."""
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    if text.isprintable() and "  " not in text:  # its only white space is single spaces
        return text.strip(" ")
    text = without_unsafe_characters(text)
    return " ".join(text.replace("\u200b", " ").replace("\ufeff", " ").split())
