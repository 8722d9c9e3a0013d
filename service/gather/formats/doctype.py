"""Doctype: remove the document type declaration before a parser reads the document. Pure.

External entities are never fetched. Declared entities with plain text (`copy "(C)"`) are kept, up to a
limit of their expanded size.
"""

from __future__ import annotations

import re

from service.core.errors import FeedUnreadable

DOCTYPE = b"<!DOCTYPE"
MAX_PROLOG_BYTES = 1024 * 1024
MAX_EXPANDED_BYTES = 1_000_000  # of all references to the declared entities together

_BEFORE = re.compile(rb"\s+|<\?[^>]*>")
_NAME = re.compile(rb"[^\[\]<>\"']+|\"[^\"]*\"|'[^']*'")
_SUBSET = re.compile(rb"[^\]\"'<]+|\"[^\"]*\"|'[^']*'|<")
_CLOSE = re.compile(rb"\]\s*")
_ENTITY = re.compile(rb"<!ENTITY\s+([\w.:-]+)\s+(?:\"([^\"]*)\"|'([^']*)')\s*>", re.IGNORECASE)
_PLAIN = re.compile(rb"(?:[^&%<\"]|&#\w+;)*")


def without_doctype(document: bytes) -> bytes:
    """Return the document with a doctype of plain-text entities only, or without one.

    Raises FeedUnreadable for entities that would expand beyond MAX_EXPANDED_BYTES.
    """
    start = _past(_BEFORE, document[:MAX_PROLOG_BYTES], 0)
    if document[start : start + len(DOCTYPE)].upper() != DOCTYPE:
        return document
    inside = start + len(DOCTYPE)
    end = _end_of_declaration(document, inside)
    declaration = document[start : end or start]
    # A malformed declaration is cut at its next closing bracket.
    end = end or max(document.find(b"]>", inside), document.find(b">", inside)) + 2
    entities = {name: double or single for name, double, single in _ENTITY.findall(declaration)}
    plain = {name: value for name, value in entities.items() if _PLAIN.fullmatch(value)}
    if (
        sum(document.count(b"&" + name + b";") * len(value) for name, value in plain.items())
        > MAX_EXPANDED_BYTES
    ):
        raise FeedUnreadable("the document declares entities that expand to too much text")
    lines = b"\n".join(b'<!ENTITY %s "%s">' % pair for pair in plain.items())
    # feedparser expects each entity on its own line, and recognizes RSS 0.91 by the name "netscape".
    name = b"netscape" if b"netscape" in declaration.lower() else b"feed"
    kept = b"\n<!DOCTYPE %s [\n%s\n]>\n" % (name, lines) if plain else b"\n<!DOCTYPE %s>\n" % name
    return document[:start] + kept + document[end:]


def _end_of_declaration(document: bytes, at: int) -> int | None:
    """Return the end of the declaration that contains `at`, or None when it has no end."""
    at = _past(_NAME, document, at)
    if document[at : at + 1] == b"[":
        at = _past(_SUBSET, document, at + 1)
        close = _CLOSE.match(document, at)
        at = close.end() if close else len(document)
    return at + 1 if document[at : at + 1] == b">" else None


def _past(token: re.Pattern[bytes], document: bytes, at: int) -> int:
    """Return the end of the tokens and comments at `at`.

    They are matched one by one, without backtracking. An unclosed comment extends to the end of the document.
    """
    while True:
        if document.startswith(b"<!--", at):
            end = document.find(b"-->", at)
            at = end + 3 if end >= 0 else len(document)
        elif found := token.match(document, at):
            at = found.end()
        else:
            return at
