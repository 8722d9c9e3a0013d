"""Caveats: how probable it is that one sentence qualifies another, and the reasons for it.

A pair is judged by the kind of claim, the kind of cue, and how far apart the two stand; shared words and
names were measured to mislead and are left out. The judgement is a logistic one, so that every reason is a
feature times its weight.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from service.condense.features import FEATURE_NAMES, ArticleFeatures, FloatArray, IntArray
from service.text.lexicon import FLAG_BIT, FLAG_BITS

CLAIM_CUES = (  # noqa: SIM905 - names read best as a line of words
    "accuse say unsure plan agree finding toll absolute future modal denial accused caution question "
    "limit condition negation claimref reversal false"
).split()
CLAIM_TRAITS = (  # noqa: SIM905 - as above
    "lead deep quoted opens_quote short length central before_contrast names starts_pronoun"
).split()
CAVEAT_CUES = (  # noqa: SIM905 - as above
    "explicit turn open denial false unsure reserve limit condition scope accused claimref negation "
    "reversal caution question say accuse contrast modal finding toll number first plan agree absolute"
).split()
CAVEAT_TRAITS = (  # noqa: SIM905 - as above
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
_CUE_PAIRS = (  # noqa: SIM905 - as above
    "accuse*denial accuse*accused accuse*false accuse*reserve accuse*claimref accuse*reversal "
    "accuse*unsure accuse*negation say*denial say*unsure say*negation say*false plan*condition plan*limit "
    "plan*negation plan*scope plan*unsure agree*scope agree*explicit finding*explicit plan*explicit "
    "accuse*explicit say*explicit agree*condition agree*limit agree*negation finding*limit finding*unsure "
    "finding*caution finding*scope toll*unsure toll*limit absolute*limit absolute*caution future*unsure "
    "future*condition accuse*first denial*accuse accused*accuse denial*finding"
).split()
CUE_PAIRS = [pair.split("*") for pair in _CUE_PAIRS]
"""Kind of claim and kind of cue that were looked at together."""
NEARBY_CUES = (  # noqa: SIM905 - as above
    "explicit turn open starts_contrast contrast denial unsure limit scope negation accused reversal "
    "condition strong false"
).split()
EARLIER_CUES = ("strong", "denial")
STRONG_CUES = ("denial", "false", "unsure", "reserve", "scope", "claimref")
REPLY_CUES = ("denial", "accused", "false", "reserve")
CLAIM_KINDS = ("agree", "finding", "plan", "accuse")
NAMES_AND_LIMITS = "names the claim's kind and limits it"
"""`The agreement in no way ...`: said of the first sentence that tells of such a thing."""
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
_SPLIT_POINTS = np.cumsum([len(DISTANCES), len(CUE_PAIRS), 2 * len(NEARBY_CUES), len(EARLIER_CUES)])
_DISTANCE_INDEX = np.array([7, 6, 6, 6, 5, 8, 0, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3, 3, 4])
"""Which of `GAPS` a distance of -5 (or less) to 13 (or more) is; 8, none, for a sentence with itself."""
SENTENCE_COLUMNS = [f"bit {bit}" for bit in range(FLAG_BITS)]
for _name, _bit in FLAG_BIT.items():
    SENTENCE_COLUMNS[_bit] = _name
SENTENCE_COLUMNS += [f"trait {name}" for name in FEATURE_NAMES]
SENTENCE_COLUMNS += ["worth", "strong", "replies"]
"""The columns that both sides of a pair are cut from."""


def _columns(names: Sequence[str]) -> list[int]:
    return [SENTENCE_COLUMNS.index(name if name in SENTENCE_COLUMNS else f"trait {name}") for name in names]


def _side(cues: Sequence[str], traits: Sequence[str]) -> list[int]:
    return [*_columns(cues), *_columns([f"trait {name}" for name in traits]), SENTENCE_COLUMNS.index("worth")]


_CLAIM, _CAVEAT = _side(CLAIM_CUES, CLAIM_TRAITS), _side(CAVEAT_CUES, CAVEAT_TRAITS)
_LEFT, _RIGHT = (_columns([pair[k] for pair in CUE_PAIRS]) for k in (0, 1))
_NEAR, _EARLY, _KINDS = _columns(NEARBY_CUES), _columns(EARLIER_CUES), _columns(CLAIM_KINDS)
_STRONG, _REPLIES, _KIND_BITS = (
    [FLAG_BIT[name] for name in names] for names in (STRONG_CUES, REPLY_CUES, CLAIM_KINDS)
)
_SPECIAL = _columns(["accuse", "negation", "explicit", "replies"])


class PairFeatures:
    """What pairs are judged by, for one article; `worth` is each sentence's pick score."""

    def __init__(self, features: ArticleFeatures, pick_scores: FloatArray) -> None:
        self.sentence_count = len(pick_scores)
        seen = features.flag_counts > 0
        facts = np.empty((self.sentence_count, len(SENTENCE_COLUMNS)))
        facts[:, : seen.shape[1]] = seen
        facts[:, seen.shape[1] : -3] = features.table
        facts[:, -3] = pick_scores
        facts[:, -2] = seen[:, _STRONG].any(axis=1)
        facts[:, -1] = seen[:, _REPLIES].any(axis=1)
        self._columns = facts
        self._opening = features.opening_flags
        self.claim = facts[:, _CLAIM]
        self.caveat = facts[:, _CAVEAT]
        self.claim_cues = facts[:, _LEFT]
        self.caveat_cues = facts[:, _RIGHT]
        self.nearby_cues = facts[:, _NEAR]
        self.earlier_cues = facts[:, _EARLY]

    def between(self, claims: IntArray) -> FloatArray:
        """Return claims x sentences x `BETWEEN`, to learn from and to explain."""
        gaps = self._distances(claims)
        planes = list(gaps)
        planes += [self.claim_cues[claims, k, None] * self.caveat_cues[:, k] for k in range(len(CUE_PAIRS))]
        planes += [gaps[k] * self.nearby_cues[:, cue] for k in (0, 1) for cue in range(len(NEARBY_CUES))]
        before = gaps[5:].any(axis=0)
        planes += [before * self.earlier_cues[:, cue] for cue in range(len(EARLIER_CUES))]
        return np.stack([*planes, *self._special(claims, gaps)], axis=-1)

    def weighted_between(self, claims: IntArray, weights: FloatArray) -> FloatArray:
        """Return `between(claims) @ weights` (claims x sentences x models) without spreading it out."""
        gaps = self._distances(claims)
        gap, together, near, before, special = np.split(weights, _SPLIT_POINTS)
        near = near.reshape(2, len(NEARBY_CUES), -1)
        by_gap = np.broadcast_to(gap[:, None, :], (len(DISTANCES), self.sentence_count, gap.shape[1])).copy()
        by_gap[:2] += self.nearby_cues @ near
        by_gap[5:] += self.earlier_cues @ before
        which = gaps.argmax(axis=0)
        score: FloatArray = by_gap[which, np.arange(self.sentence_count)[None, :]]
        for model in range(weights.shape[1]):
            score[..., model] += (self.claim_cues[claims] * together[:, model]) @ self.caveat_cues.T
        score += np.einsum("kcs,km->csm", np.array(self._special(claims, gaps)), special)
        return score

    def _distances(self, claims: IntArray) -> NDArray[np.bool_]:
        gap = np.arange(self.sentence_count)[None, :] - claims[:, None]
        kind = _DISTANCE_INDEX[np.clip(gap, -5, 13) + 5]
        is_gap: NDArray[np.bool_] = kind == np.arange(len(DISTANCES))[:, None, None]
        return is_gap

    def _special(self, claims: IntArray, gaps: NDArray[np.bool_]) -> Sequence[NDArray[np.float64]]:
        accuse, negation, explicit, replies = self._columns[:, _SPECIAL].T
        lead = claims[:, None] == 0
        latest = np.empty(self.sentence_count, dtype=np.int64)
        latest[0] = -1
        np.maximum.accumulate(np.where(accuse > 0, np.arange(self.sentence_count), -1)[:-1], out=latest[1:])
        told, named = self._columns[:, _KINDS], (self._opening[:, _KIND_BITS] > 0).astype(np.float64)
        later = gaps[:5].any(axis=0)
        kind = (told[claims] @ named.T > 0) & later
        first = (told * (told.cumsum(axis=0) == 1))[claims] @ named.T > 0
        return [
            (latest[None, :] == claims[:, None]) * replies,
            lead * (replies * accuse[0]),
            kind,
            (first & later) * explicit,
            kind * negation,
            lead & gaps[0],
            lead * explicit,
        ]


class PairModel:
    """Two logistic models of a pair: is the second a caveat of the first; does the first mislead alone.

    `weights` maps a feature's name to its two weights, `bias` holds their two constants.
    """

    def __init__(self, weights: Mapping[str, Sequence[float]], bias: Sequence[float]) -> None:
        table = np.array([weights.get(name, (0.0, 0.0)) for name in PAIR_FEATURE_NAMES])
        self.weights = table
        cut = len(CLAIM_FEATURES), len(CLAIM_FEATURES) + len(CAVEAT_FEATURES)
        self._claim, self._caveat, self._between = np.split(table, cut)
        self._bias = np.array(bias)

    def probabilities(self, pairs: PairFeatures, claims: IntArray) -> tuple[FloatArray, FloatArray]:
        """Return the probabilities of `caveat` and of `must`, claims x sentences; 0 on the diagonal."""
        score = (pairs.claim[claims] @ self._claim)[:, None] + (pairs.caveat @ self._caveat)[None]
        score += pairs.weighted_between(claims, self._between) + self._bias
        chance = 1 / (1 + np.exp(-score))
        chance[np.arange(len(claims)), claims] = 0
        return chance[..., 0], chance[..., 1]

    def reasons(
        self, pairs: PairFeatures, claim: int, caveat: int, limit: int = 4
    ) -> list[tuple[str, float]]:
        """Return the features that speak most for this pair, each with what it adds to the log-odds."""
        values = np.concatenate(
            [pairs.claim[claim], pairs.caveat[caveat], pairs.between(np.array([claim]))[0, caveat]]
        )
        parts = values * self.weights[:, 0]
        best = np.argsort(-parts, kind="stable")[:limit]
        return [(PAIR_FEATURE_NAMES[place], float(parts[place])) for place in best if parts[place] > 0]
