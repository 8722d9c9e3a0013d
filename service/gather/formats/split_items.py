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
class SplitDocument:
    """A document in pieces: `frame[0] items[0] frame[1] items[1] ... frame[-1]`, joined the very document."""

    frame: tuple[bytes, ...]
    items: tuple[bytes, ...]

    def with_items(self, wanted: Collection[int]) -> bytes:
        """Return the document with these items (by index) and no others."""
        pieces = [self.frame[0]]
        for index, item in enumerate(self.items):
            if index in wanted:
                pieces.append(item)
            pieces.append(self.frame[index + 1])
        return b"".join(pieces)


def split_items(document: bytes) -> SplitDocument | None:
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
    return SplitDocument((*frame, document[position:]), tuple(items))


def _bounds(document: bytes) -> list[tuple[int, int]] | None:
    bounds: list[tuple[int, int]] = []
    name, start, position = b"", -1, 0
    ahead: _Ahead | None = None
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
        ahead = ahead or _Ahead(document, name)
        close = ahead.plain_end(position)
        if close is not None:
            bounds.append((start, close))
            start, position = -1, close
    return bounds if start < 0 else None


class _Ahead:
    """Sees at a glance where most items end: where nothing lies between that takes stepping through it."""

    def __init__(self, document: bytes, name: bytes) -> None:
        self._document, self._close = document, b"</" + name + b">"
        self._odd = re.compile(b"<(?:!--|[?]|" + re.escape(name) + b")")
        self._next_odd = -1

    def plain_end(self, position: int) -> int | None:
        """Return where the item ends whose tag ended at `position`; None if that cannot be seen.

        The first closing tag is its own if no comment, instruction or further item begins before it, and no
        CDATA is open where it stands. The document is searched for each of these only once.
        """
        found = self._document.find(self._close, position)
        if self._next_odd < position:
            odd = self._odd.search(self._document, position)
            self._next_odd = odd.start() if odd else len(self._document)
        if found < 0 or self._next_odd < found:
            return None
        closed = max(self._document.rfind(b"]]>", position, found), position)
        if self._document.find(b"<![CDATA[", closed, found) >= 0:
            return None
        return found + len(self._close)
