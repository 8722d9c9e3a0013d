"""Candidates: the parts of a text that may become key points, or the reason why it has none (pure)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice
from operator import itemgetter

from service.condense.block_reading import Candidate, read_parts
from service.condense.dialogue import read_dialogue
from service.condense.furniture import drop_furniture
from service.condense.headline import repeats_headline
from service.core.errors import SummaryRefused
from service.core.model import Block, KeyPoint, Role, Summary
from service.text.lexicon import lexicon_for
from service.text.questions import is_question
from service.text.scripts import UNSPACED

MAX_TEXT_CHARACTERS = 6_000_000  # a larger text is refused
MAX_CHARACTERS_READ = 400_000  # no news article is longer; a hostile text may be
MAX_CANDIDATES_TRIED = 20_000  # until one is found that can be shown
MAX_POINT_CHARACTERS = 900  # a longer "sentence" is a list or a table and does not fit in a mail
MAX_TITLE_CHARACTERS = 1_000
_LETTER = re.compile(r"[^\W\d_]")
_SEVERAL_WORDS = re.compile(rf"[\s{UNSPACED}]")


def read_candidates(text: str, blocks: Sequence[Block], language: str, limit: int) -> list[Candidate]:
    """Return the first `limit` different candidates of a text, with several words and not too long.

    At least one of them may be shown. `blocks` are those of the text; without any, it is read as plain text.
    Raises SummaryRefused for a text that is empty, too large or without a candidate to show.
    """
    if len(text) > MAX_TEXT_CHARACTERS:
        raise SummaryRefused(
            f"the text has {len(text):,} characters; at most {MAX_TEXT_CHARACTERS:,} are condensed"
        )
    if not text.strip():
        raise SummaryRefused("the text is empty")
    found: dict[str, Candidate] = {}
    candidate = None
    for candidate in islice(_candidates_read(text, blocks, language), MAX_CANDIDATES_TRIED):
        start, end = candidate[:2]
        if end - start <= MAX_POINT_CHARACTERS and _has_words(text, start, end):
            found.setdefault(text[start:end], candidate)
            if len(found) >= limit:
                break
    if candidate is None:
        raise SummaryRefused(
            "there is no sentence in the text, only headings, single words, credits or adverts"
        )
    if not found:
        raise SummaryRefused(
            f"no sentence of the text has words and at most {MAX_POINT_CHARACTERS} characters"
        )
    return _with_some_shown(text, list(found.values()))


def _has_words(text: str, start: int, end: int) -> bool:
    """Return whether a part of the text has a letter and several words."""
    has_letter = text[start].isalpha() or _LETTER.search(text, start, end)
    return bool(has_letter) and (
        text.find(" ", start, end) >= 0 or _SEVERAL_WORDS.search(text, start, end) is not None
    )


def _with_some_shown(text: str, candidates: list[Candidate]) -> list[Candidate]:
    """Return the candidates; if all are parts of quotations, they are better than nothing."""
    if not any(one.shown for one in candidates):
        candidates = [one._replace(shown=not is_question(text, one.start, one.end)) for one in candidates]
    if not any(one.shown for one in candidates):
        raise SummaryRefused("the text has only questions")
    return candidates


def shown_candidates(
    text: str, blocks: Sequence[Block], title: str, language: str, limit: int
) -> list[Candidate]:
    """Return the candidates that may be shown and do not repeat the headline, for a method without scores.

    Raises SummaryRefused as `read_candidates` does.
    """
    lexicon, title = lexicon_for(language), title[:MAX_TITLE_CHARACTERS]
    shown = [
        one
        for one in read_candidates(text, blocks, language, limit)
        if one.shown and not (title and repeats_headline(text[one.start : one.end], title, lexicon))
    ]
    return [one for one in shown if not one.damaged] or shown


def _candidates_read(text: str, blocks: Sequence[Block], language: str) -> Iterator[Candidate]:
    """Yield the candidates of the first MAX_CHARACTERS_READ characters, without one that is cut off there."""
    read = text[:MAX_CHARACTERS_READ]
    parts = read_parts(read, [block for block in blocks if block.end <= len(read)], language)
    drop_furniture(read, parts)
    read_dialogue(read, parts)
    for part in parts:
        for candidate in part.candidates:
            if candidate.end < len(read) or len(read) == len(text):
                yield candidate


def build_summary(method: str, text: str, ranked: Sequence[Candidate]) -> Summary:
    """Return the summary of candidates given in order of weight; its key points are in the text's order."""
    rank = {candidate: place for place, candidate in enumerate(ranked)}
    return Summary(
        method, tuple(key_point(text, one, rank=rank[one]) for one in sorted(ranked, key=itemgetter(0)))
    )


def key_point(
    text: str, candidate: Candidate, role: Role = Role.POINT, qualifies: int | None = None, *, rank: int
) -> KeyPoint:
    """Return the candidate as a key point."""
    start, end, introduction, quoted = candidate[:4]
    return KeyPoint.from_source(
        text, start, end, role, qualifies, rank=rank, introduction=introduction, quoted=quoted
    )
