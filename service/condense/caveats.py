"""Caveats: how probable it is that one sentence qualifies another, and the reasons for it.

A pair is judged by the kind of claim, the kind of cue, and how far apart the two stand; shared words and names were
measured to mislead and are left out. The judgement is a logistic one, so every reason is a feature times its weight.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from service.condense.features import NAMES, Float, Int, Reading
from service.condense.words import BITS

CLAIM_CUES = (
    "accuse say unsure plan agree finding toll absolute future modal denial accused caution question limit condition "
    "negation claimref reversal false"
).split()
CLAIM_TRAITS = (
    "lead deep quoted opens_quote short length central before_contrast names starts_pronoun".split()
)
CAVEAT_CUES = (
    "explicit turn open denial false unsure reserve limit condition scope accused claimref negation reversal caution "
    "question say accuse contrast modal finding toll number first plan agree absolute"
).split()
CAVEAT_TRAITS = (
    "quoted opens_quote short length central like_lead names starts_pronoun starts_demonstrative lead answers "
    "starts_contrast"
).split()
GAPS = ("next", "2-3 later", "4-6 later", "7-12 later", "13+ later", "just before", "2-4 before", "5+ before")
TOGETHER = [
    tuple(pair.split("*"))
    for pair in (
        "accuse*denial accuse*accused accuse*false accuse*reserve accuse*claimref accuse*reversal accuse*unsure "
        "accuse*negation say*denial say*unsure say*negation say*false plan*condition plan*limit plan*negation "
        "plan*scope plan*unsure agree*scope agree*explicit finding*explicit plan*explicit accuse*explicit say*explicit "
        "agree*condition agree*limit agree*negation finding*limit finding*unsure finding*caution finding*scope "
        "toll*unsure toll*limit absolute*limit absolute*caution future*unsure future*condition accuse*first "
        "denial*accuse accused*accuse denial*finding"
    ).split()
]
"""Kind of claim and kind of cue that were looked at together."""
NEARBY = (
    "explicit turn open starts_contrast contrast denial unsure limit scope negation accused reversal condition strong "
    "false"
).split()
STRONG = ("denial", "false", "unsure", "reserve", "scope", "claimref")
REPLIES = ("denial", "accused", "false", "reserve")
KINDS = ("agree", "finding", "plan", "accuse")
SPECIAL = (
    "answers the accusation before it",
    "answers the lead's accusation",
    "opens with the claim's kind",
    "opens with the claim's kind, explicit",
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
    *(f"{cue} before" for cue in ("strong", "denial")),
    *SPECIAL,
]
PAIR_NAMES = (*CLAIM_SIDE, *CAVEAT_SIDE, *BETWEEN)
_COLUMN = {name: place for place, name in enumerate(NAMES)}


class Sides:
    """What pairs are judged by, for one article; `worth` is each sentence's pick score."""

    def __init__(self, reading: Reading, worth: Float) -> None:
        self.n = len(worth)
        seen = (reading.counts > 0).astype(np.float64)
        self._seen = {name: seen[:, bit] for name, bit in BITS.items()}
        self._seen["starts_contrast"] = reading.table[:, _COLUMN["starts_contrast"]]
        self._seen["strong"] = np.maximum.reduce([self._seen[name] for name in STRONG])
        self._seen["replies"] = np.maximum.reduce([self._seen[name] for name in REPLIES])
        self._opening = reading.opening
        self.claim = _side(self._seen, reading.table, CLAIM_CUES, CLAIM_TRAITS, worth)
        self.caveat = _side(self._seen, reading.table, CAVEAT_CUES, CAVEAT_TRAITS, worth)

    def between(self, claims: Int) -> Float:
        """Return claims x sentences x `BETWEEN`."""
        seen = self._seen
        gap = np.arange(self.n)[None, :] - claims[:, None]
        gaps = [
            gap == 1,
            (gap > 1) & (gap < 4),
            (gap > 3) & (gap < 7),
            (gap > 6) & (gap < 13),
            gap > 12,
            gap == -1,
            (gap < -1) & (gap > -5),
            gap < -4,
        ]
        planes = np.empty((len(BETWEEN), len(claims), self.n))
        planes[: len(gaps)] = gaps
        left = np.array([seen[claim][claims] for claim, _ in TOGETHER])
        right = np.array([seen[cue] for _, cue in TOGETHER])
        at = len(gaps) + len(TOGETHER)
        np.multiply(left[:, :, None], right[:, None, :], out=planes[len(gaps) : at])
        near = np.array([seen[cue] for cue in NEARBY])[:, None, :]
        for plane in (gaps[0], gaps[1]):
            np.multiply(near, plane, out=planes[at : at + len(NEARBY)])
            at += len(NEARBY)
        for cue in ("strong", "denial"):
            planes[at] = (gap < 0) * seen[cue]
            at += 1
        planes[at:] = self._special(claims, gap)
        return np.moveaxis(planes, 0, -1)

    def _special(self, claims: Int, gap: Int) -> Sequence[NDArray[np.float64]]:
        seen = self._seen
        lead = claims[:, None] == 0
        accuser = np.where(seen["accuse"] > 0, np.arange(self.n), -1)
        latest = np.concatenate([[-1], np.maximum.accumulate(accuser)[:-1]])
        kind = np.maximum.reduce(
            [seen[name][claims][:, None] * (self._opening[:, BITS[name]] > 0)[None, :] for name in KINDS]
        ) * (gap > 0)
        return [
            (latest[None, :] == claims[:, None]) * seen["replies"],
            lead * seen["replies"] * seen["accuse"][0],
            kind,
            kind * seen["explicit"],
            kind * seen["negation"],
            lead * (gap == 1),
            lead * seen["explicit"],
        ]


def _side(seen: Mapping[str, Float], table: Float, cues: list[str], traits: list[str], worth: Float) -> Float:
    columns = [seen[name] for name in cues]
    columns += [table[:, _COLUMN[name]] for name in traits]
    return np.stack([*columns, worth], axis=1)


class PairModel:
    """Two logistic models over the same features: is it a caveat at all, and does the claim mislead without it.

    `weights` maps a feature's name to its two weights, `bias` holds their two constants.
    """

    def __init__(self, weights: Mapping[str, Sequence[float]], bias: Sequence[float]) -> None:
        table = np.array([weights.get(name, (0.0, 0.0)) for name in PAIR_NAMES])
        self.weights = table
        cut = len(CLAIM_SIDE), len(CLAIM_SIDE) + len(CAVEAT_SIDE)
        self._claim, self._caveat, self._between = np.split(table, cut)
        self._bias = np.array(bias)

    def probabilities(self, sides: Sides, claims: Int) -> tuple[Float, Float]:
        """Return, as claims x sentences, the probabilities of `caveat` and of `must`; 0 for a claim with itself."""
        score = (sides.claim[claims] @ self._claim)[:, None] + (sides.caveat @ self._caveat)[None]
        score += sides.between(claims) @ self._between + self._bias
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
