"""Words of an article's title and opening, with what is known of their places (pure)."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

from service.text.scripts import HANGUL, UNSPACED, bigrams
from service.text.stems import ARTICLE_STEM_CHARACTERS, fold_spelling, stem

MAX_DAY_DIGITS, YEAR_DIGITS = 2, 4  # of the numbers beside a month

_UNSPACED = UNSPACED + HANGUL  # Korean has spaces, but joins particles to its words
_WORD = re.compile(
    rf"[{_UNSPACED}]+|[^\s{_UNSPACED}!-/:-@\[-`{{-~\u00a1-\u00bf\u060c\u061b\u061f\u0964\u0965\u2000-\u206f\u3000-\u303f\uff00-\uff20]+"
)
_UNSPACED_CHARACTER = re.compile(f"[{_UNSPACED}]")
_ENDS = ".!?:;—–。！？।|"
_CLOSING = "\"'”’»)]"


class ArticleWord(NamedTuple):
    """A word of a text.

    `begins` says that it is the first of a sentence, `apart` that a mark stands between it and the word
    before.
    """

    text: str
    stem: str
    begins: bool
    apart: bool

    @property
    def is_capital(self) -> bool:
        """Return whether the word has a capital, and is more than that."""
        return self.text[0].isupper() and len(self.text) > 1


def words_of(text: str) -> list[ArticleWord]:
    """Return the words of a text. Each line begins a sentence."""
    words = []
    for line in text.split("\n"):
        begins = apart = True
        for token in line.split():
            for number, found in enumerate(_WORD.findall(token)):
                first = number == 0
                own_mark = not token.startswith(found) if first else True
                words.append(ArticleWord(found, stem_of(found), begins and first, apart or own_mark))
                apart = False
            begins = token.rstrip(_CLOSING)[-1:] in _ENDS
            apart = apart or not token[-1].isalnum()
    return words


def stem_of(word: str) -> str:
    """Return the stem of a word."""
    return stem(fold_spelling(word.lower()), ARTICLE_STEM_CHARACTERS)


def terms_of(word: ArticleWord) -> list[str]:
    """Return the terms that are compared of a word: its stem, or the bigrams of an unspaced script."""
    if not word.text.isascii() and _UNSPACED_CHARACTER.match(word.text):
        return bigrams(word.text)
    return [word.stem] if len(word.text) > 1 else []


def without_dates(words: list[ArticleWord], language: str) -> list[ArticleWord]:
    """Return the words that are no part of a date: no days, no months, and no numbers beside a month."""
    days, months = days_of(language), months_of(language)
    if not any(word.stem in days or word.stem in months for word in words):
        return words
    is_month = [word.stem in months and word.text[0].isupper() == months[word.stem] for word in words]
    return [
        word
        for place, word in enumerate(words)
        if not (
            word.stem in days
            or is_month[place]
            or (_is_part_of_date(word.text) and any(is_month[max(place - 2, 0) : place + 3]))
        )
    ]


def is_date_term(term: str, language: str) -> bool:
    """Return whether the term is a day, a month, a year or the number of a day."""
    return term in days_of(language) or term in months_of(language) or _is_part_of_date(term)


def _is_part_of_date(word: str) -> bool:
    return word.isdecimal() and (len(word) <= MAX_DAY_DIGITS or len(word) == YEAR_DIGITS)


def plain_terms(text: str) -> Iterator[str]:
    """Yield the terms of a text, those of each word once."""
    for word in dict.fromkeys(_WORD.findall(text)):
        yield from terms_of(ArticleWord(word, stem_of(word), begins=False, apart=False))


@cache
def common_stems(language: str) -> frozenset[str]:
    """Return the stems of the common words of a language."""
    return frozenset(plain_terms(_table(language).get("common", "")))


@cache
def days_of(language: str) -> Mapping[str, int]:
    """Return stem -> number of the weekday, Monday is 0."""
    days = _table(language).get("days", "").split()
    return {stem_of(form): number for number, forms in enumerate(days) for form in forms.split("/")}


@cache
def months_of(language: str) -> Mapping[str, bool]:
    """Return stem -> whether the language writes the month with a capital."""
    return {stem_of(month): month[0].isupper() for month in _table(language).get("months", "").split()}


@cache
def words_before_names(language: str) -> frozenset[str]:
    """Return the stems of words before names in a language where every noun has a capital, else none."""
    return frozenset(stem_of(word) for word in _table(language).get("before_names", "").split())


@cache
def number_labels() -> frozenset[str]:
    """Return the stems of words that stand before an identifying number, in any language."""
    return frozenset(stem_of(word) for word in _table("labels").get("words", "").split())


def _table(language: str) -> Mapping[str, str]:
    return _tables().get(language, {})


@cache
def _tables() -> dict[str, dict[str, str]]:
    return tomllib.loads(Path(__file__).with_name("common_words.toml").read_text(encoding="utf-8"))
