"""Marking: which of the shown sentences are caveats, of what, how sure that is, and of what kind (pure).

The models say how likely a sentence qualifies another one, and how likely it qualifies anything. This module
decides what a reader is told of it. A wrong mark costs more than a missing one: the sentence is shown anyway.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from service.condense.features import FEATURE_NAMES, ArticleFeatures, FloatArray, IntArray
from service.core.model import CaveatKind, Grade
from service.text.lexicon import FLAG_BIT

MIN_TIED = 0.25  # of the probability of a tie; marks 6 to 8 of 100 articles, and 6 of 10 ties are labelled
MIN_STORY = 0.1  # of the probability that it qualifies something shown
MIN_CONTEXT = 0.08
ANY_CLAIM = 0.02
"""Added to the probability of the likeliest claim, since a caveat may qualify the story as a whole."""
MAX_ORPHANED_SHARE = 0.3
"""Of a caveat's words, those that the article introduced in sentences that are not shown: a caveat with more
of them speaks of something that the reader has not seen."""

_DENIALS = [FLAG_BIT[name] for name in ("denial", "false", "accused")]
_QUALIFIERS = [
    FLAG_BIT[name]
    for name in ("denial", "false", "explicit", "unsure", "reserve", "scope", "limit", "condition")
]
_STARTS_CONTRAST = FEATURE_NAMES.index("starts_contrast")


CaveatLink = tuple[int, float]
"""The place of the claim that a sentence qualifies, and the probability of it."""


class Mark(NamedTuple):
    """What a reader is told of a shown sentence.

    `claim` is the place of the point, or of the sentence that the headline repeats, which a tied caveat
    qualifies; None for the other grades. `kind` is None if it is not sure.
    """

    grade: Grade
    claim: int | None
    kind: CaveatKind | None
    probability: float


@dataclass(frozen=True, slots=True)
class CaveatEvidence:
    """What the models say of an article's candidates.

    `claims` are the places of the sentences that may be claims. `is_caveat` and `is_needed` are claims x
    candidates: the probability that the candidate qualifies the claim, and that the claim misleads without
    it. `qualifies` is the probability, for each candidate, that it qualifies anything in its story.
    """

    features: ArticleFeatures
    claims: IntArray
    is_caveat: FloatArray
    is_needed: FloatArray
    qualifies: FloatArray


def mark_caveats(shown: Sequence[int], headline: int | None, evidence: CaveatEvidence) -> dict[int, Mark]:
    """Return the marks of the caveats among `shown`, by place; the other sentences are points.

    `shown` are places of candidates, each of them among the evidence's claims. `headline` is the place of the
    sentence that the headline repeats, None if there is none.
    """
    claims = [*shown, *([] if headline is None else [headline])]
    candidates = [
        place for place in shown if place > 0 and not _opposes_unshown(place, claims, evidence.features)
    ]
    links = _link_claims(candidates, claims, headline, evidence)
    marks = {}
    for caveat, (claim, probability) in links.items():
        kind = kind_of(caveat, evidence.features)
        marks[caveat] = Mark(Grade.TIED, _root(claim, links), kind, probability)
    points = {mark.claim for mark in marks.values()}
    for place in shown:
        if place > 0 and place not in marks and place not in points:
            grade, probability = _loose_grade(place, claims, evidence, sure=place in candidates)
            if grade:
                kind = kind_of(place, evidence.features) if grade is Grade.STORY else None
                marks[place] = Mark(grade, None, kind, probability)
    return marks


def _link_claims(
    candidates: Sequence[int], claims: Sequence[int], headline: int | None, evidence: CaveatEvidence
) -> dict[int, CaveatLink]:
    """Return the claim of each caveat whose claim is sure, and the probability.

    A claim comes before its caveat, or is in the headline: so readers meet it first, and there are no cycles.
    Where both deny, the caveat repeats the claim, or denies something else.
    """
    certainty = np.sqrt(evidence.is_caveat * evidence.is_needed) * evidence.qualifies
    row = {claim: k for k, claim in enumerate(evidence.claims.tolist())}
    denying = {place for place in claims if _has_cue(evidence.features, place, _DENIALS)}
    links = {}
    for caveat in candidates:
        found = [
            (float(certainty[row[claim], caveat]), -claim)
            for claim in claims
            if (claim < caveat or (claim == headline != caveat))
            and not (claim in denying and caveat in denying)
        ]
        if found and max(found)[0] >= MIN_TIED:
            probability, negative = max(found)
            links[caveat] = -negative, probability
    return links


def _root(claim: int, links: Mapping[int, CaveatLink]) -> int:
    """Return the point at the end of the chain: a caveat of a caveat qualifies the point of the latter."""
    while claim in links:
        claim = links[claim][0]
    return claim


def _loose_grade(
    caveat: int, claims: Sequence[int], evidence: CaveatEvidence, *, sure: bool
) -> tuple[Grade | None, float]:
    """Return the grade of a sentence whose claim is not sure, None for a point, and the probability.

    The sentence that a caveat of the story qualifies is shown: so it is not one that speaks of what is not
    shown, or that repeats a denial.
    """
    features = evidence.features
    rows = np.isin(evidence.claims, claims) & (evidence.claims != caveat)
    likeliest = float(evidence.is_caveat[rows, caveat].max(initial=0.0))
    probability = float(evidence.qualifies[caveat]) * (ANY_CLAIM + likeliest)
    if (
        sure
        and probability >= MIN_STORY
        and _has_cue(features, caveat, _QUALIFIERS)
        and not (
            _has_cue(features, caveat, _DENIALS)
            and any(_has_cue(features, claim, _DENIALS) for claim in claims if claim < caveat)
        )
        and _orphaned_share(caveat, claims, features) <= MAX_ORPHANED_SHARE
    ):
        return Grade.STORY, probability
    return (Grade.CONTEXT if probability >= MIN_CONTEXT else None), probability


def _has_cue(features: ArticleFeatures, place: int, bits: Sequence[int]) -> bool:
    return bool((features.flag_counts[place, bits] > 0).any())


def _opposes_unshown(caveat: int, claims: Sequence[int], features: ArticleFeatures) -> bool:
    """Return whether the sentence begins with "But" and what it opposes is not shown."""
    return bool(features.table[caveat, _STARTS_CONTRAST] > 0) and caveat - 1 not in claims


def _orphaned_share(caveat: int, claims: Sequence[int], features: ArticleFeatures) -> float:
    """Return the share of the caveat's words that stand before it only in sentences that are not shown."""
    row, column, _ = features.terms
    mine = column[row == caveat]
    if not len(mine):
        return 0.0
    others = np.array([claim for claim in claims if claim != caveat])
    orphaned = np.isin(mine, column[row < caveat]) & ~np.isin(mine, column[np.isin(row, others)])
    return float(orphaned.mean())


def kind_of(caveat: int, features: ArticleFeatures) -> CaveatKind | None:
    """Return what a caveat says of its claim, from its cues; None if that is not sure."""
    counts = features.flag_counts[caveat]
    has = {name for name, bit in FLAG_BIT.items() if counts[bit] > 0}
    if "denial" in has and "unsure" not in has:
        if counts[FLAG_BIT["negation"]] > 1:  # "neither confirmed nor denied"
            return None
        return CaveatKind.DENIED if has & {"explicit", "accuse", "claimref"} else CaveatKind.DISPUTED
    if {"unsure", "explicit"} <= has and "denial" not in has:
        return CaveatKind.UNCONFIRMED
    if {"condition", "explicit"} <= has:
        return CaveatKind.CONDITIONAL
    if {"scope", "explicit"} <= has:
        return CaveatKind.LIMITED
    return None
