"""Caveats: how probable it is that one sentence qualifies another, and the reasons for it.

A pair is judged by the kind of claim, the kind of cue, and how far apart the two stand; shared words and
names were measured to mislead and are left out. The judgement is a logistic one, so that every reason is a
feature times its weight.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from service.condense.features import NAMES, Float, Int, Reading
from service.text.lexicon import BITS, FLAG_BITS

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
GAPS = ("next", "2-3 later", "4-6 later", "7-12 later", "13+ later", "just before", "2-4 before", "5+ before")
_TOGETHER = (  # noqa: SIM905 - as above
    "accuse*denial accuse*accused accuse*false accuse*reserve accuse*claimref accuse*reversal "
    "accuse*unsure accuse*negation say*denial say*unsure say*negation say*false plan*condition plan*limit "
    "plan*negation plan*scope plan*unsure agree*scope agree*explicit finding*explicit plan*explicit "
    "accuse*explicit say*explicit agree*condition agree*limit agree*negation finding*limit finding*unsure "
    "finding*caution finding*scope toll*unsure toll*limit absolute*limit absolute*caution future*unsure "
    "future*condition accuse*first denial*accuse accused*accuse denial*finding"
).split()
TOGETHER = [pair.split("*") for pair in _TOGETHER]
"""Kind of claim and kind of cue that were looked at together."""
NEARBY = (  # noqa: SIM905 - as above
    "explicit turn open starts_contrast contrast denial unsure limit scope negation accused reversal "
    "condition strong false"
).split()
EARLIER = ("strong", "denial")
STRONG = ("denial", "false", "unsure", "reserve", "scope", "claimref")
REPLIES = ("denial", "accused", "false", "reserve")
KINDS = ("agree", "finding", "plan", "accuse")
NAMES_AND_LIMITS = "names the claim's kind and limits it"
"""`The agreement in no way ...`: said of the first sentence that tells of such a thing."""
SPECIAL = (
    "answers the accusation before it",
    "answers the lead's accusation",
    "opens with the claim's kind",
    NAMES_AND_LIMITS,
    "opens with the claim's kind, negated",
    "lead and the next sentence",
    "lead and an explicit cue",
)
CLAIM_SIDE = [
    *(f"claim: {name}" for name in CLAIM_CUES),
    *(f"claim: {name}" for name in CLAIM_TRAITS),
    "claim: worth",
]
CAVEAT_SIDE = [
    *(f"caveat: {name}" for name in CAVEAT_CUES),
    *(f"caveat: {name}" for name in CAVEAT_TRAITS),
    "caveat: worth",
]
BETWEEN = [
    *GAPS,
    *(f"{claim} met by {cue}" for claim, cue in TOGETHER),
    *(f"{cue} {gap}" for gap in ("next", "2-3 later") for cue in NEARBY),
    *(f"{cue} before" for cue in EARLIER),
    *SPECIAL,
]
PAIR_NAMES = (*CLAIM_SIDE, *CAVEAT_SIDE, *BETWEEN)
_CUTS = np.cumsum([len(GAPS), len(TOGETHER), 2 * len(NEARBY), len(EARLIER)])
_KIND_OF_GAP = np.array([7, 6, 6, 6, 5, 8, 0, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3, 3, 4])
"""Which of `GAPS` a distance of -5 (or less) to 13 (or more) is; 8, none, for a sentence with itself."""
FACTS = [f"bit {bit}" for bit in range(FLAG_BITS)]
for _name, _bit in BITS.items():
    FACTS[_bit] = _name
FACTS += [f"trait {name}" for name in NAMES]
FACTS += ["worth", "strong", "replies"]
"""The columns that both sides of a pair are cut from."""


def _columns(names: Sequence[str]) -> list[int]:
    return [FACTS.index(name if name in FACTS else f"trait {name}") for name in names]


def _side(cues: Sequence[str], traits: Sequence[str]) -> list[int]:
    return [*_columns(cues), *_columns([f"trait {name}" for name in traits]), FACTS.index("worth")]


_CLAIM, _CAVEAT = _side(CLAIM_CUES, CLAIM_TRAITS), _side(CAVEAT_CUES, CAVEAT_TRAITS)
_LEFT, _RIGHT = (_columns([pair[k] for pair in TOGETHER]) for k in (0, 1))
_NEAR, _EARLY, _KINDS = _columns(NEARBY), _columns(EARLIER), _columns(KINDS)
_STRONG, _REPLIES, _KIND_BITS = ([BITS[name] for name in names] for names in (STRONG, REPLIES, KINDS))
_SPECIAL = _columns(["accuse", "negation", "explicit", "replies"])


class Sides:
    """What pairs are judged by, for one article; `worth` is each sentence's pick score."""

    def __init__(self, reading: Reading, worth: Float) -> None:
        self.n = len(worth)
        seen = reading.counts > 0
        facts = np.empty((self.n, len(FACTS)))
        facts[:, : seen.shape[1]] = seen
        facts[:, seen.shape[1] : -3] = reading.table
        facts[:, -3] = worth
        facts[:, -2] = seen[:, _STRONG].any(axis=1)
        facts[:, -1] = seen[:, _REPLIES].any(axis=1)
        self._facts = facts
        self._opening = reading.opening
        self.claim = facts[:, _CLAIM]
        self.caveat = facts[:, _CAVEAT]
        self.left = facts[:, _LEFT]
        self.right = facts[:, _RIGHT]
        self.near = facts[:, _NEAR]
        self.early = facts[:, _EARLY]

    def between(self, claims: Int) -> Float:
        """Return claims x sentences x `BETWEEN`, to learn from and to explain."""
        gaps = self._gaps(claims)
        planes = list(gaps)
        planes += [self.left[claims, k, None] * self.right[:, k] for k in range(len(TOGETHER))]
        planes += [gaps[k] * self.near[:, cue] for k in (0, 1) for cue in range(len(NEARBY))]
        before = gaps[5:].any(axis=0)
        planes += [before * self.early[:, cue] for cue in range(len(EARLIER))]
        return np.stack([*planes, *self._special(claims, gaps)], axis=-1)

    def weighed(self, claims: Int, weights: Float) -> Float:
        """Return `between(claims) @ weights` (claims x sentences x models) without spreading it out."""
        gaps = self._gaps(claims)
        gap, together, near, before, special = np.split(weights, _CUTS)
        near = near.reshape(2, len(NEARBY), -1)
        by_gap = np.broadcast_to(gap[:, None, :], (len(GAPS), self.n, gap.shape[1])).copy()
        by_gap[:2] += self.near @ near
        by_gap[5:] += self.early @ before
        which = gaps.argmax(axis=0)
        score: Float = by_gap[which, np.arange(self.n)[None, :]]
        for model in range(weights.shape[1]):
            score[..., model] += (self.left[claims] * together[:, model]) @ self.right.T
        score += np.einsum("kcs,km->csm", np.array(self._special(claims, gaps)), special)
        return score

    def _gaps(self, claims: Int) -> NDArray[np.bool_]:
        gap = np.arange(self.n)[None, :] - claims[:, None]
        kind = _KIND_OF_GAP[np.clip(gap, -5, 13) + 5]
        is_gap: NDArray[np.bool_] = kind == np.arange(len(GAPS))[:, None, None]
        return is_gap

    def _special(self, claims: Int, gaps: NDArray[np.bool_]) -> Sequence[NDArray[np.float64]]:
        accuse, negation, explicit, replies = self._facts[:, _SPECIAL].T
        lead = claims[:, None] == 0
        latest = np.empty(self.n, dtype=np.int64)
        latest[0] = -1
        np.maximum.accumulate(np.where(accuse > 0, np.arange(self.n), -1)[:-1], out=latest[1:])
        told, named = self._facts[:, _KINDS], (self._opening[:, _KIND_BITS] > 0).astype(np.float64)
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
        table = np.array([weights.get(name, (0.0, 0.0)) for name in PAIR_NAMES])
        self.weights = table
        cut = len(CLAIM_SIDE), len(CLAIM_SIDE) + len(CAVEAT_SIDE)
        self._claim, self._caveat, self._between = np.split(table, cut)
        self._bias = np.array(bias)

    def probabilities(self, sides: Sides, claims: Int) -> tuple[Float, Float]:
        """Return the probabilities of `caveat` and of `must`, claims x sentences; 0 on the diagonal."""
        score = (sides.claim[claims] @ self._claim)[:, None] + (sides.caveat @ self._caveat)[None]
        score += sides.weighed(claims, self._between) + self._bias
        chance = 1 / (1 + np.exp(-score))
        chance[np.arange(len(claims)), claims] = 0
        return chance[..., 0], chance[..., 1]

    def reasons(self, sides: Sides, claim: int, caveat: int, most: int = 4) -> list[tuple[str, float]]:
        """Return the features that speak most for this pair, each with what it adds to the log-odds."""
        values = np.concatenate(
            [sides.claim[claim], sides.caveat[caveat], sides.between(np.array([claim]))[0, caveat]]
        )
        parts = values * self.weights[:, 0]
        best = np.argsort(-parts, kind="stable")[:most]
        return [(PAIR_NAMES[place], float(parts[place])) for place in best if parts[place] > 0]
