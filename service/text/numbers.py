"""Numbers: the numbers and times of day in a sentence (pure)."""

from __future__ import annotations

import re
from types import MappingProxyType
from unicodedata import decimal

MAX_TIME_DIFFERENCE_MINUTES = 15  # between two reports of one time: "half past three", "about 3:20"
_HALF_A_DAY = 12 * 60

_MARK = r"(?:[ap]\.?m\b\.?|uhr\b|h\b)"
_CLOCK = re.compile(
    rf"(?<![\d.,:])(?:(\d\d?):([0-5]\d)(?![\d:]|[.,]\d)(?:\s?{_MARK})?|(\d\d?)(?:\.([0-5]\d))?\s?{_MARK})"
    r"|\b(half past|quarter past|quarter to)\s+(\w+)",
    re.IGNORECASE,
)
_QUARTERS = MappingProxyType({"half past": 30, "quarter past": 15, "quarter to": -15})
_NUMBER = re.compile(r"\d[\d.,٫٬]*")
_ARABIC_MARKS = str.maketrans("٫٬", ".,")  # of decimals and thousands
_YEAR = re.compile(r"(?:19|20)\d\d")
_NUMBER_WORDS = MappingProxyType(
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
"""Numbers that news writes in words. "One" is missing: it is a pronoun as often."""


def extract_times(text: str) -> frozenset[int]:
    """Return the times of day in the text, in minutes of half a day: 3:20 p.m. and 15:20 are both 200."""
    found = set()
    for hours, minutes, hour, minute, quarter, word in _CLOCK.findall(text):
        hour_of_day = _NUMBER_WORDS.get(word.lower(), word) if quarter else hours or hour
        if hour_of_day.isdecimal():
            past = _QUARTERS[quarter.lower()] if quarter else int(minutes or minute or 0)
            found.add((int(hour_of_day) * 60 + past) % _HALF_A_DAY)
    return frozenset(found)


def remove_times(text: str) -> str:
    """Return the text with blanks for its times of day, which are neither counts nor distinguishing words."""
    return _CLOCK.sub(lambda time: " " * len(time[0]), text)


def times_match(times: frozenset[int], others: frozenset[int]) -> bool:
    """Return whether each of `times` is within MAX_TIME_DIFFERENCE_MINUTES of one of the others."""
    return all(
        any(_minutes_apart(time, other) <= MAX_TIME_DIFFERENCE_MINUTES for other in others) for time in times
    )


def extract_numbers(text: str) -> frozenset[str]:
    """Return the numbers in a text without times of day; years are included."""
    words = {word.strip(".,;:!?()[]\"'“”«»").lower() for word in text.split()}
    written = {_NUMBER_WORDS[word] for word in words if word in _NUMBER_WORDS}
    return frozenset(written | {_digits(found) for found in _NUMBER.findall(text)})


def parse_number(token: str) -> str:
    """Return the number that a token is, in digits; "" for any other token and for a year."""
    word = token.strip(".,;:!?()[]\"'“”«»").lower()
    if word in _NUMBER_WORDS:
        return _NUMBER_WORDS[word]
    found = _NUMBER.search(word)
    return "" if found is None or _YEAR.fullmatch(word) else _digits(found[0])


def _digits(number: str) -> str:
    if not number.isascii():
        number = "".join(str(decimal(mark, mark)) for mark in number.translate(_ARABIC_MARKS))
    return number.rstrip(".,").replace(",", "")


def _minutes_apart(one: int, other: int) -> int:
    apart = abs(one - other)
    return min(apart, _HALF_A_DAY - apart)
