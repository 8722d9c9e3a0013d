"""Words of dates: what each word may mean, in any language, from the tables beside this module. Pure.

A word is folded: lower case, without accents, dots and direction marks. The tables are read when a date first
needs them; dates in the forms of RFC 822 and ISO 8601 do not.
"""

from __future__ import annotations

import tomllib
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
TRUNCATED_LETTERS = 3  # programs abbreviate the name of a month or weekday to its first three letters
HEBREW_IN = "ב"  # written as one word with the month
_EQUAL_LETTERS = str.maketrans({"ı": "i", "ł": "l", "ø": "o", "đ": "d", "ß": "ss", "ς": "σ", "æ": "ae"})


@dataclass(slots=True)
class Meanings:
    """What a word may mean: the months by language, a weekday, a half of the day, a zone, or nothing.

    months    number of the month -> languages that call it so
    pm        False for the first half of a day, True for the second, None for no half
    offset    minutes from UTC of a zone, None for no zone
    """

    months: dict[int, set[str]] = field(default_factory=dict)
    weekday: bool = False
    pm: bool | None = None
    offset: int | None = None
    filler: bool = False
    month_mark: bool = False


@dataclass(frozen=True, slots=True)
class WordTable:
    """Meanings by phrase (one to `longest` words), and what languages decide."""

    phrases: Mapping[tuple[str, ...], Meanings]
    longest: int
    zones_by_language: Mapping[str, Mapping[str, int]]
    month_first: frozenset[str]
    either_order: frozenset[str]


def fold(text: str) -> str:
    """Return the text in lower case, in ASCII digits, without accents and marks of direction."""
    plain = unicodedata.normalize("NFKC", text).casefold().translate(_EQUAL_LETTERS)
    if plain.isascii():
        return plain
    kept = (
        str(unicodedata.decimal(c)) if c.isdecimal() else c
        for c in unicodedata.normalize("NFKD", plain)
        if unicodedata.category(c)[0] != "M" and unicodedata.category(c) != "Cf"
    )
    return unicodedata.normalize("NFKC", "".join(kept))


def phrase(text: str) -> tuple[str, ...]:
    """Return the words of a folded name; a dot inside a word joins its letters: `p.m.` is `pm`."""
    words = fold(text).replace("'", " ").replace("’", " ").replace("-", " ").split()
    return tuple(word.replace(".", "") for word in words)


def minutes(offset: str) -> int:
    """Return the minutes of an offset such as `+05:30`."""
    hours, _, rest = offset[1:].partition(":")
    return (int(hours) * 60 + int(rest or 0)) * (-1 if offset[0] == "-" else 1)


@cache
def word_table() -> WordTable:
    """Return the table of all languages, read once in a process."""
    names, words, zones = (_read(name) for name in ("names.toml", "words.toml", "zones.toml"))
    phrases: dict[tuple[str, ...], Meanings] = {}

    def of(key: tuple[str, ...]) -> Meanings:
        return phrases.setdefault(key, Meanings())

    for language, number, key in _months(names, words):
        of(key).months.setdefault(number, set()).add(language)
    for key in _weekdays(names):
        of(key).weekday = True
    for key, pm in _halves_of_day(names):
        of(key).pm = pm
    for offset, known in zones["names"].items():
        for name in known.split():
            of((name,)).offset = minutes(offset)
    for filler in words["fillers"].split():
        of(phrase(filler)).filler = True
    for mark in words["month_marks"].split():
        of(phrase(mark)).month_mark = True
    return WordTable(
        phrases,
        max(map(len, phrases)),
        {tag: {name: minutes(at) for name, at in row.items()} for tag, row in zones["by_language"].items()},
        frozenset(words["month_first"]),
        frozenset(words["either_order"]),
    )


def _months(names: Mapping[str, Any], words: Mapping[str, Any]) -> Iterator[tuple[str, int, tuple[str, ...]]]:
    """Yield language, number and phrase of each month, names before truncated ones."""
    exact: set[tuple[str, ...]] = set()
    for language, row in names.items():
        for number, forms in enumerate(row["months"], start=1):
            for key in _forms(language, forms):
                exact.add(key)
                yield language, number, key
    for number, forms in words["months"].items():
        for key in map(phrase, forms.split("|")):
            exact.add(key)
            yield "", int(number), key
    for language, row in names.items():
        for number, forms in enumerate(row["months"], start=1):
            for key in _truncated(_forms(language, forms)):
                if key not in exact:
                    yield language, number, key


def _weekdays(names: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    for language, row in names.items():
        for forms in row["days"]:
            keys = _forms(language, forms)
            yield from keys
            yield from _truncated(keys)


def _halves_of_day(names: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], bool]]:
    for row in names.values():
        for pm, forms in ((False, row["am"]), (True, row["pm"])):
            yield from ((phrase(form), pm) for form in forms.split("|") if form)


def _forms(language: str, forms: str) -> Sequence[tuple[str, ...]]:
    keys = [phrase(form) for form in forms.split("|") if form]
    return [*keys, *((HEBREW_IN + first, *rest) for first, *rest in keys)] if language == "he" else keys


def _truncated(keys: Sequence[tuple[str, ...]]) -> Iterator[tuple[str, ...]]:
    """Yield the first letters of names of one word in an alphabet with upper and lower case."""
    for key in keys:
        if len(key) == 1 and len(key[0]) > TRUNCATED_LETTERS and key[0].upper() != key[0]:
            yield (key[0][:TRUNCATED_LETTERS],)


def _read(name: str) -> Mapping[str, Any]:
    return tomllib.loads((FOLDER / name).read_text(encoding="utf-8"))
