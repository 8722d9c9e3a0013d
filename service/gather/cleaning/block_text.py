"""Block text: the parts of an article become one text and its blocks, with exact offsets. Pure.

A reader of markup or of plain text makes a BlockDraft of each part; `assemble` settles what only the parts
around it can tell: which bold line is a heading, and what introduces a list, a quote or a row.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from service.core.model import Block, BlockKind, TextSpan
from service.gather.boilerplate import (
    BOILERPLATE_PARAGRAPH,
    READ_MORE,
    READ_MORE_WORDS,
    any_of,
    compiled,
)
from service.gather.cleaning.characters import folded, without_unsafe_characters
from service.text.enumerations import find_enumeration, item_text
from service.text.marks import FINAL_MARK
from service.text.sentence_rules import rules_for
from service.text.sentences import sentences_of_block

MAX_TEXT_CHARACTERS = 100_000  # more than any article has; a longer text is cut
MAX_HEADING_CHARACTERS = 160  # a longer heading is a paragraph in large letters
MAX_BOLD_HEADING_CHARACTERS = 100
MAX_INTRODUCTION_CHARACTERS = 300
MAX_TAIL_CHARACTERS = 120  # of a text's end in which an invitation to read more is looked for
TEXT_CUT = f"a text was longer than {MAX_TEXT_CHARACTERS:,} characters"

_LEFT_OUT = compiled(any_of(BOILERPLATE_PARAGRAPH, rf"\W{{0,3}}{READ_MORE}[^.!?]{{0,80}}\W{{0,4}}"))
_TAIL = compiled(
    r"(?:(?P<cut>\s*(?:\[\s*(?:…|\.{3})\s*\]|…|\.{3,4}))\s*|(?<=[.!?:\"”»)\]])\s+|\s+(?=(?-i:[A-Z])))"
    rf"\(?{READ_MORE}\b[^.!?\n]{{0,60}}(?:…|→|»|›|>|\.{{3}}|\)|\.)?\s*$"
)
"""An invitation to read more at the end: after an ellipsis or a sentence, or with a capital letter."""
# Named here because to look up a member of an enumeration takes Python 3.11 a fifth of a microsecond.
_PARAGRAPH, _HEADING, _ITEM = BlockKind.PARAGRAPH, BlockKind.HEADING, BlockKind.ITEM
_QUOTE, _PREFORMATTED = BlockKind.QUOTE, BlockKind.PREFORMATTED
_INTRODUCED = frozenset({_ITEM, _QUOTE, BlockKind.ROW})
_OPEN_END = re.compile(r"[:：;,–—-]\s*\Z")


class BlockText(NamedTuple):
    """The text of an article, its blocks, and why a part of it is missing ("" when nothing is)."""

    text: str
    blocks: tuple[Block, ...] = ()
    cut: str = ""


NO_TEXT = BlockText("")


@dataclass(slots=True, eq=False)
class BlockDraft:
    """A block without offsets. `introducer` is the part that may introduce it; `bold`: all its text is."""

    kind: BlockKind
    text: str
    introducer: BlockDraft | None = None
    bold: bool = False


def assemble(drafts: Iterable[BlockDraft], *, language: str = "", cut: str = "") -> BlockText:
    """Join the drafts to one text; empty ones, boilerplate and invitations to read more are left out."""
    kept = [draft for draft in drafts if _is_text(draft)]
    if kept and kept[-1].kind is not _PREFORMATTED:
        kept[-1].text = _without_tail(kept[-1].text)
    _settle_headings(kept)
    _settle_items(kept)
    language = language or "en"
    text, placed, complete = _placed(_with_enumerated_items(kept, language))
    blocks = _with_introductions(text, placed, language)
    return BlockText(text, blocks, cut if complete else cut or TEXT_CUT)


def shortened(text: str, limit: int) -> str:
    """Return at most `limit` characters of a text, cut between paragraphs, or else between sentences."""
    if len(text) <= limit:
        return text
    cut = max(
        text.rfind("\n\n", 0, limit), *(text.rfind(end, 0, limit) + 1 for end in (". ", "! ", "? ", "。"))
    )
    return text[: cut if cut > 0 else limit].rstrip()


def _is_text(draft: BlockDraft) -> bool:
    """Clean the draft's text; return whether it is a part of the article."""
    if draft.kind is _PREFORMATTED:
        draft.text = _preformatted(draft.text)
        return bool(draft.text)
    line = draft.text = folded(draft.text)
    return bool(line) and not _LEFT_OUT.fullmatch(line)


def _preformatted(text: str) -> str:
    """Return safe text with its line ends, without empty lines: these separate blocks."""
    text = without_unsafe_characters(unicodedata.normalize("NFC", text.expandtabs(4)))
    return "\n".join(line.rstrip() for line in text.splitlines() if line.strip()).strip()


def _without_tail(line: str) -> str:
    """Remove "… Read more" from the end of the last paragraph."""
    start = max(0, len(line) - MAX_TAIL_CHARACTERS)
    end = line[start:].lower()
    if not any(word in end for word in READ_MORE_WORDS):
        return line
    tail = _TAIL.search(line, start)
    if tail is None:
        return line
    return line[: tail.start()].rstrip() + ("…" if tail["cut"] or tail.group().endswith(("…", "...")) else "")


def _settle_headings(drafts: Sequence[BlockDraft]) -> None:
    """Make headings of short bold lines before other text, and paragraphs of long headings."""
    following: BlockDraft | None = None
    for draft in reversed(drafts):
        if draft.kind is _HEADING and len(draft.text) > MAX_HEADING_CHARACTERS:
            draft.kind = _PARAGRAPH
        elif (
            draft.bold
            and draft.kind is _PARAGRAPH
            and len(draft.text) <= MAX_BOLD_HEADING_CHARACTERS
            and not (_has_final_mark(draft.text) or _OPEN_END.search(draft.text[-4:]))
            and following is not None
            and not following.bold
        ):
            draft.kind = _HEADING
        following = draft


def _settle_items(drafts: Sequence[BlockDraft]) -> None:
    """Make items of adjacent paragraphs that begin with a bullet, or with the numbers 1, 2 and so on."""
    run: list[tuple[BlockDraft, str]] = []
    opener: BlockDraft | None = None
    for draft in [*drafts, BlockDraft(_PARAGRAPH, "")]:
        text = item_text(draft.text, len(run) + 1) if draft.kind is _PARAGRAPH else ""
        if text:
            run.append((draft, text))
            continue
        for item, bare in run if len(run) > 1 else ():
            item.kind, item.text, item.introducer = _ITEM, bare, opener
        run, opener = [], draft


def _has_final_mark(text: str) -> bool:
    return FINAL_MARK.search(text, max(0, len(text) - 8)) is not None


def _with_enumerated_items(drafts: Iterable[BlockDraft], language: str) -> Iterator[BlockDraft]:
    """Yield the drafts; in place of one that enumerates items, the text before them and each item."""
    ordinal = rules_for(language).ordinal
    for draft in drafts:
        listed = None
        if draft.kind is _PARAGRAPH or draft.kind is _QUOTE:
            listed = find_enumeration(draft.text, 0, len(draft.text), ordinal=ordinal)
        if listed is None:
            yield draft
            continue
        whole, before = draft.text, listed.introduction
        if before:
            # The draft itself stays in use, because it may introduce others.
            draft.text = whole[before.start : before.end]
            yield draft
        kind = _ITEM if draft.kind is _PARAGRAPH else draft.kind
        for start, end in listed.items:
            yield BlockDraft(kind, whole[start:end], draft if before else None, draft.bold)


def _placed(drafts: Iterable[BlockDraft]) -> tuple[str, list[tuple[BlockDraft, int, int]], bool]:
    """Return the text, the place of each draft in it, and whether all of them are in it."""
    placed: list[tuple[BlockDraft, int, int]] = []
    parts: list[str] = []
    start = 0
    for draft in drafts:
        part = draft.text
        end = start + len(part)
        if end > MAX_TEXT_CHARACTERS:
            part = shortened(part, max(0, MAX_TEXT_CHARACTERS - start))
            if part:
                parts.append(part)
                placed.append((draft, start, start + len(part)))
            return "\n\n".join(parts), placed, False
        parts.append(part)
        placed.append((draft, start, end))
        start = end + 2
    return "\n\n".join(parts), placed, True


def _with_introductions(
    text: str, placed: Sequence[tuple[BlockDraft, int, int]], language: str
) -> tuple[Block, ...]:
    if not any(draft.introducer for draft, _, _ in placed):
        return tuple([Block(draft.kind, start, end) for draft, start, end in placed])
    spans = {id(draft): (start, end) for draft, start, end in placed}
    found: dict[tuple[int, BlockKind], TextSpan | None] = {}
    blocks: list[Block] = []
    for draft, start, end in placed:
        introducer, span = draft.introducer, None
        if introducer is not None and draft.kind in _INTRODUCED and id(introducer) in spans:
            key = id(introducer), draft.kind
            if key not in found:
                found[key] = _introduction(text, introducer, spans[id(introducer)], draft.kind, language)
            span = found[key]
        blocks.append(Block(draft.kind, start, end, span if span is None or span.end <= start else None))
    return tuple(blocks)


def _introduction(
    text: str, introducer: BlockDraft, place: tuple[int, int], kind: BlockKind, language: str
) -> TextSpan | None:
    """Return the part of a block that introduces the next ones, None when it does not.

    A heading, or the head of a table, introduces a list as a whole. Of other text the last sentence does:
    before a quote always, before a list only if it ends with a colon or without a final mark.
    """
    start, end = place
    if introducer.kind is _HEADING:
        return None if kind is _QUOTE else TextSpan(start, end)
    if introducer.kind in (BlockKind.CAPTION, _PREFORMATTED, _QUOTE, BlockKind.ROW):
        return None
    if kind is not _QUOTE and _has_final_mark(text[start:end]):
        return None
    for sentence in sentences_of_block(text, Block(introducer.kind, start, end), language):
        is_last = not text[sentence.end : end].strip()
        start = sentence.start if is_last else sentence.end
    while start < end and text[start].isspace():
        start += 1
    return TextSpan(start, end) if end - start <= MAX_INTRODUCTION_CHARACTERS else None
