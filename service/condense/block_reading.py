"""Block reading: the parts of an article's blocks that could be key points, and what must be shown with them.

A paragraph is read by its sentences. A list item, a table row or a line of a list in plain text is one part,
unless it has sentences. A quotation is one part with everything between its marks (pure).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby, islice, zip_longest
from typing import NamedTuple

from service.core.model import Block, BlockKind, TextSpan
from service.text.blocks import plain_blocks, with_plain_newlines
from service.text.enumerations import find_enumeration
from service.text.quotations import Quotations, find_quotations
from service.text.scripts import IDEOGRAPH
from service.text.sentence_rules import rules_for
from service.text.sentences import MIN_LINE_WORDS, Sentence, sentences_of_block

MAX_BLOCKS = 20_000  # read of a text; no news article has more, a hostile text may
MAX_QUOTATION_CHARACTERS = 450  # of sentences joined by quotation marks; a longer one leaves no room for more
MIN_ITEM_WORDS = 3  # of a list item without a final mark; shorter ones are names and links
MIN_ITEM_IDEOGRAPHS = 6
MIN_LIST_LINES = 3  # unmarked lines of plain text in a row, which are a list; one or two are headings

_STRAIGHT_MARKS = frozenset('"＂')
_WHOLE_KINDS = frozenset({BlockKind.ITEM, BlockKind.ROW, BlockKind.QUOTE})
_UNREAD = frozenset({BlockKind.HEADING, BlockKind.PREFORMATTED})


class Candidate(NamedTuple):
    """A part of the text, `text[start:end]`, that may become a key point, and what is shown with it.

    `introduction` and `quoted` are those of KeyPoint. A part that is not `shown` only gives its neighbours
    their context: a question, or a piece of a quotation. A `damaged` part has a quotation mark whose partner
    is nowhere in its block.
    """

    start: int
    end: int
    introduction: TextSpan | None = None
    quoted: bool = False
    shown: bool = True
    damaged: bool = False


@dataclass(slots=True)
class BlockPart:
    """A block, or one item of an enumeration inside it, with its candidates."""

    block: Block
    candidates: list[Candidate] = field(default_factory=list)


def read_parts(text: str, blocks: Sequence[Block], language: str) -> list[BlockPart]:
    """Return the parts of the text in reading order, captions last; headings and code have no candidates.

    `blocks` are those of the text; without any, it is read as plain text.
    """
    readable = with_plain_newlines(text)
    found = list(islice(blocks or plain_blocks(text, language), MAX_BLOCKS))
    parts: list[BlockPart] = []
    for block, following in zip_longest(found, found[1:]):
        quotations = find_quotations(readable, block.start, block.end)
        goes_on = following is not None and _goes_on(readable, block, following, quotations)
        for part in _split(readable, block, language):
            sentences = [] if part.kind in _UNREAD else _sentences(readable, part, language)
            parts.append(BlockPart(part, _candidates(readable, part, sentences, quotations, goes_on=goes_on)))
    _read_list_lines(readable, parts)
    return sorted(parts, key=lambda part: part.block.kind is BlockKind.CAPTION)


def _goes_on(text: str, block: Block, following: Block, quotations: Quotations) -> bool:
    """Return whether the block is in a quotation that goes on in the next one: both open with its mark."""
    opens_unmatched = quotations.unmatched[:1] == (block.start,)
    return opens_unmatched and text[following.start] == text[block.start]


def _split(text: str, block: Block, language: str) -> Iterator[Block]:
    """Yield the block; instead of one with an enumeration, the words before it and each of its items."""
    ordinal = rules_for(language).ordinal
    listed = (
        None if block.kind in _UNREAD else find_enumeration(text, block.start, block.end, ordinal=ordinal)
    )
    if listed is None:
        yield block
        return
    if listed.introduction:
        yield block._replace(start=listed.introduction.start, end=listed.introduction.end)
    for start, end in listed.items:
        yield Block(BlockKind.ITEM, start, end, listed.introduction or block.introduction, block.repeated)


def _sentences(text: str, block: Block, language: str) -> list[Sentence]:
    """Return the sentences of a block, or a list item, row or quote as a whole if they do not fill it."""
    sentences = list(sentences_of_block(text, block, language))
    if block.kind not in _WHOLE_KINDS or (sentences and sentences[-1].end == block.end):
        return sentences
    body = text[block.start : block.end]
    words = len(body.split(None, MIN_ITEM_WORDS))
    if words >= MIN_ITEM_WORDS or len(IDEOGRAPH.findall(body)) >= MIN_ITEM_IDEOGRAPHS:
        return [Sentence(block.start, block.end)]
    return sentences


def _candidates(
    text: str, block: Block, sentences: Sequence[Sentence], quotations: Quotations, *, goes_on: bool
) -> list[Candidate]:
    """Return the sentences as candidates, those of one quotation as one.

    Sentences of a quotation that is too long or that goes on in the next block are not shown. A mark at the
    end of a sentence is left out if it has no partner. One that only closes shows that the sentence is
    quoted; a straight one may have been that of the next sentence, and so says nothing.
    """
    quoted = block.kind is BlockKind.QUOTE
    if quotations.is_empty:
        return [Candidate(start, end, block.introduction, quoted) for start, end in sentences]
    candidates: list[Candidate] = []
    for group in _of_one_quotation(sentences, quotations):
        start, end = group[0].start, group[-1].end
        if len(group) > 1 and end - start > MAX_QUOTATION_CHARACTERS:
            candidates += (Candidate(*one, block.introduction, quoted, shown=False) for one in group)
            continue
        lost = quotations.lost_between(start, end)
        ends_quotation = lost == (end - 1,)
        candidates.append(
            Candidate(
                start,
                end - ends_quotation,
                block.introduction,
                quoted or (ends_quotation and text[end - 1] not in _STRAIGHT_MARKS),
                shown=not goes_on,
                damaged=bool(lost) and not ends_quotation,
            )
        )
    return candidates


def _of_one_quotation(sentences: Sequence[Sentence], quotations: Quotations) -> list[list[Sentence]]:
    """Return the sentences in groups; a group has several if they end inside a quotation."""
    groups: list[list[Sentence]] = []
    place = 0
    for sentence in sentences:
        while place < len(quotations.spans) and quotations.spans[place].end <= sentence.start:
            place += 1
        is_inside = place < len(quotations.spans) and quotations.spans[place].start < sentence.start
        if groups and is_inside:
            groups[-1].append(sentence)
        else:
            groups.append([sentence])
    return groups


def _read_list_lines(text: str, parts: Sequence[BlockPart]) -> None:
    """Give candidates to the lines of a list without bullets, and to all lines of a text without marks.

    Lines at the end of a text that has sentences are most often links to other articles.
    """
    is_marked = any(part.candidates for part in parts)
    runs = [(is_line, list(run)) for is_line, run in groupby(parts, lambda part: _is_line(text, part))]
    for place, (is_line, run) in enumerate(runs):
        is_list = len(run) >= MIN_LIST_LINES and place + 1 < len(runs)
        if is_line and (is_list or not is_marked):
            for part in run:
                part.candidates = [Candidate(part.block.start, part.block.end)]


def _is_line(text: str, part: BlockPart) -> bool:
    """Return whether the part is a paragraph of enough words without a final mark."""
    block = part.block
    if part.candidates or block.kind is not BlockKind.PARAGRAPH or text[block.end - 1] in ":：":
        return False
    return len(text[block.start : block.end].split(None, MIN_LINE_WORDS)) > MIN_LINE_WORDS
