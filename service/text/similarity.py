"""Sayings: whether two sentences say the same thing, contradict each other, or neither (pure).

By their words alone: nothing here knows what a sentence means. Two sentences with most words in common are
one saying, unless a number, a day, a doubt or a "not" tells them apart. Within a story, words count less the
more of its sentences have them: everybody names the port, and whoever else names the dust says the same.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import Enum

from service.text.lexicon import BITS, STEM_LETTERS, chunks, words_of
from service.text.numbers import are_near, number_in, numbers_of, times_of, without_times

ALIKE = 0.45
CONTAINED = 0.75
FEWEST_SHARED = 4
BESIDE_NAMES = 0.24
"""So much have they to share of the words that are no names: of one person, news says many things."""
SHORT, SHORT_BESIDE_NAMES = 12, 0.5
"""BESIDE_NAMES where one has fewer words than this: what it does not share is half of what it says."""
ALIKE_IN_STORY = 0.34
"""ALIKE with words weighed by their story. Chosen, like the next two, on told stories of three papers."""
ALIKE_OPENINGS, OPENINGS_BESIDE_NAMES = 0.24, 0.15
"""Both where an article opens with one of the two: all of them open with what happened."""
ECHO, ECHO_PLAINLY, ECHO_BESIDE_NAMES = 0.19, 0.3, 0.12
"""So alike, weighed and unweighed, is a sentence of which a reader thinks to have read it already."""
SAID = 0.7
"""So much of a sentence in another one, and it was said."""
CLOSE = 0.55
"""From here on another number is a contradiction: in what is less alike, something else is counted."""
CLOSEST = 0.7
"""From here on a "not" is one: in what is less alike, it mostly stands in a clause of its own. Two sentences
without a name in common have to be as close as this to say the same."""
_TERM, _NAME, _DAY = 1 << BITS["term"], 1 << BITS["name"], 1 << BITS["day"]
_NAMED = _TERM | _NAME | _DAY
_AGAINST = 1 << BITS["negation"] | 1 << BITS["denial"]
_UNSURE = 1 << BITS["unsure"] | 1 << BITS["modal"]
_EDGES = re.compile(r"^[\W_]+|(?:['’]s)?[\W_]*$")


class Relation(Enum):
    """How one sentence stands to another."""

    SAME = "says the same"
    AGAINST = "contradicts"
    OTHER = "says something else"


@dataclass(frozen=True, slots=True)
class Saying:
    """What is compared of a sentence: its words' stems, those of its names and days, its figures.

    `counts` maps what is counted, the stem behind a number, to the number; `times` are minutes. `against`
    tells whether it says "not", `unsure` whether it says "may", `opens` whether its article begins with it.
    """

    text: str
    terms: frozenset[str]
    names: frozenset[str]
    days: frozenset[str]
    numbers: frozenset[str]
    times: frozenset[int]
    counts: Mapping[str, str]
    against: bool
    unsure: bool
    opens: bool


Weights = Mapping[str, float]
"""What a stem weighs in a story."""


def saying_of(text: str, language: str, *, opens: bool = False) -> Saying:
    """Return what the sentence says, as far as its words tell."""
    words = words_of(language)
    timeless = without_times(text)
    pieces = chunks(timeless)
    codes = [words[piece] for piece in pieces]
    stems = [_EDGES.sub("", piece).lower()[:STEM_LETTERS] for piece in pieces]
    counts: dict[str, str] = {}
    for place, piece in enumerate(pieces):
        number = number_in(piece)
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
        days=frozenset(stem for stem, code in zip(stems, codes, strict=True) if code & _DAY),
        numbers=numbers_of(timeless),
        times=times_of(text),
        counts=counts,
        against=any(code & _AGAINST for code in codes),
        unsure=any(code & _UNSURE for code in codes),
        opens=opens,
    )


def weights_of(sayings: Collection[Saying]) -> Weights:
    """Return what each stem of a story's sentences weighs: the more of them have it, the less."""
    spread = Counter(term for saying in sayings for term in saying.terms)
    return {term: math.log((len(sayings) + 1) / count) for term, count in spread.items()}


def relation(one: Saying, other: Saying, weights: Weights | None = None) -> Relation:
    """Return how the two stand to each other; with a story's `weights`, its sentences are the same sooner.

    Of two that say the same, one may still have a figure or a doubt that the other has not: see `covers`.
    """
    if one.text == other.text:
        return Relation.SAME
    shared = one.terms & other.terms
    if len(shared) < FEWEST_SHARED:
        return Relation.OTHER
    alike = 2 * len(shared) / (len(one.terms) + len(other.terms))
    denied = alike >= CLOSEST and one.against != other.against
    if denied or (alike >= CLOSE and _counts_differ(one, other)):
        return Relation.AGAINST
    strangers = one.names and other.names and one.names.isdisjoint(other.names)
    if (strangers and alike < CLOSEST) or not (covers(one, other) or covers(other, one)):
        return Relation.OTHER
    contained = len(shared) / min(len(one.terms), len(other.terms))
    same = (alike >= ALIKE or contained >= CONTAINED) and _share_beside_names(one, other, BESIDE_NAMES)
    if not same and weights is not None and not one.against:
        opens = one.opens or other.opens
        least, plain = (ALIKE_OPENINGS, OPENINGS_BESIDE_NAMES) if opens else (ALIKE_IN_STORY, BESIDE_NAMES)
        same = _heavily_alike(one, other, weights) >= least and _share_beside_names(one, other, plain)
    return Relation.SAME if same else Relation.OTHER


def echoes(one: Saying, other: Saying, weights: Weights) -> bool:
    """Tell whether one mostly tells again what the other does, if not all of it; other figures are news."""
    alike = 2 * len(one.terms & other.terms) / max(len(one.terms) + len(other.terms), 1)
    return (
        alike >= ECHO_PLAINLY
        and one.against == other.against
        and not _on_other_days(one, other)
        and (one.numbers <= other.numbers or other.numbers <= one.numbers)
        and _heavily_alike(one, other, weights) >= ECHO
        and _share_beside_names(one, other, ECHO_BESIDE_NAMES)
    )


def covers(one: Saying, other: Saying) -> bool:
    """Tell whether `one` has all that tells sentences apart in the other: figures, days, doubt."""
    return (
        one.against == other.against
        and one.unsure >= other.unsure
        and other.numbers <= one.numbers
        and are_near(other.times, one.times)
        and not _on_other_days(one, other)
    )


def is_said(one: Saying, told: Saying) -> bool:
    """Tell whether most of a sentence, and all that could tell it apart, is in one that was told."""
    return one.text == told.text or (
        covers(told, one) and len(one.terms & told.terms) >= SAID * max(len(one.terms), 1)
    )


def _on_other_days(one: Saying, other: Saying) -> bool:
    return bool(one.days and other.days and one.days.isdisjoint(other.days))


def _heavily_alike(one: Saying, other: Saying, weights: Weights) -> float:
    """Return how alike the two are when each word weighs what it does in their story."""
    in_all = _weight(one.terms, weights) + _weight(other.terms, weights)
    return 2 * _weight(one.terms & other.terms, weights) / in_all if in_all else 0.0


def _share_beside_names(one: Saying, other: Saying, least: float) -> bool:
    """Tell whether the two are as alike as this in the words that are no names or days in either."""
    if min(len(one.terms), len(other.terms)) < SHORT:
        least = SHORT_BESIDE_NAMES
    names = one.names | other.names | one.days | other.days
    plain, others = one.terms - names, other.terms - names
    return 2 * len(plain & others) >= least * max(len(plain) + len(others), 1)


def _weight(terms: frozenset[str], weights: Weights) -> float:
    return sum(weights.get(term, 1.0) for term in terms)


def _counts_differ(one: Saying, other: Saying) -> bool:
    """Tell whether both count the same and differ, or each has one number and it is another one."""
    if any(other.counts.get(what, number) != number for what, number in one.counts.items()):
        return True
    return len(one.counts) == len(other.counts) == 1 and set(one.counts.values()).isdisjoint(
        other.counts.values()
    )
