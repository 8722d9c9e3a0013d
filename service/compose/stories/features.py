"""Grouping features: what is compared of two articles to find stories (pure).

News starts with what happened: title and opening distinguish events better than the whole text does.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from service.compose.stories.identifiers import Identifier, identifiers_of
from service.compose.stories.names import Names, names_of
from service.compose.stories.words import (
    ArticleWord,
    days_of,
    months_of,
    plain_terms,
    terms_of,
    without_dates,
    words_of,
)
from service.core.languages import primary_language
from service.core.model import Article, BlockKind

OPENING_CHARACTERS = 800  # compared of the text
MAX_TITLE_CHARACTERS = 300
TITLE_WEIGHT = 2  # a word of the title counts twice
UNTITLED_TERMS = 12  # that stand for the title of an article without one
DAY_SEARCH_WORDS = 65  # the day of an event is named early

_SCORE = re.compile(r"(?<![\d.,:/–-])(\d{1,3})\s?(?:[-–]\s?(\d{1,3})|:(\d))(?![\d.,:/–-])")
_STRONG_DIVISION = re.compile(r"[:：|·•—(]| [-–] ")
_DIVISION = re.compile(r"[:：|·•—(]| [-–] |,\s|[，、]")
_NUMBER = re.compile(r"(?<![\w.,])(?!(?:19|20)\d\d\b)\d[\d.,]*\d(?!\w)")


@dataclass(frozen=True, slots=True)
class GroupingFeatures:
    """The features of an article.

    `terms` maps stems to weighted counts, without the dates of the title. `title` are the terms of the title,
    or the first terms of an article without a title,
    `labels` its first and its last part if marks divide it, as in "Obituary: Lena Marsh".
    `numbers` have two digits or more and are no years, `scores` are results such as 2-1. `day` is the first
    weekday named (Monday is 0). `series` is the title without days and numbers, "" if it names no day.
    """

    language: str
    publisher: str
    moment: datetime
    terms: Mapping[str, int]
    title: tuple[str, ...]
    labels: frozenset[str]
    names: Names
    identifiers: frozenset[Identifier]
    numbers: frozenset[str]
    scores: frozenset[str]
    day: int | None
    series: str


def grouping_features(article: Article) -> GroupingFeatures:
    """Return the features of an article."""
    language = primary_language(article.language)
    title, opening = article.title[:MAX_TITLE_CHARACTERS], _opening(article)
    title_words, opening_words = words_of(title), words_of(opening)
    undated_title, undated_opening = (
        without_dates(words, language) for words in (title_words, opening_words)
    )
    title_terms = tuple(_terms(undated_title))
    terms: Counter[str] = Counter()
    for term in title_terms:
        terms[term] += TITLE_WEIGHT
    terms.update(_terms(opening_words))
    names = names_of(undated_title, undated_opening, language)
    return GroupingFeatures(
        language=language,
        publisher=article.publisher or article.feed_id,
        moment=article.effective_published_at,
        terms=terms,
        title=title_terms or tuple(_terms(opening_words))[:UNTITLED_TERMS],
        labels=_labels(title),
        names=names,
        identifiers=identifiers_of(title, names.certain),
        numbers=frozenset(_NUMBER.findall(f"{title} {opening}")),
        scores=frozenset(_scores(f"{title}. {opening}")),
        day=_day(language, opening_words),
        series=_series(language, title_words),
    )


def compared_terms(article: Article) -> frozenset[str]:
    """Return the `terms` of the article's features, without their counts and without all the rest."""
    title = words_of(article.title[:MAX_TITLE_CHARACTERS])
    undated = without_dates(title, primary_language(article.language))
    return frozenset((*_terms(undated), *plain_terms(_opening(article))))


def _opening(article: Article) -> str:
    """Return the opening of the text: the blocks that are no headings and stand in this article only."""
    if not article.blocks:
        return article.text[:OPENING_CHARACTERS]
    parts, size = [], 0
    for block in article.blocks:
        if size >= OPENING_CHARACTERS:
            break
        if block.kind is not BlockKind.HEADING and not block.repeated:
            end = min(block.end, block.start + OPENING_CHARACTERS - size)
            parts.append(article.text[block.start : end])
            size += end - block.start + 1
    return "\n".join(parts) or article.text[:OPENING_CHARACTERS]


def _labels(title: str) -> frozenset[str]:
    """Return the first part of a divided title, and the last behind a mark stronger than a comma."""
    first, *rest = _DIVISION.split(title, maxsplit=1)
    parts = {first} if rest else set()
    if rest:
        _, *ends = _STRONG_DIVISION.split(title)
        parts.update(ends[-1:])
    return frozenset(part.strip(" )]").lower() for part in parts) - {""}


def _terms(words: list[ArticleWord]) -> Iterator[str]:
    for word in words:
        yield from terms_of(word)


def _scores(text: str) -> Iterator[str]:
    for first, second, third in _SCORE.findall(text):
        yield f"{first}-{second or third}"


def _day(language: str, words: list[ArticleWord]) -> int | None:
    days = days_of(language)
    return next((days[word.stem] for word in words[:DAY_SEARCH_WORDS] if word.stem in days), None)


def _series(language: str, title: list[ArticleWord]) -> str:
    """Return the constant part of a daily title such as "Police log: Monday, 2 March"."""
    dated = days_of(language).keys() | months_of(language).keys()
    stems = list(_terms(title))
    kept = [term for term in stems if term not in dated and not term.isdecimal()]
    return " ".join(kept) if dated & set(stems) else ""
