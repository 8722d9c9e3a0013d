"""Names in an article: words with a capital that no rule of writing demands (pure)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from service.compose.stories.words import ArticleWord, common_stems, words_before_names

MAX_GROUP_WORDS = 5  # of one name; longer runs of capitals are headings


class Names(NamedTuple):
    """The names of an article, as stems.

    `certain` have a capital inside a sentence, or twice and never in lower case. `possible` have it at the
    start of a sentence or in a Title With Capitals, and are nowhere in lower case. `groups` are the runs of
    adjacent names, such as (mira, voss).
    """

    certain: frozenset[str]
    possible: frozenset[str]
    groups: frozenset[tuple[str, ...]]


def names_of(title: Sequence[ArticleWord], opening: Sequence[ArticleWord], language: str) -> Names:
    """Return the names of a title and an opening."""
    common, before = common_stems(language), words_before_names(language)
    certain: set[str] = set()
    possible: set[str] = set()
    groups: set[tuple[str, ...]] = set()
    nouns: set[str] = set()
    small = {word.stem for words in (title, opening) for word in words if word.text[0].islower()}
    for words in (title, opening):
        is_sentence = words is opening or _is_sentence(title)
        last: ArticleWord | None = None
        for word in words:
            if word.is_capital and is_sentence and not word.begins:
                (nouns if before and last and _is_noun(word, last, before, common) else certain).add(
                    word.stem
                )
            elif word.is_capital and word.stem not in common and word.stem not in small:
                (certain if word.stem in possible else possible).add(word.stem)
            last = word
        if is_sentence:
            groups.update(_groups(words, common))
    certain -= nouns
    return Names(frozenset(certain), frozenset(possible - certain - nouns), frozenset(groups))


def _is_noun(word: ArticleWord, last: ArticleWord, before: frozenset[str], common: frozenset[str]) -> bool:
    """Return whether a word with a capital follows an article or an adjective, as names rarely do."""
    is_small = last.text[0].islower() or (last.begins and last.stem in common)
    return is_small and not word.apart and last.stem not in before


def _is_sentence(title: Sequence[ArticleWord]) -> bool:
    """Return whether a title is written like a sentence, not With Capitals Throughout."""
    return sum(word.text[0].islower() for word in title) * 2 >= len(title)


def _groups(words: Sequence[ArticleWord], common: frozenset[str]) -> Iterator[tuple[str, ...]]:
    """Yield the runs of words with a capital and no mark between them."""
    run: list[str] = []
    for word in words:
        if run and (word.apart or not word.is_capital):
            yield tuple(run[:MAX_GROUP_WORDS])
            run = []
        if word.is_capital and not (word.begins and word.stem in common):
            run.append(word.stem)
    if run:
        yield tuple(run[:MAX_GROUP_WORDS])
