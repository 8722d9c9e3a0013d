"""Sayings: whether two sentences say the same thing, contradict each other, or neither (pure).

By their words alone: nothing here knows what a sentence means. Two sentences with most words in common are
one saying, unless a number or a "not" tells them apart.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType

from service.condense.words import BITS, STEM_LETTERS, chunks, words_of

ALIKE = 0.45
CONTAINED = 0.75
FEWEST_SHARED = 4
CLOSE = 0.55
"""From here on another number is a contradiction: in what is less alike, something else is counted."""
CLOSEST = 0.7
"""From here on a "not" is one: in what is less alike, it mostly stands in a clause of its own. Two sentences
without a name in common have to be as close as this to say the same."""

_TERM, _NAME, _DAY = 1 << BITS["term"], 1 << BITS["name"], 1 << BITS["day"]
_NAMED = _TERM | _NAME | _DAY
_AGAINST = 1 << BITS["negation"] | 1 << BITS["denial"]
_EDGES = re.compile(r"^[\W_]+|(?:['’]s)?[\W_]*$")
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


class Relation(Enum):
    """How one sentence stands to another."""

    SAME = "says the same"
    AGAINST = "contradicts"
    OTHER = "says something else"


@dataclass(frozen=True, slots=True)
class Saying:
    """What is compared of a sentence: its words' stems, those of its names, and whether it says "not".

    `counts` maps what is counted, the stem behind a number, to the number.
    """

    text: str
    terms: frozenset[str]
    names: frozenset[str]
    counts: Mapping[str, str]
    against: bool


def saying_of(text: str, language: str) -> Saying:
    """Return what the sentence says, as far as its words tell."""
    words = words_of(language)
    pieces = chunks(text)
    codes = [words[piece] for piece in pieces]
    stems = [_EDGES.sub("", piece).lower()[:STEM_LETTERS] for piece in pieces]
    counts: dict[str, str] = {}
    for place, piece in enumerate(pieces):
        number = _number(piece)
        if number:
            # Behind the number, or in front of it at the end of a sentence.
            counts[stems[place + 1] if place + 1 < len(stems) else stems[place - 1]] = number
    return Saying(
        text=text,
        terms=frozenset(stem for stem, code in zip(stems, codes, strict=True) if code & _TERM),
        # The first word is a name to the eye only because it comes first.
        names=frozenset(
            stem for stem, code in zip(stems[1:], codes[1:], strict=True) if code & _NAMED == _NAME | _TERM
        ),
        counts=counts,
        against=any(code & _AGAINST for code in codes),
    )


def relation(one: Saying, other: Saying) -> Relation:
    """Return how the two stand to each other."""
    if one.text == other.text:
        return Relation.SAME
    shared = len(one.terms & other.terms)
    if shared < FEWEST_SHARED:
        return Relation.OTHER
    alike = 2 * shared / (len(one.terms) + len(other.terms))
    contained = shared / min(len(one.terms), len(other.terms))
    if alike < ALIKE and contained < CONTAINED:
        return Relation.OTHER
    denied = alike >= CLOSEST and one.against != other.against
    if denied or (alike >= CLOSE and _counts_differ(one, other)):
        return Relation.AGAINST
    strangers = one.names and other.names and one.names.isdisjoint(other.names)
    return Relation.OTHER if strangers and alike < CLOSEST else Relation.SAME


def _counts_differ(one: Saying, other: Saying) -> bool:
    """Tell whether both count the same and differ, or each has one number and it is another one."""
    if any(other.counts.get(what, number) != number for what, number in one.counts.items()):
        return True
    return len(one.counts) == len(other.counts) == 1 and set(one.counts.values()).isdisjoint(
        other.counts.values()
    )


def _number(piece: str) -> str:
    word = piece.strip(".,;:!?()[]\"'“”«»").lower()
    if word in _COUNTED:
        return _COUNTED[word]
    found = _NUMBER.search(word)
    if found is None or _YEAR.fullmatch(word):
        return ""
    return found[0].rstrip(".,").replace(",", "")
