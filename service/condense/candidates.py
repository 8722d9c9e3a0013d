"""Candidates: the sentences of a text that may become key points, or the reason why it has none (pure)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import chain, islice

from service.core.errors import SummaryRefused
from service.core.model import Block, BlockKind, KeyPoint, Summary
from service.text.sentences import Sentence, iter_sentences, sentences_of_block

MAX_TEXT_CHARACTERS = 6_000_000  # a larger text is refused
MAX_CHARACTERS_READ = 400_000  # no news article is longer; a hostile text may be
MAX_SENTENCES_TRIED = 20_000  # until one is found that can be shown
MAX_POINT_CHARACTERS = 900  # a longer "sentence" is a list or a table and does not fit in a mail
_LETTER = re.compile(r"[^\W\d_]")


def candidate_sentences(text: str, blocks: Sequence[Block], language: str, limit: int) -> list[Sentence]:
    """Return the first `limit` different sentences, at least one, that have words and are short enough.

    Headings have none. Without blocks, the text is read as plain text.

    Raises SummaryRefused for a text that is empty, too large or without such a sentence.
    """
    if len(text) > MAX_TEXT_CHARACTERS:
        raise SummaryRefused(
            f"the text has {len(text):,} characters; at most {MAX_TEXT_CHARACTERS:,} are condensed"
        )
    if not text.strip():
        raise SummaryRefused("the text is empty")
    candidates: dict[str, Sentence] = {}
    sentence = None
    for sentence in _sentences_read(text, blocks, language):
        if sentence.end - sentence.start <= MAX_POINT_CHARACTERS and _LETTER.search(text, *sentence):
            candidates.setdefault(text[slice(*sentence)], sentence)
            if len(candidates) >= limit:
                break
    if sentence is None:
        raise SummaryRefused("there is no sentence in the text, only headings or single words")
    if not candidates:
        raise SummaryRefused(
            f"no sentence of the text has words and at most {MAX_POINT_CHARACTERS} characters"
        )
    return list(candidates.values())


def _sentences_read(text: str, blocks: Sequence[Block], language: str) -> Iterator[Sentence]:
    """Yield the sentences of the first MAX_CHARACTERS_READ characters, without one that is cut off there."""
    read = text[:MAX_CHARACTERS_READ]
    found = (
        chain.from_iterable(
            sentences_of_block(read, block, language)
            for block in blocks
            if block.end <= len(read) and block.kind is not BlockKind.HEADING
        )
        if blocks
        else iter_sentences(read, language)
    )
    for sentence in islice(found, MAX_SENTENCES_TRIED):
        if sentence.end < len(read) or len(read) == len(text):
            yield sentence


def build_summary(method: str, text: str, ranked: Sequence[Sentence]) -> Summary:
    """Return the summary of sentences given in order of weight; its key points are in the text's order."""
    rank = {sentence: place for place, sentence in enumerate(ranked)}
    return Summary(
        method,
        tuple(KeyPoint.from_source(text, *sentence, rank=rank[sentence]) for sentence in sorted(ranked)),
    )
