"""Readable: the sentences of a text that may become key points, or the reason why there are none (pure)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from service.condense.sentences import Sentence, split_sentences
from service.core.errors import SummaryRefused
from service.core.model import KeyPoint, Summary

MOST_CHARACTERS = 6_000_000
LONGEST_POINT = 900
"""A "sentence" of more characters than this is a list or a table; it would not be shown whole in a mail."""
_LETTER = re.compile(r"[^\W\d_]")


def readable(text: str, language: str) -> list[Sentence]:
    """Return the sentences that can be shown, at least one: with words, short enough, each once.

    Raises SummaryRefused for a text that is empty, has no such sentence or is too large.
    """
    if len(text) > MOST_CHARACTERS:
        raise SummaryRefused(
            f"the text has {len(text):,} characters; at most {MOST_CHARACTERS:,} are condensed"
        )
    if not text.strip():
        raise SummaryRefused("the text is empty")
    sentences = split_sentences(text, language)
    if not sentences:
        raise SummaryRefused("there is no sentence in the text, only headings or single words")
    fit: dict[str, Sentence] = {}
    for sentence in sentences:
        if sentence.end - sentence.start <= LONGEST_POINT and _LETTER.search(text, *sentence):
            fit.setdefault(text[slice(*sentence)], sentence)
    if not fit:
        raise SummaryRefused(f"no sentence of the text has words and at most {LONGEST_POINT} characters")
    return list(fit.values())


def summary_of(method: str, text: str, ranked: Sequence[Sentence]) -> Summary:
    """Return the summary of these sentences, given weightiest first, told in the order of the text."""
    rank = {sentence: place for place, sentence in enumerate(ranked)}
    return Summary(
        method, tuple(KeyPoint.cut(text, *sentence, rank=rank[sentence]) for sentence in sorted(ranked))
    )
