"""Tolls: the numbers of dead, injured and missing people in a sentence (pure).

A number is a toll if one of the words of tolls.toml is near: "44 people died", "killed at least 44", "the
death toll rose to 44". Percentages, decimals, dates, ages, amounts of money and lengths of time are none.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from service.core.languages import primary_language
from service.text.numbers import parse_number, remove_times
from service.text.scripts import IDEOGRAPH

KINDS = ("dead", "missing", "injured")
"""What is counted, in the order of weight in a headline."""
MAX_CHARACTERS = 1_000  # of a sentence; a longer text is none
WORDS_AFTER, WORDS_BEFORE, WORDS_AFTER_TOLL = 5, 1, 12
"""Number of words after a number and before its qualifier, one of which says what it counts. The first two
are for languages that set no others, the last is for a noun such as "toll"."""
MAX_QUALIFIER_CHARACTERS = 40
MAX_DIGITS = 7

_ALPHABETS = "A-Za-zÀ-ɏͰ-ӿ"  # a number joined to such a letter is a name: A320, 1er, 23h30
_LETTER = r"(?:[^\W\d_]|[\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0900-\u0903\u093a-\u094f])"
_TOKEN = re.compile(
    rf"(?P<number>\d+(?:[.,'’\u00a0\u202f]\d{{3}})*(?!\d))|(?P<word>{_LETTER}+(?:['’]{_LETTER}+)*)|[^\w\s]"
)
_NO_COUNT_BEFORE = re.compile(rf"(?:\d[.,:/-]|[$€£¥₹#№+-])\s?$|[{_ALPHABETS}]$")
_NO_COUNT_AFTER = re.compile(rf"\s?[%‰°$€£¥₹]|[.,:/]\d|[-‑–/][^\W\d_]|\d|[{_ALPHABETS}]")
_YEAR = re.compile(r"(?:19|20)\d\d")
_STOPS = frozenset('.,;:!?…()[]{}«»"“”„|–—、。，；：！？؛؟،।')


@dataclass(frozen=True, slots=True)
class Toll:
    """A number of people with its `kind`, and its place in the text, which includes its qualifier."""

    kind: str
    value: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Words:
    """The words of one class: whole words, beginnings of words, and parts of unspaced runs."""

    whole: frozenset[str]
    beginnings: tuple[str, ...]
    parts: tuple[str, ...]

    def __contains__(self, word: object) -> bool:
        lower = str(word)
        return (
            lower in self.whole
            or bool(self.beginnings and lower.startswith(self.beginnings))
            or any(part in lower for part in self.parts)
        )


@dataclass(frozen=True, slots=True)
class _Language:
    """The words of one language by class, its qualifiers (the longest first), and how many words are read.

    `needed`: a text without any of these letters has no toll.
    """

    classes: Mapping[str, _Words]
    needed: tuple[str, ...]
    qualifiers: Sequence[str]
    words_after: int
    words_before: int


@dataclass(frozen=True, slots=True)
class _Token:
    """A word, a number with its `value`, or a mark, with its place in the text.

    `pair` is the token before it and itself, joined by "_" as in tolls.toml.
    """

    text: str
    pair: str
    start: int
    end: int
    value: int | None


@lru_cache(maxsize=16_384)  # a sentence is read for the story and again for its points; 10 MB
def find_tolls(text: str, language: str) -> tuple[Toll, ...]:
    """Return the tolls in a sentence or title, in order; () for a language without words for them."""
    words = _languages().get(primary_language(language))
    if words is None or len(text) > MAX_CHARACTERS:
        return ()
    text_without_times = remove_times(text)
    lower = text_without_times.lower()
    if not any(letters in lower for letters in words.needed):
        return ()  # most sentences: their numbers need not be read
    tokens = list(_tokens(text_without_times, words.classes["units"]))
    found = []
    for place, token in enumerate(tokens):
        if token.value is None:
            continue
        start = qualified_start(text, token.start, language)
        before = [one for one in tokens[max(0, place - 2 * WORDS_AFTER_TOLL) : place] if one.end <= start]
        kind = _kind(before[::-1], tokens[place + 1 :], words)
        if kind is not None:
            found.append(Toll(kind, token.value, start, token.end))
    return tuple(found)


def qualified_start(text: str, start: int, language: str) -> int:
    """Return where the number at `start` begins with its qualifier, as in "at least 44"; else `start`."""
    words = _languages().get(primary_language(language))
    before = text[:start].rstrip()[-MAX_QUALIFIER_CHARACTERS:]
    lead = len(text[:start].rstrip()) - len(before)
    for phrase in words.qualifiers if words else ():
        begin = len(before) - len(phrase)
        letter = before[begin - 1 : begin]
        is_whole = not letter.isalpha() or bool(IDEOGRAPH.match(letter))
        if begin >= 0 and is_whole and before[begin:].lower() == phrase:
            return lead + begin
    return start


def _tokens(text: str, units: _Words) -> Iterator[_Token]:
    """Yield the tokens of a text; a number that counts no people has no value."""
    matches = list(_TOKEN.finditer(text))
    for place, match in enumerate(matches):
        before, following = matches[max(place - 1, 0)], matches[min(place + 1, len(matches) - 1)]
        written = parse_number(match[0]) if match["word"] else match["number"]
        value = _count(written, text, match) if written else None
        if value is not None and (_is_unit(following, units) or _is_date(before, units)):
            value = None
        word = match[0].lower()
        yield _Token(word, f"{before[0].lower()}_{word}", match.start(), match.end(), value)


def _is_unit(following: re.Match[str], units: _Words) -> bool:
    word = following[0].lower()
    # An unspaced run continues behind the unit: only its beginning counts.
    return bool(following["word"]) and (word.startswith(units.parts) if units.parts else word in units)


def _is_date(before: re.Match[str], units: _Words) -> bool:
    """Return whether the word before a number is a month, as in "August 9", or another unit."""
    return bool(before["word"]) and not units.parts and before[0].lower() in units


def _count(written: str, text: str, match: re.Match[str]) -> int | None:
    digits = "".join(filter(str.isdigit, written))
    if not digits or len(digits) > MAX_DIGITS or _YEAR.fullmatch(written):
        return None
    before, after = text[max(0, match.start() - 2) : match.start()], text[match.end() : match.end() + 2]
    return None if _NO_COUNT_BEFORE.search(before) or _NO_COUNT_AFTER.match(after) else int(digits)


def _kind(before: Sequence[_Token], after: Sequence[_Token], words: _Language) -> str | None:
    """Return what a number counts, None if no people. `before` begins with the token nearest to it."""
    behind = _nearest(after[: words.words_after], words.classes)
    ahead = _nearest(before[: words.words_before], words.classes)
    if ahead is not None and (behind is None or ahead[1] < behind[1]):
        return ahead[0]
    return behind[0] if behind is not None else _announced(before[:WORDS_AFTER_TOLL], words.classes)


def _nearest(tokens: Sequence[_Token], classes: Mapping[str, _Words]) -> tuple[str, int] | None:
    """Return the first kind that a word names, with its distance; a mark or a number ends the search."""
    for distance, token in enumerate(tokens):
        if token.text in _STOPS or token.value is not None:
            return None
        kind = next((kind for kind in KINDS if _names(token, classes[kind])), None)
        if kind is not None:
            return kind, distance
    return None


def _names(token: _Token, words: _Words) -> bool:
    return token.text in words or token.pair in words.whole


def _announced(tokens: Sequence[_Token], classes: Mapping[str, _Words]) -> str | None:
    """Return the kind that a noun for the toll announces, some words before the number."""
    kind = None
    for token in tokens:
        if token.text in _STOPS or token.value is not None:
            return None
        kind = next((one for one in KINDS if _names(token, classes[one])), kind)
        if token.text in classes["toll"]:
            return kind or KINDS[0]
        if token.text in classes["number"]:
            return kind
    return None


@cache
def _languages() -> Mapping[str, _Language]:
    tables = tomllib.loads(Path(__file__).with_name("tolls.toml").read_text(encoding="utf-8"))
    return {name: _language(table) for name, table in tables.items()}


def _language(table: Mapping[str, Any]) -> _Language:
    classes = {name: _words(table[name]) for name in (*KINDS, "toll", "number", "units")}
    return _Language(
        classes,
        _needed([classes[name] for name in (*KINDS, "toll")]),
        sorted(table["qualifiers"], key=len, reverse=True),
        table.get("words_after", WORDS_AFTER),
        table.get("words_before", WORDS_BEFORE),
    )


def _needed(classes: Sequence[_Words]) -> tuple[str, ...]:
    """Return the shortest texts, one of which is a part of each text with a word of these classes."""
    words = {word.rpartition("_")[2] for one in classes for word in one.whole}
    words = {word.rstrip("*") for word in words} | {part for one in classes for part in one.parts}
    return tuple(sorted(one for one in words if not any(other in one for other in words - {one})))


def _words(entries: str) -> _Words:
    listed = entries.split()
    parts = tuple(entry for entry in listed if IDEOGRAPH.search(entry))
    spaced = [entry for entry in listed if entry not in parts]
    beginnings = tuple(entry[:-1] for entry in spaced if entry.endswith("*"))
    return _Words(frozenset(spaced), beginnings, parts)
