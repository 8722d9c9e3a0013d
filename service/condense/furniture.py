"""Furniture: drop the candidates that are no news, and a sentence that the publisher cut off (pure)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from service.condense.block_reading import BlockPart, Candidate
from service.core.model import Block, BlockKind
from service.text.furniture.press_release import is_about_publisher
from service.text.furniture.rules import (
    addresses_reader,
    is_furniture_outside_quotations,
    leads_elsewhere,
    may_be_furniture,
    outside_quotations,
)

MAX_TEASER_CHARACTERS = 700  # an ellipsis at the end of a longer text is the author's
MAX_NEIGHBOUR_CHARACTERS = 200  # of a sentence that goes on speaking to the reader
MAX_LINK_TITLE_CHARACTERS = 120

MIN_CHAPTERS = 3
MIN_STAMPED = 2  # parts that begin with the time of day, as those of a live blog do

_CHAPTER = re.compile(r"[(\[]?(?:\d{1,2}:)?\d{1,2}:\d\d[)\]]?[\s:–—-]")
_FIRST_CHAPTER = re.compile(r"[(\[]?(?:0{1,2}:)?0{1,2}:00[)\]]?[\s:–—-]")
_STAMP = re.compile(
    r"[0-2]?\d(?:[:h]|\.(?=\d\d\sUhr))[0-5]\d(?:\s?(?:Uhr|[hH]|GMT|UTC|CES?T|MES?Z|MSK|BST|E[SD]T|P[SD]T)\b)?"
    r"\s{0,2}[–—:|-]?\s{1,3}(?=[¡¿«“„‘]?(?P<first>[^\W\d_]))"
)
_ELLIPSIS = re.compile(r"(?P<bracketed>[\[(]\s{0,3}(?:…|\.{3})\s{0,3}[\])])|…|\.{3}")
_FINAL = re.compile(r"[.!?…。！？؟।]\W{0,3}\Z")


def drop_furniture(text: str, parts: Sequence[BlockPart]) -> None:
    """Remove the candidates that are furniture from the parts, in place; the text keeps them.

    Under a heading or line such as "Read also", list items and titles are links. A line that the feed repeats
    is furniture whatever it says.
    """
    _drop_chapters(text, parts)
    _cut_stamps(text, parts)
    _drop_about_publisher(text, parts)
    under_links = False
    for part in parts:
        block = part.block
        if not part.candidates:
            under_links = _announces_links(text, block)
        elif (
            block.repeated or (under_links and _is_link(text, block)) or _is_introduced_as_links(text, block)
        ):
            part.candidates = []
        else:
            last = part.candidates[-1]
            if block.kind is not BlockKind.QUOTE:
                part.candidates = _without_furniture(text, block, part.candidates)
            under_links = last not in part.candidates and leads_elsewhere(text[last.start : last.end])
    _drop_cut_sentences(text, [part for part in parts if part.candidates])


def _drop_chapters(text: str, parts: Sequence[BlockPart]) -> None:
    """Remove the candidates of a list of chapters, lines with time marks from 0:00 on, in place."""
    chapters: list[BlockPart] = []
    for part in [*parts, None]:
        if part is not None and (_CHAPTER if chapters else _FIRST_CHAPTER).match(text, part.block.start):
            chapters.append(part)
        else:
            for chapter in chapters if len(chapters) >= MIN_CHAPTERS else ():
                chapter.candidates = []
            chapters = []


def _cut_stamps(text: str, parts: Sequence[BlockPart]) -> None:
    """Take the time of day off the entries of a live blog, in place: "15:00 The pier is shut."."""
    stamped = [(part, end) for part in parts if part.candidates and (end := _stamp_end(text, part))]
    for part, end in stamped if len(stamped) >= MIN_STAMPED else ():
        part.candidates[0] = part.candidates[0]._replace(start=end)


def _stamp_end(text: str, part: BlockPart) -> int:
    """Return the end of the stamp at the part's start, 0 without one or if the sentence goes on after it."""
    start, end = part.block.start, part.candidates[0].end
    stamp = _STAMP.match(text, start, end) if part.candidates[0].start == start else None
    return stamp.end() if stamp is not None and not stamp["first"].islower() else 0


def _drop_about_publisher(text: str, parts: Sequence[BlockPart]) -> None:
    """Remove, in place, what a company says of itself under "About NAME" after its news."""
    has_news = is_about = False
    for (part, is_title), (following, _) in pairwise([(part, not part.candidates) for part in parts]):
        if is_title:
            is_about = has_news and _announces_publisher(text, part.block, following.block)
        has_news = has_news or not is_title
        if is_about:
            following.candidates = []


def _announces_publisher(text: str, heading: Block, following: Block) -> bool:
    is_short = heading.end - heading.start <= MAX_LINK_TITLE_CHARACTERS
    return is_short and is_about_publisher(
        text[heading.start : heading.end],
        text[following.start : following.start + MAX_LINK_TITLE_CHARACTERS],
    )


def _announces_links(text: str, block: Block) -> bool:
    is_short = block.end - block.start <= MAX_LINK_TITLE_CHARACTERS
    return is_short and leads_elsewhere(text[block.start : block.end])


def _is_link(text: str, block: Block) -> bool:
    """Return whether the block looks like a link: a list item, or a short line without a final mark."""
    if block.kind is BlockKind.ITEM:
        return True
    is_short = block.end - block.start <= MAX_LINK_TITLE_CHARACTERS
    return is_short and not _FINAL.search(text, block.start, block.end)


def _is_introduced_as_links(text: str, block: Block) -> bool:
    span = block.introduction
    return (
        span is not None
        and span.end - span.start <= MAX_LINK_TITLE_CHARACTERS
        and leads_elsewhere(text[span.start : span.end])
    )


def _without_furniture(text: str, block: Block, candidates: list[Candidate]) -> list[Candidate]:
    """Return the candidates of one block without furniture and the sentences beside it that go on with it."""
    suspects = [n for n, one in enumerate(candidates) if may_be_furniture(text[one.start : one.end])]
    if not suspects:
        return candidates
    unquoted = outside_quotations(text[block.start : block.end])
    spoken = [unquoted[one.start - block.start : one.end - block.start] for one in candidates]
    furniture = {
        n
        for n in suspects
        if is_furniture_outside_quotations(text[candidates[n].start : candidates[n].end], spoken[n])
    }
    for step in (1, -1):
        for n in sorted(furniture, reverse=step < 0):
            beside = n + step
            if 0 <= beside < len(candidates) and beside not in furniture and _goes_on(spoken[beside]):
                furniture.add(beside)
    return [one for n, one in enumerate(candidates) if n not in furniture]


def _goes_on(sentence: str) -> bool:
    return len(sentence) <= MAX_NEIGHBOUR_CHARACTERS and addresses_reader(sentence)


def _drop_cut_sentences(text: str, parts: Sequence[BlockPart]) -> None:
    """Remove the last sentence of a block that ends in the publisher's ellipsis, in place.

    An ellipsis in brackets always is the publisher's; another one is if it ends a short text or most blocks.
    """
    cut = [part for part in parts if (_cut_by(text, part.candidates[-1])) is not None]
    are_teasers = len(cut) > 1 and 2 * len(cut) > len(parts)
    for part in cut:
        mark = _cut_by(text, part.candidates[-1])
        ends_teaser = part is parts[-1] and len(text) <= MAX_TEASER_CHARACTERS
        if are_teasers or ends_teaser or (mark is not None and mark["bracketed"]):
            part.candidates = part.candidates[:-1]


def _cut_by(text: str, candidate: Candidate) -> re.Match[str] | None:
    """Return the ellipsis at the candidate's end."""
    start = max(candidate.start, candidate.end - 9)
    return next(
        (mark for mark in _ELLIPSIS.finditer(text, start, candidate.end) if mark.end() == candidate.end), None
    )
