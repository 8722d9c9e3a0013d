"""Doctype: a document type declaration is taken out before any parser sees it. Pure.

Nothing it points to is ever fetched. Of the entities it declares only plain text survives (`copy "(C)"`), and
only while it does not unpack to more than a feed is worth.
"""

from __future__ import annotations

import re

from service.core.errors import FeedUnreadable

DOCTYPE = b"<!DOCTYPE"
MAX_PROLOG_BYTES = 1024 * 1024
MAX_EXPANDED_BYTES = 1_000_000
"""How many bytes the declared entities may add up to where they are used."""

_BEFORE = re.compile(rb"\s+|<\?[^>]*>")
_NAME = re.compile(rb"[^\[\]<>\"']+|\"[^\"]*\"|'[^']*'")
_SUBSET = re.compile(rb"[^\]\"'<]+|\"[^\"]*\"|'[^']*'|<")
_CLOSE = re.compile(rb"\]\s*")
_ENTITY = re.compile(rb"<!ENTITY\s+([\w.:-]+)\s+(?:\"([^\"]*)\"|'([^']*)')\s*>", re.IGNORECASE)
_PLAIN = re.compile(rb"(?:[^&%<\"]|&#\w+;)*")


def without_doctype(document: bytes) -> bytes:
    """Return the document with a doctype of harmless entities alone, or none at all.

    Raises FeedUnreadable for entities that would unpack to too much.
    """
    start = _past(_BEFORE, document[:MAX_PROLOG_BYTES], 0)
    if document[start : start + len(DOCTYPE)].upper() != DOCTYPE:
        return document
    inside = start + len(DOCTYPE)
    end = _end_of_declaration(document, inside)
    declaration = document[start : end or start]
    # What is not even a broken declaration is cut off at its next bracket.
    end = end or max(document.find(b"]>", inside), document.find(b">", inside)) + 2
    entities = {name: double or single for name, double, single in _ENTITY.findall(declaration)}
    plain = {name: value for name, value in entities.items() if _PLAIN.fullmatch(value)}
    if (
        sum(document.count(b"&" + name + b";") * len(value) for name, value in plain.items())
        > MAX_EXPANDED_BYTES
    ):
        raise FeedUnreadable("the document declares entities that unpack to too much, so it is not read")
    lines = b"\n".join(b'<!ENTITY %s "%s">' % pair for pair in plain.items())
    # Each on its own line, which is where feedparser looks for them; it tells RSS 0.91 by Netscape's name.
    name = b"netscape" if b"netscape" in declaration.lower() else b"feed"
    kept = b"\n<!DOCTYPE %s [\n%s\n]>\n" % (name, lines) if plain else b"\n<!DOCTYPE %s>\n" % name
    return document[:start] + kept + document[end:]


def _end_of_declaration(document: bytes, at: int) -> int | None:
    """Return where the declaration that began before `at` ends, or None when it has no end."""
    at = _past(_NAME, document, at)
    if document[at : at + 1] == b"[":
        at = _past(_SUBSET, document, at + 1)
        close = _CLOSE.match(document, at)
        at = close.end() if close else len(document)
    return at + 1 if document[at : at + 1] == b">" else None


def _past(token: re.Pattern[bytes], document: bytes, at: int) -> int:
    """Return where the tokens and comments that stand at `at` end.

    One by one, and nothing is ever given back; a comment without an end reaches to the end of the document.
    """
    while True:
        if document.startswith(b"<!--", at):
            end = document.find(b"-->", at)
            at = end + 3 if end >= 0 else len(document)
        elif found := token.match(document, at):
            at = found.end()
        else:
            return at
