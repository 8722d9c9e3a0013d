"""Similarity: whether two sentences say the same, contradict each other, or differ (pure).

The words alone decide; nothing here knows what a sentence means. Two sentences with most words in common
say the same unless a number, a day, a doubt or a negation distinguishes them. Within a story, a word counts
less the more of its sentences have it: every sentence about a port names the port; few name the dust.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import Enum

from service.text.lexicon import FLAG_BIT, lexicon_for, tokenize
from service.text.numbers import extract_numbers, extract_times, parse_number, remove_times, times_match
from service.text.stems import SENTENCE_STEM_CHARACTERS, fold_spelling, stem

# Similarities are shares of common words (Dice) from 0 to 1; "without names" leaves out names and days.
MIN_SIMILARITY = 0.45
MIN_CONTAINED_SHARE = 0.75  # of the shorter sentence's words, in the longer one
MIN_SHARED_TERMS = 4
MIN_SIMILARITY_WITHOUT_NAMES = 0.24  # news says many different things about one person
SHORT_SENTENCE_TERMS, MIN_SHORT_SIMILARITY_WITHOUT_NAMES = 12, 0.5
"""The same for a sentence of fewer words: what it does not share is half of its content."""
MIN_WEIGHTED_SIMILARITY = 0.34
"""With words weighted by their story; chosen, like the next two, on the stories of three newspapers."""
MIN_OPENING_SIMILARITY, MIN_OPENING_SIMILARITY_WITHOUT_NAMES = 0.24, 0.15
"""The same if an article opens with one of the sentences: all articles open with what happened."""
MIN_ECHO_WEIGHTED_SIMILARITY, MIN_ECHO_SIMILARITY, MIN_ECHO_SIMILARITY_WITHOUT_NAMES = 0.19, 0.35, 0.12
"""A sentence this similar to another, weighted and unweighted, reads like a repetition."""
MIN_SHORT_ECHO_SIMILARITY_WITHOUT_NAMES = 0.3
"""The same for a short sentence that has no number of the other."""
MIN_KNOWN_SHARE = 0.7  # of a sentence's words in another one: the sentence is known
MIN_NUMBER_CONTRADICTION_SIMILARITY = 0.55  # below, different numbers count different things
MIN_NEGATION_CONTRADICTION_SIMILARITY = 0.7
"""Below, a negation is mostly in a clause of its own. Also the least for sentences without a common name."""
_TERM, _NAME, _DAY = 1 << FLAG_BIT["term"], 1 << FLAG_BIT["name"], 1 << FLAG_BIT["day"]
_NAMED = _TERM | _NAME | _DAY
_NEGATED = 1 << FLAG_BIT["negation"] | 1 << FLAG_BIT["denial"]
_UNCERTAIN = 1 << FLAG_BIT["unsure"] | 1 << FLAG_BIT["modal"]
_EDGES = re.compile(r"^[\W_]+|(?:['’]s)?[\W_]*$")


class Relation(Enum):
    """The relation of one sentence to another."""

    SAME = "says the same"
    CONTRADICTION = "contradicts"
    DIFFERENT = "says something else"


@dataclass(frozen=True, slots=True)
class SentenceFeatures:
    """What is compared of a sentence: stems of its words, names and days, and its numbers.

    `counts` maps the stem after a number to the number, `times` are minutes of half a day. `negated` is true
    with a "not", `uncertain` with a "may", `opens_article` for the first sentence of an article.
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
"""Stem -> weight in a story."""


def sentence_features(text: str, language: str, *, opens_article: bool = False) -> SentenceFeatures:
    """Return the features of a sentence."""
    lexicon = lexicon_for(language)
    timeless = remove_times(text)
    tokens = tokenize(timeless)
    codes = [lexicon[token] for token in tokens]
    words = [fold_spelling(_EDGES.sub("", token).lower()) for token in tokens]
    stems = [stem(lexicon.without_proclitic(word), SENTENCE_STEM_CHARACTERS) for word in words]
    counts: dict[str, str] = {}
    for place, token in enumerate(tokens):
        number = parse_number(token)
        if number:
            # The word after the number; before it at the end of the sentence.
            counts[stems[place + 1] if place + 1 < len(stems) else stems[place - 1]] = number
    return SentenceFeatures(
        text=text,
        terms=frozenset(term for term, code in zip(stems, codes, strict=True) if code & _TERM),
        # The first word has a capital because it is the first.
        names=frozenset(
            term for term, code in zip(stems[1:], codes[1:], strict=True) if code & _NAMED == _NAME | _TERM
        ),
        days=frozenset(term for term, code in zip(stems, codes, strict=True) if code & _DAY),
        numbers=extract_numbers(timeless),
        times=extract_times(text),
        counts=counts,
        negated=any(code & _NEGATED for code in codes),
        uncertain=any(code & _UNCERTAIN for code in codes),
        opens_article=opens_article,
    )


def term_weights(sentences: Collection[SentenceFeatures]) -> TermWeights:
    """Return the weight of each stem of a story's sentences: the logarithm of its inverse frequency."""
    spread = Counter(term for saying in sentences for term in saying.terms)
    return {term: math.log((len(sentences) + 1) / count) for term, count in spread.items()}


def relation(one: SentenceFeatures, other: SentenceFeatures, weights: TermWeights | None = None) -> Relation:
    """Return the relation of two sentences; with the `weights` of a story, SAME needs less similarity.

    Of two sentences that say the same, one may have a number or a doubt that the other lacks: see `covers`.
    """
    if one.text == other.text:
        return Relation.SAME
    shared = one.terms & other.terms
    if len(shared) < MIN_SHARED_TERMS:
        return Relation.DIFFERENT
    similarity = 2 * len(shared) / (len(one.terms) + len(other.terms))
    denied = similarity >= MIN_NEGATION_CONTRADICTION_SIMILARITY and one.negated != other.negated
    if denied or (similarity >= MIN_NUMBER_CONTRADICTION_SIMILARITY and _counts_differ(one, other)):
        return Relation.CONTRADICTION
    other_names = one.names and other.names and one.names.isdisjoint(other.names)
    if (other_names and similarity < MIN_NEGATION_CONTRADICTION_SIMILARITY) or not (
        covers(one, other) or covers(other, one)
    ):
        return Relation.DIFFERENT
    contained = len(shared) / min(len(one.terms), len(other.terms))
    same = similarity >= MIN_SIMILARITY or contained >= MIN_CONTAINED_SHARE
    same = same and _similar_without_names(one, other, MIN_SIMILARITY_WITHOUT_NAMES)
    if not same and weights is not None and not one.negated:
        same = _same_in_story(one, other, weights)
    return Relation.SAME if same else Relation.DIFFERENT


def _same_in_story(one: SentenceFeatures, other: SentenceFeatures, weights: TermWeights) -> bool:
    least, without_names = MIN_WEIGHTED_SIMILARITY, MIN_SIMILARITY_WITHOUT_NAMES
    if one.opens_article or other.opens_article:
        least, without_names = MIN_OPENING_SIMILARITY, MIN_OPENING_SIMILARITY_WITHOUT_NAMES
    return _weighted_similarity(one, other, weights) >= least and _similar_without_names(
        one, other, without_names
    )


def is_echo(one: SentenceFeatures, other: SentenceFeatures, weights: TermWeights) -> bool:
    """Return whether `one` reads like a repetition of `other`.

    It may have a number that the other lacks, but no negation or doubt, and it is not about other days.
    """
    similarity = 2 * len(one.terms & other.terms) / max(len(one.terms) + len(other.terms), 1)
    is_short = min(len(one.terms), len(other.terms)) < SHORT_SENTENCE_TERMS
    without_names = MIN_ECHO_SIMILARITY_WITHOUT_NAMES
    if is_short and one.numbers.isdisjoint(other.numbers):
        without_names = MIN_SHORT_ECHO_SIMILARITY_WITHOUT_NAMES
    return (
        similarity >= MIN_ECHO_SIMILARITY
        and one.negated <= other.negated
        and one.uncertain <= other.uncertain
        and not _on_other_days(one, other)
        and _weighted_similarity(one, other, weights) >= MIN_ECHO_WEIGHTED_SIMILARITY
        and _plain_similarity(one, other) >= without_names
    )


def covers(one: SentenceFeatures, other: SentenceFeatures) -> bool:
    """Return whether `one` has all that distinguishes the other: numbers, times, days, negation, doubt."""
    return (
        one.negated == other.negated
        and one.uncertain >= other.uncertain
        and other.numbers <= one.numbers
        and times_match(other.times, one.times)
        and not _on_other_days(one, other)
    )


def is_known(one: SentenceFeatures, known: SentenceFeatures) -> bool:
    """Return whether most of a sentence, and all that distinguishes it, is in a `known` one."""
    return one.text == known.text or (
        covers(known, one) and len(one.terms & known.terms) >= MIN_KNOWN_SHARE * max(len(one.terms), 1)
    )


def _on_other_days(one: SentenceFeatures, other: SentenceFeatures) -> bool:
    return bool(one.days and other.days and one.days.isdisjoint(other.days))


def _weighted_similarity(one: SentenceFeatures, other: SentenceFeatures, weights: TermWeights) -> float:
    """Return the similarity of two sentences with the words weighted by their story."""
    total = _weight(one.terms, weights) + _weight(other.terms, weights)
    return 2 * _weight(one.terms & other.terms, weights) / total if total else 0.0


def _similar_without_names(one: SentenceFeatures, other: SentenceFeatures, least: float) -> bool:
    """Return whether the similarity without names is at least `least`, or that of short sentences."""
    if min(len(one.terms), len(other.terms)) < SHORT_SENTENCE_TERMS:
        least = MIN_SHORT_SIMILARITY_WITHOUT_NAMES
    return _plain_similarity(one, other) >= least


def _plain_similarity(one: SentenceFeatures, other: SentenceFeatures) -> float:
    """Return the similarity in the words that are names or days in neither."""
    names = one.names | other.names | one.days | other.days
    plain, others = one.terms - names, other.terms - names
    return 2 * len(plain & others) / max(len(plain) + len(others), 1)


def _weight(terms: frozenset[str], weights: TermWeights) -> float:
    return sum(weights.get(term, 1.0) for term in terms)


def _counts_differ(one: SentenceFeatures, other: SentenceFeatures) -> bool:
    """Return whether the two count the same thing differently, or have one number each and not the same.

    A number that the other sentence has too, of whatever, is not another one: "14 people died" and "60 people
    are missing, 14 lives were lost".
    """
    if any(
        other.counts.get(what, number) != number
        and number not in other.numbers
        and other.counts[what] not in one.numbers
        for what, number in one.counts.items()
    ):
        return True
    return len(one.counts) == len(other.counts) == 1 and set(one.counts.values()).isdisjoint(
        other.counts.values()
    )
