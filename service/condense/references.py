"""References: what each candidate leans on, and how it can be shown so that it is understood (pure)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from service.condense.block_reading import Candidate
from service.core.model import TextSpan
from service.text.references.datelines import dateline_end
from service.text.references.mentions import NOTHING, Leaning, SentenceReader, lead_stems, token_start
from service.text.references.words import PRONOUN, ReferenceWords, TokenClass, reference_words

MAX_GAP_CHARACTERS = 60  # between a candidate and the one before it; more is a part that is no candidate
_UNSEEN_PART = re.compile(r"[^\W_]")


class Reference(NamedTuple):
    """How a candidate that leans on what stands before it can be shown.

    `antecedent` is the place of the candidate just before it in the text, which makes it clear when it stands
    directly above; -1 without one. `hint` is the part of the text that names what its pronoun means; None if
    that is not sure. `trimmed_start` is where it starts without its dateline, and without its connective if
    nothing else in it leans on anything; else it is the candidate's start.
    """

    antecedent: int
    hint: TextSpan | None
    trimmed_start: int


def find_references(text: str, candidates: Sequence[Candidate], language: str) -> list[Reference | None]:
    """Return the reference of each candidate of a text, in its order; None for one that stands alone.

    In a language without reference words, only datelines are found.
    """
    words = reference_words(language)
    reader = _reader(text, candidates, words) if words is not None else None
    found: list[Reference | None] = []
    for place, candidate in enumerate(candidates):
        start = dateline_end(text, candidate.start, candidate.end, is_first=place == 0)
        leaning = NOTHING
        if reader is not None and words is not None and candidate.introduction is None:
            leaning = _leaning(text, candidate, start, reader)
        if not leaning.leans:
            found.append(Reference(-1, None, start) if start > candidate.start else None)
            continue
        cut = start
        if leaning.only_link:
            cut = token_start(text, start, candidate.end, leaning.link_end)
        antecedent = _antecedent(text, candidates, place, leaning, words) if words is not None else -1
        found.append(Reference(antecedent, None, cut if leaning.only_link else candidate.start))
    return found


def _reader(text: str, candidates: Sequence[Candidate], words: ReferenceWords) -> SentenceReader:
    first = text[candidates[0].start : candidates[0].end].split() if candidates else []
    return SentenceReader(text, words, lead_stems(first, words))


def _leaning(text: str, candidate: Candidate, start: int, reader: SentenceReader) -> Leaning:
    leaning = reader.read(text[start : candidate.end].split())
    return leaning._replace(speaker=True) if candidate.quoted else leaning


def _antecedent(
    text: str, candidates: Sequence[Candidate], place: int, leaning: Leaning, words: ReferenceWords
) -> int:
    """Return the place of the candidate before, -1 if it is not just before or does not name the person."""
    if place == 0:
        return -1
    before, candidate = candidates[place - 1], candidates[place]
    gap = text[before.end : candidate.start]
    if before.end > candidate.start or len(gap) > MAX_GAP_CHARACTERS or _UNSEEN_PART.search(gap):
        return -1
    if not before.shown:
        return -1
    if leaning.pronoun >= 0:
        pronoun = words[text[candidate.start : candidate.end].split()[leaning.pronoun]] & PRONOUN
        if not pronoun & (TokenClass.IT | TokenClass.THEY) and not _names_person(text, before, words):
            return -1
    return place - 1


def _names_person(text: str, candidate: Candidate, words: ReferenceWords) -> bool:
    """Return whether a candidate has a name, a noun for a person or a personal pronoun."""
    person = TokenClass.PERSON | TokenClass.TITLE | TokenClass.HE | TokenClass.SHE
    codes = [words[token] for token in text[candidate.start : candidate.end].split()]
    return any(
        code & person
        or (code & TokenClass.NAME and place and not code & (TokenClass.GROUP | TokenClass.TIME))
        for place, code in enumerate(codes)
    )
