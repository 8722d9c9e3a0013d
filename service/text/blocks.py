"""Blocks: the paragraphs, headings and list items of a plain text (pure).

Markup says where its blocks are. A plain text is read by its lines: an empty line, a bullet or a line that is
not wrapped ends a block.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from service.core.model import Block, BlockKind, TextSpan
from service.text.marks import FINAL_MARK
from service.text.sentence_rules import MAX_TOKEN_CHARACTERS, SentenceRules, last_token, rules_for

MAX_WRAPPED_LINE_CHARACTERS = 120  # a longer line is a paragraph of its own, not wrapped text
MIN_WRAPPED_LINE_CHARACTERS = 50  # of the longest line of wrapped text; lines of fewer are a list or verse
MIN_WIDTH_SHARE = 0.75  # of the width of the whole text that the longest line of a wrapped paragraph has

_LINE_ENDS = "\v\f\x1c\x1d\x1e\x85\u2028\u2029"
_TO_NEWLINES = str.maketrans(dict.fromkeys(_LINE_ENDS, "\n"))
_BULLET = re.compile(r"(?:[•‣▪●◦∙·*–—-]|\(?\d{1,2}[.)]|\(?[a-z]\))[ \t\u00a0]+")
_COLON = re.compile(r"[:：]\s*\Z")


def plain_blocks(text: str, language: str = "en") -> tuple[Block, ...]:
    """Return the blocks of a plain text: paragraphs and list items, without their bullets.

    Adjacent lines are one paragraph if their lengths and ends look like wrapped text; such a block contains
    line ends. A list is introduced by the line before it if that ends with a colon.
    """
    rules = rules_for(language)
    plain = with_plain_newlines(text)
    blocks: list[Block] = []
    introduction: TextSpan | None = None
    for start, end, is_item in _lines_of_blocks(plain, rules):
        kind = BlockKind.ITEM if is_item else BlockKind.PARAGRAPH
        blocks.append(Block(kind, start, end, introduction if is_item else None))
        if not is_item:
            introduction = TextSpan(start, end) if _COLON.search(plain, max(start, end - 8), end) else None
    return tuple(blocks)


def with_plain_newlines(text: str) -> str:
    """Return the text, of the same length, with every kind of line end as a newline."""
    if "\r" in text:
        text = text.replace("\r", " " if "\n" in text else "\n")
    return text.translate(_TO_NEWLINES) if any(mark in text for mark in _LINE_ENDS) else text


def _lines_of_blocks(text: str, rules: SentenceRules) -> Iterator[tuple[int, int, bool]]:
    """Yield start and end of each block, and whether it is a list item."""
    paragraphs = list(_paragraphs(text))
    widths = [max(end - start for start, end in lines) for lines in paragraphs]
    usual = max((width for width in widths if width <= MAX_WRAPPED_LINE_CHARACTERS), default=0)
    least = max(MIN_WRAPPED_LINE_CHARACTERS, MIN_WIDTH_SHARE * usual)
    for lines, widest in zip(paragraphs, widths, strict=True):
        # Without a width, only a line that begins in lower case continues the one before it.
        width = widest if least <= widest and _is_wrapped(text, lines, widest) else 0
        begin, last = lines[0]
        for start, end in lines[1:]:
            if _BULLET.match(text, start) or not _wraps(text, (begin, last), (start, end), width, rules):
                yield _without_bullet(text, begin, last, rules)
                begin = start
            last = end
        yield _without_bullet(text, begin, last, rules)


def _paragraphs(text: str) -> Iterator[list[tuple[int, int]]]:
    """Yield the runs of lines between empty lines."""
    lines: list[tuple[int, int]] = []
    place = 0
    for line in text.split("\n"):
        bare = line.strip()
        if bare:
            start = place + line.index(bare[0])
            lines.append((start, start + len(bare)))
        elif lines:
            yield lines
            lines = []
        place += len(line) + 1
    if lines:
        yield lines


def _is_wrapped(text: str, lines: Sequence[tuple[int, int]], width: int) -> bool:
    """Return whether the lines of a paragraph look wrapped at this width, their largest.

    Most wrapped lines have no room for the first word of the next one; the lines of a list do.
    """
    unfinished = [
        (above, below)
        for above, below in pairwise(lines)
        if not FINAL_MARK.search(text, max(above[0], above[1] - MAX_TOKEN_CHARACTERS), above[1])
    ]
    full = sum(not _has_room(text, above, below, width) for above, below in unfinished)
    return width <= MAX_WRAPPED_LINE_CHARACTERS and 2 * full >= len(unfinished)


def _has_room(text: str, above: tuple[int, int], below: tuple[int, int], width: int) -> bool:
    """Return whether the first word of the line `below` fits at the end of the line `above`."""
    first_word = text[below[0] : min(below[1], below[0] + MAX_TOKEN_CHARACTERS)].split(None, 1)[0]
    return above[1] - above[0] + 1 + len(first_word) <= width


def _wraps(
    text: str, above: tuple[int, int], below: tuple[int, int], width: int, rules: SentenceRules
) -> bool:
    """Return whether the line `below` continues the block `above`."""
    begin, last = above
    if FINAL_MARK.search(text, max(begin, last - MAX_TOKEN_CHARACTERS), last):
        token = last_token(text, begin, last)
        return token.endswith(".") and rules.is_abbreviation(token[:-1])
    if text[below[0]].islower():
        return True
    line_start = max(begin, text.rfind("\n", max(begin, last - MAX_WRAPPED_LINE_CHARACTERS), last) + 1)
    return width > 0 and not _has_room(text, (line_start, last), below, width)


def _without_bullet(text: str, start: int, end: int, rules: SentenceRules) -> tuple[int, int, bool]:
    bullet = _BULLET.match(text, start, end)
    if bullet is None or (rules.ordinal and "." in bullet[0]):
        return start, end, False
    begin = bullet.end()
    while begin < end and text[begin].isspace():
        begin += 1
    return begin, end, True
