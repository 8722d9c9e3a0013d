"""Doctype: a document type declaration is taken out before any parser sees it. Pure.

Nothing it points to is ever fetched. Of the entities it declares only plain text survives (`copy "(C)"`), and
only while it does not unpack to more than a feed is worth.
"""

from __future__ import annotations

import re

from service.core.errors import FeedUnreadable

LOOKED_AT = 1024 * 1024
MOST_UNPACKED = 1_000_000
"""How many bytes the declared entities may add up to where they are used."""

_BEGIN = re.compile(rb"\A(?:\s|<\?[^>]*>|(?><!--.*?-->))*+(<!DOCTYPE)", re.IGNORECASE | re.DOTALL)
_REST = re.compile(
    rb"(?:[^\[\]<>\"']|\"[^\"]*\"|'[^']*')*+"
    rb"(?:\[(?:(?><!--.*?-->)|[^\]\"'<]|\"[^\"]*\"|'[^']*'|<)*+\]\s*)?>",
    re.DOTALL,
)
_ENTITY = re.compile(rb"<!ENTITY\s+([\w.:-]+)\s+(?:\"([^\"]*)\"|'([^']*)')\s*>", re.IGNORECASE)
_PLAIN = re.compile(rb"(?:[^&%<\"]|&#\w+;)*")


def without_doctype(document: bytes) -> bytes:
    """Return the document with a doctype of harmless entities alone, or none at all.

    Raises FeedUnreadable for entities that would unpack to too much.
    """
    begin = _BEGIN.match(document[:LOOKED_AT])
    if begin is None:
        return document
    # What is not even a broken declaration is cut off at its next bracket.
    rest = _REST.match(document, begin.end(1))
    end = rest.end() if rest else max(document.find(b"]>", begin.end()), document.find(b">", begin.end())) + 2
    declaration = document[begin.start(1) : end] if rest else b""
    entities = {name: double or single for name, double, single in _ENTITY.findall(declaration)}
    plain = {name: value for name, value in entities.items() if _PLAIN.fullmatch(value)}
    if sum(document.count(b"&" + name + b";") * len(value) for name, value in plain.items()) > MOST_UNPACKED:
        raise FeedUnreadable("the document declares entities that unpack to too much, so it is not read")
    lines = b"\n".join(b'<!ENTITY %s "%s">' % pair for pair in plain.items())
    # Each on its own line, which is where feedparser looks for them; it tells RSS 0.91 by Netscape's name.
    name = b"netscape" if b"netscape" in declaration.lower() else b"feed"
    kept = b"\n<!DOCTYPE %s [\n%s\n]>\n" % (name, lines) if plain else b"\n<!DOCTYPE %s>\n" % name
    return document[: begin.start(1)] + kept + document[end:]
