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

from service.text.lexicon import FLAG_BIT, STEM_CHARACTERS, lexicon_for, tokenize
from service.text.numbers import extract_numbers, extract_times, parse_number, remove_times, times_match

MIN_SIMILARITY = 0.45
MIN_CONTAINED_SHARE = 0.75
MIN_SHARED_TERMS = 4
MIN_SIMILARITY_WITHOUT_NAMES = 0.24
"""So much have they to share of the words that are no names: of one person, news says many things."""
SHORT_SENTENCE_TERMS, MIN_SHORT_SIMILARITY_WITHOUT_NAMES = 12, 0.5
"""BESIDE_NAMES where one has fewer words than this: what it does not share is half of what it says."""
MIN_WEIGHTED_SIMILARITY = 0.34
"""ALIKE with words weighed by their story. Chosen, like the next two, on told stories of three papers."""
MIN_OPENING_SIMILARITY, MIN_OPENING_SIMILARITY_WITHOUT_NAMES = 0.24, 0.15
"""Both where an article opens with one of the two: all of them open with what happened."""
MIN_ECHO_WEIGHTED_SIMILARITY, MIN_ECHO_SIMILARITY, MIN_ECHO_SIMILARITY_WITHOUT_NAMES = 0.19, 0.3, 0.12
"""So alike, weighed and unweighed, is a sentence of which a reader thinks to have read it already."""
MIN_KNOWN_SHARE = 0.7
"""So much of a sentence in another one, and it was said."""
MIN_NUMBER_CONTRADICTION_SIMILARITY = 0.55
"""From here on another number is a contradiction: in what is less alike, something else is counted."""
MIN_NEGATION_CONTRADICTION_SIMILARITY = 0.7
"""From here on a "not" is one: in what is less alike, it mostly stands in a clause of its own. Two sentences
without a name in common have to be as close as this to say the same."""
_TERM, _NAME, _DAY = 1 << FLAG_BIT["term"], 1 << FLAG_BIT["name"], 1 << FLAG_BIT["day"]
_NAMED = _TERM | _NAME | _DAY
_NEGATED = 1 << FLAG_BIT["negation"] | 1 << FLAG_BIT["denial"]
_UNCERTAIN = 1 << FLAG_BIT["unsure"] | 1 << FLAG_BIT["modal"]
_EDGES = re.compile(r"^[\W_]+|(?:['’]s)?[\W_]*$")


class Relation(Enum):
    """How one sentence stands to another."""

    SAME = "says the same"
    CONTRADICTION = "contradicts"
    DIFFERENT = "says something else"


@dataclass(frozen=True, slots=True)
class SentenceFeatures:
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
    negated: bool
    uncertain: bool
    opens_article: bool


TermWeights = Mapping[str, float]
"""What a stem weighs in a story."""


def sentence_features(text: str, language: str, *, opens_article: bool = False) -> SentenceFeatures:
    """Return what the sentence says, as far as its words tell."""
    words = lexicon_for(language)
    timeless = remove_times(text)
    pieces = tokenize(timeless)
    codes = [words[piece] for piece in pieces]
    stems = [_EDGES.sub("", piece).lower()[:STEM_CHARACTERS] for piece in pieces]
    counts: dict[str, str] = {}
    for place, piece in enumerate(pieces):
        number = parse_number(piece)
        if number:
            # Behind the number, or in front of it at the end of a sentence.
            counts[stems[place + 1] if place + 1 < len(stems) else stems[place - 1]] = number
    return SentenceFeatures(
        text=text,
        terms=frozenset(stem for stem, code in zip(stems, codes, strict=True) if code & _TERM),
        # The first word is a name to the eye only because it comes first.
        names=frozenset(
            stem for stem, code in zip(stems[1:], codes[1:], strict=True) if code & _NAMED == _NAME | _TERM
        ),
        days=frozenset(stem for stem, code in zip(stems, codes, strict=True) if code & _DAY),
        numbers=extract_numbers(timeless),
        times=extract_times(text),
        counts=counts,
        negated=any(code & _NEGATED for code in codes),
        uncertain=any(code & _UNCERTAIN for code in codes),
        opens_article=opens_article,
    )


def term_weights(sentences: Collection[SentenceFeatures]) -> TermWeights:
    """Return what each stem of a story's sentences weighs: the more of them have it, the less."""
    spread = Counter(term for saying in sentences for term in saying.terms)
    return {term: math.log((len(sentences) + 1) / count) for term, count in spread.items()}


def relation(one: SentenceFeatures, other: SentenceFeatures, weights: TermWeights | None = None) -> Relation:
    """Return how the two stand to each other; with a story's `weights`, its sentences are the same sooner.

    Of two that say the same, one may still have a figure or a doubt that the other has not: see `covers`.
    """
    if one.text == other.text:
        return Relation.SAME
    shared = one.terms & other.terms
    if len(shared) < MIN_SHARED_TERMS:
        return Relation.DIFFERENT
    alike = 2 * len(shared) / (len(one.terms) + len(other.terms))
    denied = alike >= MIN_NEGATION_CONTRADICTION_SIMILARITY and one.negated != other.negated
    if denied or (alike >= MIN_NUMBER_CONTRADICTION_SIMILARITY and _counts_differ(one, other)):
        return Relation.CONTRADICTION
    strangers = one.names and other.names and one.names.isdisjoint(other.names)
    if (strangers and alike < MIN_NEGATION_CONTRADICTION_SIMILARITY) or not (
        covers(one, other) or covers(other, one)
    ):
        return Relation.DIFFERENT
    contained = len(shared) / min(len(one.terms), len(other.terms))
    same = (alike >= MIN_SIMILARITY or contained >= MIN_CONTAINED_SHARE) and _similar_without_names(
        one, other, MIN_SIMILARITY_WITHOUT_NAMES
    )
    if not same and weights is not None and not one.negated:
        opens = one.opens_article or other.opens_article
        least, plain = (
            (MIN_OPENING_SIMILARITY, MIN_OPENING_SIMILARITY_WITHOUT_NAMES)
            if opens
            else (MIN_WEIGHTED_SIMILARITY, MIN_SIMILARITY_WITHOUT_NAMES)
        )
        same = _weighted_similarity(one, other, weights) >= least and _similar_without_names(
            one, other, plain
        )
    return Relation.SAME if same else Relation.DIFFERENT


def is_echo(one: SentenceFeatures, other: SentenceFeatures, weights: TermWeights) -> bool:
    """Tell whether one mostly tells again what the other does, if not all of it; other figures are news."""
    alike = 2 * len(one.terms & other.terms) / max(len(one.terms) + len(other.terms), 1)
    return (
        alike >= MIN_ECHO_SIMILARITY
        and one.negated == other.negated
        and not _on_other_days(one, other)
        and (one.numbers <= other.numbers or other.numbers <= one.numbers)
        and _weighted_similarity(one, other, weights) >= MIN_ECHO_WEIGHTED_SIMILARITY
        and _similar_without_names(one, other, MIN_ECHO_SIMILARITY_WITHOUT_NAMES)
    )


def covers(one: SentenceFeatures, other: SentenceFeatures) -> bool:
    """Tell whether `one` has all that tells sentences apart in the other: figures, days, doubt."""
    return (
        one.negated == other.negated
        and one.uncertain >= other.uncertain
        and other.numbers <= one.numbers
        and times_match(other.times, one.times)
        and not _on_other_days(one, other)
    )


def is_known(one: SentenceFeatures, known: SentenceFeatures) -> bool:
    """Tell whether most of a sentence, and all that could tell it apart, is in one that was told."""
    return one.text == known.text or (
        covers(known, one) and len(one.terms & known.terms) >= MIN_KNOWN_SHARE * max(len(one.terms), 1)
    )


def _on_other_days(one: SentenceFeatures, other: SentenceFeatures) -> bool:
    return bool(one.days and other.days and one.days.isdisjoint(other.days))


def _weighted_similarity(one: SentenceFeatures, other: SentenceFeatures, weights: TermWeights) -> float:
    """Return how alike the two are when each word weighs what it does in their story."""
    in_all = _weight(one.terms, weights) + _weight(other.terms, weights)
    return 2 * _weight(one.terms & other.terms, weights) / in_all if in_all else 0.0


def _similar_without_names(one: SentenceFeatures, other: SentenceFeatures, least: float) -> bool:
    """Tell whether the two are as alike as this in the words that are no names or days in either."""
    if min(len(one.terms), len(other.terms)) < SHORT_SENTENCE_TERMS:
        least = MIN_SHORT_SIMILARITY_WITHOUT_NAMES
    names = one.names | other.names | one.days | other.days
    plain, others = one.terms - names, other.terms - names
    return 2 * len(plain & others) >= least * max(len(plain) + len(others), 1)


def _weight(terms: frozenset[str], weights: TermWeights) -> float:
    return sum(weights.get(term, 1.0) for term in terms)


def _counts_differ(one: SentenceFeatures, other: SentenceFeatures) -> bool:
    """Tell whether both count the same and differ, or each has one number and it is another one."""
    if any(other.counts.get(what, number) != number for what, number in one.counts.items()):
        return True
    return len(one.counts) == len(other.counts) == 1 and set(one.counts.values()).isdisjoint(
        other.counts.values()
    )
