"""Readable: the sentences of a text that may become key points, or the reason why there are none (pure)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice

from service.core.errors import SummaryRefused
from service.core.model import KeyPoint, Summary
from service.text.sentences import Sentence, iter_sentences

MAX_TEXT_CHARACTERS = 6_000_000
MAX_CHARACTERS_READ = 400_000
"""So many characters of a text are read: no news article is longer, but a hostile text may be."""
MAX_SENTENCES_TRIED = 20_000
"""So many sentences are tried for one that can be shown."""
MAX_POINT_CHARACTERS = 900
"""A "sentence" of more characters than this is a list or a table; it would not be shown whole in a mail."""
_LETTER = re.compile(r"[^\W\d_]")


def candidate_sentences(text: str, language: str, limit: int) -> list[Sentence]:
    """Return the first `most` sentences that can be shown, at least one: with words, short enough, each once.

    Raises SummaryRefused for a text that is empty, has no such sentence or is too large.
    """
    if len(text) > MAX_TEXT_CHARACTERS:
        raise SummaryRefused(
            f"the text has {len(text):,} characters; at most {MAX_TEXT_CHARACTERS:,} are condensed"
        )
    if not text.strip():
        raise SummaryRefused("the text is empty")
    fit: dict[str, Sentence] = {}
    sentence = None
    for sentence in _sentences_read(text, language):
        if sentence.end - sentence.start <= MAX_POINT_CHARACTERS and _LETTER.search(text, *sentence):
            fit.setdefault(text[slice(*sentence)], sentence)
            if len(fit) >= limit:
                break
    if sentence is None:
        raise SummaryRefused("there is no sentence in the text, only headings or single words")
    if not fit:
        raise SummaryRefused(
            f"no sentence of the text has words and at most {MAX_POINT_CHARACTERS} characters"
        )
    return list(fit.values())


def _sentences_read(text: str, language: str) -> Iterator[Sentence]:
    """Yield the sentences of the part of the text that is looked at, none that its end cuts short."""
    begun = text[:MAX_CHARACTERS_READ]
    for sentence in islice(iter_sentences(begun, language), MAX_SENTENCES_TRIED):
        if sentence.end < len(begun) or len(begun) == len(text):
            yield sentence


def build_summary(method: str, text: str, ranked: Sequence[Sentence]) -> Summary:
    """Return the summary of these sentences, given weightiest first, told in the order of the text."""
    rank = {sentence: place for place, sentence in enumerate(ranked)}
    return Summary(
        method,
        tuple(KeyPoint.from_source(text, *sentence, rank=rank[sentence]) for sentence in sorted(ranked)),
    )
