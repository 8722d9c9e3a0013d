"""Identifiers: numbers in a title that say which one of a kind it is about (pure).

Two episodes, versions, advisories, quakes or years of life differ in such a number. A number that counts
people or money does not identify an event: it grows with the reports.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from itertools import pairwise
from typing import NamedTuple

from service.compose.stories.words import ArticleWord, number_labels, words_of
from service.text.scripts import HANGUL, UNSPACED

AGE, YEARS, VERSION = "age", "years", "version"
MAX_AGE = 119
VERSION_DOTS = 2  # a number with two dots is a version
MAX_PRODUCT_TOKENS = 3  # of a title that is a name and a number, "quillbase 4.2 released"

_LABELLED = re.compile(rf"#|(?:(?![{UNSPACED}{HANGUL}])[^\W\d_]){{1,12}}[-–]?(?=\d)")
_ORDINAL = re.compile(rf"[第제](\d{{1,6}})([{UNSPACED}{HANGUL}])")  # 第41回, 제41회
_NUMBER = re.compile(r"\d+(?:[.,:/–-]\d+)*")
_YEARS = re.compile(r"\d{4}[-–]\d{4}")
_ALONE_BETWEEN_MARKS = re.compile(r"(?<!\d)[,(（]\s?(\d{1,3})\s?[,)）](?!\d)")
_YEAR = re.compile(r"(?:19|20)\d\d")
_DIVIDING = (":", ",", ";", "-", "–")
_MARKS = "\"'“”‘’«»()[]{},;:!?.…"


class Identifier(NamedTuple):
    """A number and what it numbers: (episod, 41), (cve, 2026-40117), (m, 4.8)."""

    label: str
    number: str


def identifiers_of(title: str, names: AbstractSet[str]) -> frozenset[Identifier]:
    """Return the identifiers in a title; `names` are the stems of the article's certain names."""
    found = set(_in_tokens(title, names))
    found.update(
        Identifier(AGE, number)
        for number in _ALONE_BETWEEN_MARKS.findall(title)
        if 0 < int(number) <= MAX_AGE
    )
    found.update(Identifier(unit, number) for number, unit in _ORDINAL.findall(title))
    return frozenset(found)


def conflict(one: AbstractSet[Identifier], other: AbstractSet[Identifier]) -> bool:
    """Return whether the two have a label in common, and different numbers for it."""
    labels = {identifier.label for identifier in one} & {identifier.label for identifier in other}
    return any(
        {i for i in one if i.label == label}.isdisjoint(i for i in other if i.label == label)
        for label in labels
    )


def _in_tokens(title: str, names: AbstractSet[str]) -> Iterator[Identifier]:
    """Yield the identifiers that are one token, such as CVE-2026-40117, or a label and a number."""
    tokens = title.split()
    for token, after in pairwise((*tokens, "")):
        bare = token.strip(_MARKS)
        label = _LABELLED.match(bare)
        if label is not None and _NUMBER.match(bare, label.end()):
            yield Identifier(label[0].rstrip("-–").lower(), bare[label.end() :].lower())
        elif _YEARS.fullmatch(bare):
            yield Identifier(YEARS, bare.replace("–", "-"))
        elif bare.count(".") >= VERSION_DOTS and _NUMBER.fullmatch(bare):
            yield Identifier(VERSION, bare)
        number = after.strip(_MARKS)
        if _NUMBER.fullmatch(number) and not _YEAR.fullmatch(number) and not token.endswith(_DIVIDING):
            words = words_of(token)
            is_product = token is tokens[0] and len(tokens) <= MAX_PRODUCT_TOKENS
            if words and (is_product or _is_label(words[-1], names, is_alone=len(words) == 1)):
                yield Identifier(words[-1].stem, number.replace(",", "."))


def _is_label(word: ArticleWord, names: AbstractSet[str], *, is_alone: bool) -> bool:
    """Return whether a number after the word says which one is meant, as in M 4.8 or Episode 41."""
    if len(word.text) == 1:
        return is_alone and word.text.isupper()
    return word.stem in number_labels() or word.stem in names
