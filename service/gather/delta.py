"""Delta: split a feed's document into its items by bytes, so that only new ones need to be parsed. Pure.

A split is a guess about XML made without parsing it. It is trusted only for a feed whose whole document was
once parsed and gave the same items, and given up for this look as soon as anything does not add up.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

_MARK = re.compile(rb"<!\[CDATA\[|<!--|<\?|<(/?)((?:[\w.-]+:)?(?:item|entry))(?=[\s/>])", re.IGNORECASE)
_REST_OF_TAG = re.compile(rb"(?:[^\"'<>]|\"[^\"<]*\"|'[^'<]*')*>")
_ENDS = {b"<![CDATA[": b"]]>", b"<!--": b"-->", b"<?": b"?>"}


@dataclass(frozen=True, slots=True)
class Split:
    """A document in pieces: `frame[0] items[0] frame[1] items[1] ... frame[-1]`, joined the very document."""

    frame: tuple[bytes, ...]
    items: tuple[bytes, ...]

    def only(self, wanted: Collection[int]) -> bytes:
        """Return the document with these items (by index) and no others."""
        pieces = [self.frame[0]]
        for index, item in enumerate(self.items):
            if index in wanted:
                pieces.append(item)
            pieces.append(self.frame[index + 1])
        return b"".join(pieces)


def split(document: bytes) -> Split | None:
    """Return the items of an RSS, RDF, CDF or Atom document in UTF-8, None where they cannot be told apart.

    Comments, CDATA and processing instructions are stepped over. Items within items, under two names, or
    not closed give None.
    """
    bounds = _bounds(document)
    if bounds is None:
        return None
    frame: list[bytes] = []
    items: list[bytes] = []
    position = 0
    for start, end in bounds:
        frame.append(document[position:start])
        items.append(document[start:end])
        position = end
    return Split((*frame, document[position:]), tuple(items))


def _bounds(document: bytes) -> list[tuple[int, int]] | None:
    bounds: list[tuple[int, int]] = []
    name, start, position = b"", -1, 0
    while mark := _MARK.search(document, position):
        end = _ENDS.get(mark.group().upper())
        if end is not None:
            position = document.find(end, mark.end())
            if position < 0:
                return None
            position += len(end)
            continue
        tag = _REST_OF_TAG.match(document, mark.end())
        name = name or mark.group(2)
        if tag is None or mark.group(2) != name:
            return None
        position = tag.end()
        closes = bool(mark.group(1))
        empty = not closes and document[position - 2 : position] == b"/>"
        if closes != (start >= 0):
            return None
        if closes or empty:
            bounds.append((mark.start() if empty else start, position))
            start = -1
            continue
        start = mark.start()
        close = _plain_end(document, position, name)
        if close is not None:
            bounds.append((start, close))
            start, position = -1, close
    return bounds if start < 0 else None


def _plain_end(document: bytes, position: int, name: bytes) -> int | None:
    """Return where an item ends if that can be seen at a glance; None if it takes stepping through it.

    The first closing tag is the item's own if no CDATA, comment or instruction is open where it stands, and
    no further item was opened before it.
    """
    found = document.find(b"</" + name + b">", position)
    if found < 0 or document.find(b"<" + name, position, found) >= 0:
        return None
    for opens, closes in _ENDS.items():
        if document.rfind(opens, position, found) > document.rfind(closes, position, found):
            return None
    return found + len(name) + 3
