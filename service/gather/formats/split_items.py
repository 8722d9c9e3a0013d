"""Split a feed's document into its items without parsing it, so that only new items are parsed. Pure.

The split is a guess. It is used only for a feed whose whole document was parsed once with the same items, and
the whole document is parsed again whenever the split and the parsed items disagree.
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
    """A document in pieces; `frame[0] items[0] frame[1] items[1] ... frame[-1]` is the document."""

    frame: tuple[bytes, ...]
    items: tuple[bytes, ...]

    def with_items(self, wanted: Collection[int]) -> bytes:
        """Return the document with only these items (by index)."""
        pieces = [self.frame[0]]
        for index, item in enumerate(self.items):
            if index in wanted:
                pieces.append(item)
            pieces.append(self.frame[index + 1])
        return b"".join(pieces)


def split_items(document: bytes) -> SplitDocument | None:
    """Split an RSS, RDF, CDF or Atom document in UTF-8; return None when that is not possible.

    Comments, CDATA and processing instructions are skipped. Nested items, items with different names, and
    unclosed items give None.
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
    ahead: _Lookahead | None = None
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
        ahead = ahead or _Lookahead(document, name)
        close = ahead.plain_end(position)
        if close is not None:
            bounds.append((start, close))
            start, position = -1, close
    return bounds if start < 0 else None


class _Lookahead:
    """Finds the end of most items in one search: those without comments, instructions or nested items."""

    def __init__(self, document: bytes, name: bytes) -> None:
        self._document, self._close = document, b"</" + name + b">"
        self._special = re.compile(b"<(?:!--|[?]|" + re.escape(name) + b")")
        self._next_special = -1

    def plain_end(self, position: int) -> int | None:
        """Return the end of the item whose start tag ends at `position`; None if it needs a closer look.

        The first closing tag belongs to it if no comment, instruction or other item starts before it, and no
        CDATA section is open there. The document is searched for each of these only once.
        """
        found = self._document.find(self._close, position)
        if self._next_special < position:
            odd = self._special.search(self._document, position)
            self._next_special = odd.start() if odd else len(self._document)
        if found < 0 or self._next_special < found:
            return None
        closed = max(self._document.rfind(b"]]>", position, found), position)
        if self._document.find(b"<![CDATA[", closed, found) >= 0:
            return None
        return found + len(self._close)
