"""Grouping features: what is compared of two articles to find stories (pure).

News starts with what happened: title and opening distinguish events better than the whole text does.
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path

from service.core.model import Article
from service.text.languages import primary_language
from service.text.scripts import HANGUL, UNSPACED, bigrams
from service.text.stems import ARTICLE_STEM_CHARACTERS, stem

OPENING_CHARACTERS = 800  # compared of the text
MAX_TITLE_CHARACTERS = 300
TITLE_WEIGHT = 2  # a word of the title counts twice
DAY_SEARCH_CHARACTERS = 400  # the day of an event is named early

_UNSPACED = UNSPACED + HANGUL  # Korean has spaces, but joins particles to its words
_WORD = re.compile(
    rf"[{_UNSPACED}]+|[^\s{_UNSPACED}!-/:-@\[-`{{-~\u00a1-\u00bf\u060c\u061b\u061f\u0964\u0965\u2000-\u206f\u3000-\u303f\uff00-\uff20]+"
)
_UNSPACED_CHARACTER = re.compile(f"[{_UNSPACED}]")
_SCORE = re.compile(r"(?<![\d.,:/–-])(\d{1,3})\s?(?:[-–]\s?(\d{1,3})|:(\d))(?![\d.,:/–-])")
_NUMBER = re.compile(r"(?<![\w.,])(?!(?:19|20)\d\d\b)\d[\d.,]*\d(?!\w)")
_ENDS = ".!?:;—–。！？।"


@dataclass(frozen=True, slots=True)
class GroupingFeatures:
    """The features of an article.

    `terms` maps stems to weighted counts. `names` are stems of words with a capital inside a sentence,
    `numbers` have two digits or more and are no years, `scores` are results such as 2-1. `day` is the first
    weekday named (Monday is 0). `series` is the title without days and numbers, "" if it names no day.
    """

    language: str
    publisher: str
    moment: datetime
    terms: Mapping[str, int]
    names: frozenset[str]
    numbers: frozenset[str]
    scores: frozenset[str]
    day: int | None
    series: str


def grouping_features(article: Article) -> GroupingFeatures:
    """Return the features of an article."""
    language = primary_language(article.language)
    title, opening = article.title[:MAX_TITLE_CHARACTERS], article.text[:OPENING_CHARACTERS]
    terms: Counter[str] = Counter()
    for term in _stems(title):
        terms[term] += TITLE_WEIGHT
    terms.update(_stems(opening))
    return GroupingFeatures(
        language=language,
        publisher=article.publisher,
        moment=article.effective_published_at,
        terms=terms,
        names=frozenset(_names(title, opening)) - _days(language).keys() - _months(language),
        numbers=frozenset(_NUMBER.findall(f"{title} {opening}")),
        scores=frozenset(_scores(f"{title}. {opening}")),
        day=_day(language, opening[:DAY_SEARCH_CHARACTERS]),
        series=_series(language, title),
    )


@cache
def common_stems(language: str) -> frozenset[str]:
    """Return the stems of the common words of a language."""
    return frozenset(_stems(_tables().get(language, {}).get("common", "")))


@cache
def _tables() -> dict[str, dict[str, str]]:
    return tomllib.loads(Path(__file__).with_name("common_words.toml").read_text(encoding="utf-8"))


@cache
def _days(language: str) -> Mapping[str, int]:
    """Return stem -> number of the weekday, Monday is 0."""
    days = str(_tables().get(language, {}).get("days", "")).split()
    return {_stem(form): number for number, forms in enumerate(days) for form in forms.split("/")}


@cache
def _months(language: str) -> frozenset[str]:
    return frozenset(_stems(str(_tables().get(language, {}).get("months", ""))))


def _stem(word: str) -> str:
    return stem(word, ARTICLE_STEM_CHARACTERS)


def _stems(text: str) -> Iterator[str]:
    """Yield the stems of the text's words, and the bigrams of unspaced scripts."""
    for word in _WORD.findall(text):
        if not word.isascii() and _UNSPACED_CHARACTER.match(word):
            yield from bigrams(word)
        elif len(word) > 1:
            yield _stem(word)


def _names(title: str, opening: str) -> Iterator[str]:
    """Yield the stems of words with a capital inside a sentence.

    A title counts only if it is written like a sentence, not With Capitals Throughout.
    """
    words = _WORD.findall(title)
    small = sum(word[0].islower() for word in words)
    for text in (title, opening) if small * 2 >= len(words) else (opening,):
        begins = True
        for token in text.split():
            for number, word in enumerate(_WORD.findall(token)):
                if word[0].isupper() and len(word) > 1 and (number or not begins):
                    yield _stem(word)
            begins = token.rstrip("\"'”’»)]")[-1:] in _ENDS


def _scores(text: str) -> Iterator[str]:
    for first, second, third in _SCORE.findall(text):
        yield f"{first}-{second or third}"


def _day(language: str, opening: str) -> int | None:
    days = _days(language)
    return next((days[term] for term in _stems(opening) if term in days), None)


def _series(language: str, title: str) -> str:
    """Return the constant part of a daily title such as "Police log: Monday, 2 March"."""
    dated = _days(language).keys() | _months(language)
    stems = list(_stems(title))
    kept = [term for term in stems if term not in dated and not term.isdecimal()]
    return " ".join(kept) if dated & set(stems) else ""
