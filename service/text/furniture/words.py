"""Furniture words: the tables of furniture.toml, and the phrases of them in a line (pure)."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from pathlib import Path
from typing import NamedTuple

from service.text.scripts import HANGUL, UNSPACED

_SIGNS = (  # that stand on or after letters and that Python's \w does not match
    "\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0670\u0900-\u0903\u093a-\u094f\u0951-\u0957\u0962\u0963\u0980-\u0983\u09bc-\u09cd"
)
WORD = re.compile(rf"[{UNSPACED}{HANGUL}]|(?:[^\W_{UNSPACED}{HANGUL}]++[{_SIGNS}]*+)++")
CLAUSE_MARKS = ",;:.!?–—|،؛،，：！？。…)"
"""The marks that end a clause, for a class of a pattern."""
COMBINING_SIGN = re.compile(f"[{_SIGNS}]")
UNSPACED_CHARACTER = re.compile(f"[{UNSPACED}{HANGUL}]")
"""A character that is a word; Korean writes spaces, but joins its particles to the words."""


class WordClass:
    """The classes of furniture.toml, which explains each, and the names of months and days (dates.toml).

    Each is one bit. They are plain numbers because an enum.Flag takes microseconds for each operation.
    """

    LABEL = 1 << 0
    ALSO = 1 << 1
    BY = 1 << 2
    ROLE = 1 << 3
    TIME = 1 << 4
    COUNT = 1 << 5
    MARK = 1 << 6
    MOVE = 1 << 7
    ASK = 1 << 8
    OWN = 1 << 9
    OFFER = 1 << 10
    US = 1 << 11
    YOU = 1 << 12
    SELF = 1 << 13
    MADE = 1 << 14
    GREET = 1 << 15
    POLITE = 1 << 16
    DATE = 1 << 17
    PARTICLE = 1 << 18
    REPORT = 1 << 19
    CREDIT = 1 << 20
    THANK = 1 << 21
    CAUSE = 1 << 22
    PRICE = 1 << 23
    ABOUT = 1 << 24


_LISTS_OF_WORDS = WordClass.TIME | WordClass.COUNT | WordClass.ROLE | WordClass.PARTICLE
"""Each word of their entries counts alone."""


class Word(NamedTuple):
    """A word of a line: `line[start:end]`. A character of an unspaced script is a word."""

    text: str
    start: int
    end: int


class Hit(NamedTuple):
    """A phrase of the tables in a line: the places of its first word and of the word after it."""

    first: int
    after: int
    classes: int


_new_word = Word._make


def words_of(line: str) -> list[Word]:
    """Return the words of a line; apostrophes, hyphens and other marks separate them."""
    return [_new_word((found[0], *found.span())) for found in WORD.finditer(line)]


def hits_of(words: list[Word]) -> list[Hit]:
    """Return the phrases of the tables that the words contain, in order of their first words."""
    table = _by_first_word()
    texts = [word.text for word in words]
    folded = lower(" ".join(texts)).split(" ")  # all at once, in a fifth of the time
    if "US" in texts:
        folded = [*map(_folded, texts)]
    return [
        Hit(place, place + 1 + len(rest), classes)
        for place, word in enumerate(folded)
        for rest, classes in table.get(word, ())
        if not rest or folded[place + 1 : place + 1 + len(rest)] == rest
    ]


def is_unspaced(word: str) -> bool:
    """Return whether the word belongs to a script that is read character by character."""
    return UNSPACED_CHARACTER.match(word) is not None


def lower(text: str) -> str:
    """Return the text in lower case; the Turkish capital İ becomes one letter."""
    return text.replace("İ", "i").casefold()


def _folded(word: str) -> str:
    # The country is not the pronoun: "allies follow US lead".
    return word if word == "US" else lower(word)


@cache
def phrases() -> dict[tuple[str, ...], int]:
    """Return the entries of all tables as their words, with their classes."""
    classes: dict[tuple[str, ...], int] = {}
    for table in _tables():
        for name, entries in table.items():
            kind: int = getattr(WordClass, name.upper())
            for entry in entries.split(","):
                words = tuple(_folded(word.text) for word in words_of(entry))
                parts = [words]
                if kind & _LISTS_OF_WORDS and not any(is_unspaced(word) for word in words):
                    parts = [(word,) for word in words]
                for part in filter(None, parts):
                    classes[part] = classes.get(part, 0) | kind
    return classes


@cache
def _by_first_word() -> dict[str, list[tuple[list[str], int]]]:
    table: dict[str, list[tuple[list[str], int]]] = {}
    for words, kinds in phrases().items():
        table.setdefault(words[0], []).append((list(words[1:]), kinds))
    return table


def _tables() -> list[dict[str, str]]:
    folder = Path(__file__).parent
    tables = tomllib.loads((folder / "furniture.toml").read_text(encoding="utf-8"))
    dates = tomllib.loads((folder / "dates.toml").read_text(encoding="utf-8"))
    return [*tables.values(), {"date": ",".join(dates["names"].split())}]
