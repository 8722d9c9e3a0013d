"""Figures: the numbers and the times of day that a sentence names (pure)."""

from __future__ import annotations

import re
from types import MappingProxyType

MAX_TIME_DIFFERENCE_MINUTES = 15
"""Minutes between two times of day that may be one: "half past three", "about 3:20"."""
_HALF_A_DAY = 12 * 60

_MARK = r"(?:[ap]\.?m\b\.?|uhr\b|h\b)"
_CLOCK = re.compile(
    rf"(?<![\d.,:])(?:(\d\d?):([0-5]\d)(?![\d:]|[.,]\d)(?:\s?{_MARK})?|(\d\d?)(?:\.([0-5]\d))?\s?{_MARK})"
    r"|\b(half past|quarter past|quarter to)\s+(\w+)",
    re.IGNORECASE,
)
_PARTS = MappingProxyType({"half past": 30, "quarter past": 15, "quarter to": -15})
_NUMBER = re.compile(r"\d[\d.,]*")
_YEAR = re.compile(r"(?:19|20)\d\d")
_COUNTED = MappingProxyType(
    {
        word: str(number)
        for language in (
            "one two three four five six seven eight nine ten eleven twelve",
            "eins zwei drei vier fünf sechs sieben acht neun zehn elf zwölf",
            "un deux trois quatre cinq six sept huit neuf dix onze douze",
            "uno dos tres cuatro cinco seis siete ocho nueve diez once doce",
        )
        for number, word in enumerate(language.split(), start=1)
        if number > 1
    }
)
"""Numbers that news writes out. "One" is left out: it is a pronoun as often."""


def extract_times(text: str) -> frozenset[int]:
    """Return the times of day that the text names, in minutes of half a day: 3:20 p.m. and 15:20 are 200."""
    found = set()
    for hours, minutes, hour, minute, part, word in _CLOCK.findall(text):
        said = _COUNTED.get(word.lower(), word) if part else hours or hour
        if said.isdecimal():
            past = _PARTS[part.lower()] if part else int(minutes or minute or 0)
            found.add((int(said) * 60 + past) % _HALF_A_DAY)
    return frozenset(found)


def remove_times(text: str) -> str:
    """Return the text without the times of day, which are neither counts nor words that tell apart."""
    return _CLOCK.sub(" ", text)


def times_match(times: frozenset[int], others: frozenset[int]) -> bool:
    """Tell whether each of `times` may be one of the others."""
    return all(
        any(_between(time, other) <= MAX_TIME_DIFFERENCE_MINUTES for other in others) for time in times
    )


def extract_numbers(text: str) -> frozenset[str]:
    """Return the numbers in the text without its times of day, years among them."""
    words = {word.strip(".,;:!?()[]\"'“”«»").lower() for word in text.split()}
    written = {_COUNTED[word] for word in words if word in _COUNTED}
    return frozenset(written | {_plain(found) for found in _NUMBER.findall(text)})


def parse_number(token: str) -> str:
    """Return the number that a word is, written out or not; empty when it is none, or a year."""
    word = token.strip(".,;:!?()[]\"'“”«»").lower()
    if word in _COUNTED:
        return _COUNTED[word]
    found = _NUMBER.search(word)
    return "" if found is None or _YEAR.fullmatch(word) else _plain(found[0])


def _plain(number: str) -> str:
    return number.rstrip(".,").replace(",", "")


def _between(one: int, other: int) -> int:
    apart = abs(one - other)
    return min(apart, _HALF_A_DAY - apart)
