"""Caveat model: the probability that one sentence qualifies another, and the reasons for it.

A pair is judged by the kind of claim, the kind of cue and the distance between the two. Shared words and
names are not used: they were measured to mislead. The model is logistic: a reason is a feature times its
weight.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate

import numpy as np

from service.condense.features import FEATURE_NAMES, ArticleFeatures, FloatArray, IntArray
from service.text.lexicon import FLAG_BIT, FLAG_BITS

CLAIM_CUES = (  # noqa: SIM905 - names read best as a line of words
    "accuse say unsure plan agree finding toll absolute future modal denial accused caution question "
    "limit condition negation claimref reversal false"
).split()
CLAIM_TRAITS = (  # noqa: SIM905
    "lead deep quoted opens_quote short length central before_contrast names starts_pronoun"
).split()
CAVEAT_CUES = (  # noqa: SIM905
    "explicit turn open denial false unsure reserve limit condition scope accused claimref negation "
    "reversal caution question say accuse contrast modal finding toll number first plan agree absolute"
).split()
CAVEAT_TRAITS = (  # noqa: SIM905
    "quoted opens_quote short length central like_lead names starts_pronoun starts_demonstrative lead "
    "answers starts_contrast"
).split()
DISTANCES = (
    "next",
    "2-3 later",
    "4-6 later",
    "7-12 later",
    "13+ later",
    "just before",
    "2-4 before",
    "5+ before",
)
_CUE_PAIRS = (  # noqa: SIM905
    "accuse*denial accuse*accused accuse*false accuse*reserve accuse*claimref accuse*reversal "
    "accuse*unsure accuse*negation say*denial say*unsure say*negation say*false plan*condition plan*limit "
    "plan*negation plan*scope plan*unsure agree*scope agree*explicit finding*explicit plan*explicit "
    "accuse*explicit say*explicit agree*condition agree*limit agree*negation finding*limit finding*unsure "
    "finding*caution finding*scope toll*unsure toll*limit absolute*limit absolute*caution future*unsure "
    "future*condition accuse*first denial*accuse accused*accuse denial*finding"
).split()
CUE_PAIRS = [pair.split("*") for pair in _CUE_PAIRS]
"""Kind of claim, kind of cue: the pairs that have a feature of their own."""
NEARBY_CUES = (  # noqa: SIM905
    "explicit turn open starts_contrast contrast denial unsure limit scope negation accused reversal "
    "condition strong false"
).split()
EARLIER_CUES = ("strong", "denial")
STRONG_CUES = ("denial", "false", "unsure", "reserve", "scope", "claimref")
REPLY_CUES = ("denial", "accused", "false", "reserve")
CLAIM_KINDS = ("agree", "finding", "plan", "accuse")
NAMES_AND_LIMITS = "names the claim's kind and limits it"
"""`The agreement in no way ...`, after the first sentence about an agreement."""
SPECIAL_FEATURES = (
    "answers the accusation before it",
    "answers the lead's accusation",
    "opens with the claim's kind",
    NAMES_AND_LIMITS,
    "opens with the claim's kind, negated",
    "lead and the next sentence",
    "lead and an explicit cue",
)
CLAIM_FEATURES = [
    *(f"claim: {name}" for name in CLAIM_CUES),
    *(f"claim: {name}" for name in CLAIM_TRAITS),
    "claim: worth",
]
CAVEAT_FEATURES = [
    *(f"caveat: {name}" for name in CAVEAT_CUES),
    *(f"caveat: {name}" for name in CAVEAT_TRAITS),
    "caveat: worth",
]
BETWEEN_FEATURES = [
    *DISTANCES,
    *(f"{claim} met by {cue}" for claim, cue in CUE_PAIRS),
    *(f"{cue} {gap}" for gap in ("next", "2-3 later") for cue in NEARBY_CUES),
    *(f"{cue} before" for cue in EARLIER_CUES),
    *SPECIAL_FEATURES,
]
PAIR_FEATURE_NAMES = (*CLAIM_FEATURES, *CAVEAT_FEATURES, *BETWEEN_FEATURES)
_SIZES = (len(DISTANCES), len(CUE_PAIRS), 2 * len(NEARBY_CUES), len(EARLIER_CUES), len(SPECIAL_FEATURES))
_GROUPS = [slice(end - size, end) for size, end in zip(_SIZES, accumulate(_SIZES), strict=True)]
_FIRST_BEFORE = DISTANCES.index("just before")
_DISTANCE_INDEX = np.array([7, 6, 6, 6, 5, 8, 0, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3, 3, 4])
"""The index in DISTANCES of a distance from -5 (or less) to 13 (or more); 8, none, for distance 0."""
SENTENCE_COLUMNS = [f"bit {bit}" for bit in range(FLAG_BITS)]
for _name, _bit in FLAG_BIT.items():
    SENTENCE_COLUMNS[_bit] = _name
SENTENCE_COLUMNS += [f"trait {name}" for name in FEATURE_NAMES]
SENTENCE_COLUMNS += ["worth", "strong", "replies"]
"""The columns of the table that the features of claims and caveats are selected from."""


def _columns(names: Sequence[str]) -> IntArray:
    found = [SENTENCE_COLUMNS.index(name if name in SENTENCE_COLUMNS else f"trait {name}") for name in names]
    return np.array(found)  # a list would be converted for each use


def _side(cues: Sequence[str], traits: Sequence[str]) -> IntArray:
    return np.concatenate([_columns(cues), _columns([*(f"trait {name}" for name in traits), "worth"])])


_CLAIM, _CAVEAT = _side(CLAIM_CUES, CLAIM_TRAITS), _side(CAVEAT_CUES, CAVEAT_TRAITS)
_LEFT, _RIGHT = (_columns([pair[k] for pair in CUE_PAIRS]) for k in (0, 1))
_NEAR, _EARLY, _KINDS = _columns(NEARBY_CUES), _columns(EARLIER_CUES), _columns(CLAIM_KINDS)
_STRONG, _REPLIES, _KIND_BITS = (
    np.array([FLAG_BIT[name] for name in names]) for names in (STRONG_CUES, REPLY_CUES, CLAIM_KINDS)
)
_SPECIAL = _columns(["accuse", "negation", "explicit", "replies"])


MAX_CAVEAT_DISTANCE = 60
"""In sentences. In a long article, many small probabilities would add up to certainty and leave one point."""


class PairFeatures:
    """The features of all pairs of sentences of one article; `pick_scores` has one score per sentence."""

    def __init__(self, features: ArticleFeatures, pick_scores: FloatArray) -> None:
        self.sentence_count = len(pick_scores)
        seen = features.flag_counts.T > 0
        self.facts = facts = np.empty((len(SENTENCE_COLUMNS), self.sentence_count))
        facts[: len(seen)] = seen
        facts[len(seen) : -3] = features.table.T
        facts[-3] = pick_scores
        facts[-2] = seen[_STRONG].any(axis=0)
        facts[-1] = seen[_REPLIES].any(axis=0)
        self._opening = features.opening_flags

    @property
    def claim(self) -> FloatArray:
        """The features of the sentences as claims, sentences x CLAIM_FEATURES."""
        return self.facts[_CLAIM].T

    @property
    def caveat(self) -> FloatArray:
        """The features of the sentences as caveats, sentences x CAVEAT_FEATURES."""
        return self.facts[_CAVEAT].T

    def between(self, claims: IntArray) -> FloatArray:
        """Return an array of claims x sentences x BETWEEN_FEATURES, for learning and explaining."""
        distances = self._distances(claims)
        gaps = [distances == k for k in range(len(DISTANCES))]
        is_before = (distances >= _FIRST_BEFORE) & (distances < len(DISTANCES))
        planes = [*gaps]
        planes += [
            claim[claims, None] * cue
            for claim, cue in zip(self.facts[_LEFT], self.facts.take(_RIGHT, axis=0), strict=True)
        ]
        planes += [gap * cue for gap in gaps[:2] for cue in self.facts.take(_NEAR, axis=0)]
        planes += [is_before * cue for cue in self.facts.take(_EARLY, axis=0)]
        return np.stack([*planes, *self._special(claims, distances)], axis=-1)

    def weighted_between(self, claims: IntArray, weights: Sequence[FloatArray]) -> FloatArray:
        """Return `between(claims) @ weights`, models x claims x sentences, without the large array.

        `weights` are those of `group_weights`. The score of a sentence with itself is undefined.
        """
        distances = self._distances(claims)
        gap, together, near, before, special = weights
        models = len(gap)
        by_distance = np.zeros((models, len(DISTANCES) + 1, self.sentence_count))
        by_distance[:, :-1] = gap[:, :, None]
        by_distance[:, :2] += near.reshape(models, 2, -1) @ self.facts.take(_NEAR, axis=0)
        by_distance[:, _FIRST_BEFORE:-1] += (before @ self.facts.take(_EARLY, axis=0))[:, None]
        score: FloatArray = by_distance[:, distances, np.arange(self.sentence_count)]
        claim_cues = self.facts.take(_LEFT, axis=0).take(claims, axis=1).T
        score += (claim_cues * together[:, None]) @ self.facts.take(_RIGHT, axis=0)
        planes = self._special(claims, distances).reshape(len(SPECIAL_FEATURES), -1)
        score += (special @ planes).reshape(score.shape)
        return score

    def _distances(self, claims: IntArray) -> IntArray:
        """Return the index in DISTANCES of each pair; one more for a sentence with itself."""
        gap = np.arange(self.sentence_count) - claims[:, None]
        distances: IntArray = _DISTANCE_INDEX[np.minimum(np.maximum(gap, -5), 13) + 5]
        return distances

    def _special(self, claims: IntArray, distances: IntArray) -> FloatArray:
        """Return SPECIAL_FEATURES x claims x sentences."""
        accuse, negation, explicit, replies = self.facts.take(_SPECIAL, axis=0)
        planes = np.zeros((len(SPECIAL_FEATURES), *distances.shape))
        answers, answers_lead, opens, limits, negates, lead_next, lead_explicit = planes
        latest = np.empty(self.sentence_count, dtype=np.int64)
        latest[0] = -1
        np.maximum.accumulate(np.where(accuse > 0, np.arange(self.sentence_count), -1)[:-1], out=latest[1:])
        np.multiply(latest == claims[:, None], replies, out=answers)
        lead = claims == 0
        answers_lead[lead] = replies * accuse[0]
        lead_next[lead, 1:2] = 1
        lead_explicit[lead] = explicit
        named = (self._opening[:, _KIND_BITS] > 0).T
        opening = np.flatnonzero(named.any(axis=0))  # few sentences open with the kind of a claim
        if len(opening):
            kinds, later = self.facts[_KINDS], distances[:, opening] < _FIRST_BEFORE
            kind = (kinds[:, claims].T @ named[:, opening] > 0) & later
            first = (kinds * (kinds.cumsum(axis=1) == 1))[:, claims].T @ named[:, opening] > 0
            opens[:, opening] = kind
            limits[:, opening] = (first & later) * explicit[opening]
            negates[:, opening] = kind * negation[opening]
        return planes


def group_weights(weights: FloatArray) -> list[FloatArray]:
    """Return the weights of BETWEEN_FEATURES x models by group of features, each models x features."""
    return [weights[group].T for group in _GROUPS]


class PairModel:
    """Two logistic models of a pair: the second qualifies the first; the first misleads without the second.

    `weights` maps the name of a feature to its weights in the two models, `bias` has their two constants.
    """

    def __init__(self, weights: Mapping[str, Sequence[float]], bias: Sequence[float]) -> None:
        table = np.array([weights.get(name, (0.0, 0.0)) for name in PAIR_FEATURE_NAMES])
        self.weights = table
        cut = len(CLAIM_FEATURES), len(CLAIM_FEATURES) + len(CAVEAT_FEATURES)
        claim, caveat, between = np.split(table, cut)
        self._between = group_weights(between)
        self._sides = np.zeros((2, table.shape[1], len(SENTENCE_COLUMNS)))
        np.add.at(self._sides[0].T, _CLAIM, claim)
        np.add.at(self._sides[1].T, _CAVEAT, caveat)
        self._bias = np.array(bias)

    def probabilities(self, pairs: PairFeatures, claims: IntArray) -> tuple[FloatArray, FloatArray]:
        """Return the probabilities of the two models, claims x sentences; 0 for a sentence with itself.

        That of the second is 0 for sentences that are MAX_CAVEAT_DISTANCE or more apart.
        """
        as_claim, as_caveat = self._sides @ pairs.facts
        score = pairs.weighted_between(claims, self._between)
        score += as_claim[:, claims, None] + (as_caveat + self._bias[:, None])[:, None]
        probability = 1 / (1 + np.exp(-score))
        probability[:, np.arange(len(claims)), claims] = 0
        if pairs.sentence_count > MAX_CAVEAT_DISTANCE:
            far = np.abs(np.arange(pairs.sentence_count) - claims[:, None]) >= MAX_CAVEAT_DISTANCE
            probability[1, far] = 0
        return probability[0], probability[1]

    def reasons(
        self, pairs: PairFeatures, claim: int, caveat: int, limit: int = 4
    ) -> list[tuple[str, float]]:
        """Return the features that contribute most to the first model, with their part of the log-odds."""
        values = np.concatenate(
            [pairs.claim[claim], pairs.caveat[caveat], pairs.between(np.array([claim]))[0, caveat]]
        )
        parts = values * self.weights[:, 0]
        best = np.argsort(-parts, kind="stable")[:limit]
        return [(PAIR_FEATURE_NAMES[place], float(parts[place])) for place in best if parts[place] > 0]
