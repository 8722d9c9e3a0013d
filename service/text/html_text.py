"""HTML text: the visible text of an HTML mail, in time linear in its length (pure)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape

MAX_TAG_CHARACTERS = 2_000  # a `<` whose `>` is further away is text

_LINE_ENDS = re.compile(r"(?i)<br\s*/?>|</(?:p|div|tr|li|h\d|table)>")
_OPENING = re.compile(r"(?i)<(!--|(?:style|script|head)\b)?")
_COMMENT_END = re.compile(r"-->")
_BLOCK_END = re.compile(r"(?i)</(?:style|script|head)>")
_TAG_END = re.compile(r">")


def html_to_text(html: str) -> str:
    """Return the text without tags, comments, styles and scripts; breaks and ends of blocks are newlines.

    Of a comment or block without an end, only the opening tag is removed.
    """
    return unescape("".join(_visible(_LINE_ENDS.sub("\n", html))))


def _visible(html: str) -> Iterator[str]:
    """Yield the pieces of text between the tags."""
    comments, blocks, tags = (_MatchEnds(html, pattern) for pattern in (_COMMENT_END, _BLOCK_END, _TAG_END))
    at = 0
    while opening := _OPENING.search(html, at):
        start, inside = opening.span()
        yield html[at:start]
        end = (comments if opening[1] == "!--" else blocks).after(inside) if opening[1] else None
        if end is None and (end := tags.after(inside)) is not None and end - inside > MAX_TAG_CHARACTERS:
            end = None
        if end is None:
            yield "<"
        at = end or start + 1
    yield html[at:]


class _MatchEnds:
    """The ends of a pattern's matches, looked up for ascending positions in one pass over the text.

    A lazy `<!--.*?-->` would read to the end of the text for every `<!--` without an end.
    """

    def __init__(self, text: str, pattern: re.Pattern[str]) -> None:
        self._matches = pattern.finditer(text)
        self._next = next(self._matches, None)

    def after(self, position: int) -> int | None:
        """Return the end of the first match that starts at `position` or later, None if there is none."""
        while self._next is not None and self._next.start() < position:
            self._next = next(self._matches, None)
        return None if self._next is None else self._next.end()
