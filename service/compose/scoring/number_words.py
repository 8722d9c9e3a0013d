"""Number words: a headline with its numbers in digits, so that "dozens killed" has a toll (pure).

Only for scores: "dozens" is no figure to show or to compare with another one.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from service.core.languages import same_language

ABOUT: Mapping[str, int] = MappingProxyType(
    {"dozen": 12, "dozens": 24, "scores": 40, "hundred": 100, "hundreds": 300, "thousands": 3_000}
)
"""The number that a vague word counts as."""
NONE = "_"  # stands for a number that a language writes in several words

_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")


class _Numbers(NamedTuple):
    """The numbers of one language by their words in lower case, and what joins two of them."""

    values: Mapping[str, int]
    joint: str


def in_digits(text: str, language: str) -> str:
    """Return the text with digits for the numbers in words; unchanged in a language without a table."""
    numbers = _tables().get(same_language(language))
    if numbers is None:
        return text
    return _WORD.sub(lambda word: _in_digits(word[0], numbers), text)


def _in_digits(word: str, numbers: _Numbers) -> str:
    lower = word.lower()
    value = numbers.values.get(lower)
    if value is None and numbers.joint and numbers.joint in lower:
        parts = [numbers.values.get(part) for part in lower.split(numbers.joint, 1)]
        small, large = min(parts, key=_size), max(parts, key=_size)
        if small and large and small < 10 and 20 <= large < 100:
            value = small + large
    return word if value is None else str(value)


def _size(part: int | None) -> int:
    return part or 0


@cache
def _tables() -> Mapping[str, _Numbers]:
    read = tomllib.loads(Path(__file__).with_name("number_words.toml").read_text(encoding="utf-8"))
    return {language: _Numbers(dict(_values(table)), table["joint"]) for language, table in read.items()}


def _values(table: Mapping[str, str]) -> Iterator[tuple[str, int]]:
    """Yield each word of a language's table with its number."""
    counted = [*enumerate(table["small"].split(), start=2)]
    counted += [(10 * ten, forms) for ten, forms in enumerate(table["tens"].split(), start=3)]
    counted += [(number, table[name]) for name, number in ABOUT.items()]
    for number, forms in counted:
        for form in forms.split("/"):
            if form and form != NONE:
                yield form, number
