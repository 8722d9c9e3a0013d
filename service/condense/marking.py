"""Marking: which of the shown sentences are caveats, of what, how sure that is, and of what kind (pure).

The models say how likely a sentence qualifies another one, and how likely it qualifies anything. This module
decides what a reader is told of it. A wrong mark costs more than a missing one: the sentence is shown anyway.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from service.condense.caveat_words import (
    DENIALS,
    EXPLICIT,
    NEGATIONS,
    REPLIES,
    can_be_tied,
    has_cue,
    is_clear,
    kind_of,
    qualifies_clearly,
    says_so_nearby,
)
from service.condense.features import ArticleFeatures, FloatArray, IntArray
from service.core.model import CaveatKind, Grade

MIN_TIED = 0.25  # of the probability of a tie; out of fold, three in four are labelled so
MAX_DISTANCE = 5  # in sentences; a doubt or limit further from a sentence is about something else
MIN_STORY = 0.15  # of the probability that it qualifies something shown; two in three are labelled so
MIN_STORY_OF_EXPLICIT = 0.1  # where its words say that something is not so, or not known
MIN_CONTEXT = 0.06
ANY_CLAIM = 0.02
"""Added to the probability of the likeliest claim, since a caveat may qualify the story as a whole."""
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
    `judged` are the pairs (claim, caveat) that a judge flagged, with their kinds: the rules against typical
    errors of the models are not for them.
    """

    features: ArticleFeatures
    claims: IntArray
    is_caveat: FloatArray
    is_needed: FloatArray
    qualifies: FloatArray
    judged: Mapping[tuple[int, int], CaveatKind] = field(default_factory=dict)


def tie_caveats(
    stages: Sequence[Sequence[int]], headline: int | None, evidence: CaveatEvidence
) -> dict[int, CaveatLink]:
    """Return the claim of each caveat whose claim is sure, and the probability of it.

    `stages` are the places that enter a summary together, each among the evidence's claims. A caveat keeps
    the claim that it has at the first stage with one, so that it is the same in a longer summary.
    `headline` is the place of the sentence that the headline repeats, None if there is none.
    """
    links: dict[int, CaveatLink] = {}
    known: list[int] = []
    for stage in stages:
        known += stage
        claims = [*known, *([] if headline is None else [headline])]
        fixed = links.keys() | {claim for claim, _ in links.values()}
        likely = _likely_caveats([place for place in known if place not in fixed], claims, evidence)
        found = _link_claims(likely, known, claims, evidence, links)
        links = _without_repeated_denials(links, found, evidence)
    return {caveat: (_root(claim, links), probability) for caveat, (claim, probability) in links.items()}


def mark_caveats(
    shown: Sequence[int], headline: int | None, evidence: CaveatEvidence, ties: Mapping[int, CaveatLink]
) -> dict[int, Mark]:
    """Return the marks of the caveats among `shown`, by place; the other sentences are points.

    `ties` are those of `tie_caveats`; one whose claim is not shown does not count.
    """
    features = evidence.features
    claims = [*shown, *([] if headline is None else [headline])]
    links = {caveat: link for caveat, link in ties.items() if caveat in shown and link[0] in claims}
    marks = {}
    for caveat, (claim, probability) in links.items():
        kind = evidence.judged.get((claim, caveat)) or kind_of(caveat, features)
        marks[caveat] = Mark(Grade.TIED, claim, kind, probability)
    is_denied = any(has_cue(features, caveat, DENIALS) for caveat in links)
    points = {mark.claim for mark in marks.values()}
    for place, probability in _likely_caveats(shown, claims, evidence).items():
        if place in marks or place in points:
            continue
        repeats = is_denied and has_cue(features, place, DENIALS)
        is_explicit = has_cue(features, place, EXPLICIT) or kind_of(place, features) is not None
        least = MIN_STORY_OF_EXPLICIT if is_explicit else MIN_STORY
        is_sure = probability >= least or says_so_nearby(place, claims, features)
        if is_sure and not repeats and qualifies_clearly(place, claims, features):
            marks[place] = Mark(Grade.STORY, None, kind_of(place, features), probability)
        elif probability >= MIN_CONTEXT:
            marks[place] = Mark(Grade.CONTEXT, None, None, probability)
    return marks


def needed_caveats(evidence: CaveatEvidence, headline: int | None) -> dict[int, CaveatLink]:
    """Return, for each claim that is not clear without a caveat, the likeliest one and its probability.

    A claim is not shown without the caveat that would surely be tied to it. `headline` is that of
    `mark_caveats`.
    """
    certainty, flags = _certainty(evidence), evidence.features.flags
    claims, places = evidence.claims, np.arange(certainty.shape[1])
    denies, negative = flags & DENIALS != 0, flags & NEGATIONS != 0
    allowed = places > claims[:, None]
    allowed[claims == (-1 if headline is None else headline)] = True
    allowed &= (places > 0) & ~(negative[claims, None] & denies)
    row_of = {claim: row for row, claim in enumerate(claims.tolist())}
    for claim, caveat in evidence.judged:
        if claim in row_of:
            allowed[row_of[claim], caveat] = claim != caveat
    certainty = np.where(allowed, certainty, 0)
    likeliest = certainty.argmax(axis=1)
    highest = certainty[np.arange(len(likeliest)), likeliest]
    return {
        claim: (caveat, probability)
        for claim, caveat, probability in zip(
            evidence.claims.tolist(), likeliest.tolist(), highest.tolist(), strict=True
        )
        if probability >= MIN_TIED
    }


def _certainty(evidence: CaveatEvidence) -> FloatArray:
    """Return how sure each tie is, claims x candidates."""
    certainty: FloatArray = np.sqrt(evidence.is_caveat * evidence.is_needed) * evidence.qualifies
    return certainty


def _likely_caveats(
    shown: Sequence[int], claims: Sequence[int], evidence: CaveatEvidence
) -> dict[int, float]:
    """Return the sentences that probably qualify something shown, with the probability; never the first."""
    places = np.array([place for place in shown if place > 0], dtype=np.int64)
    is_shown = [claim in claims for claim in evidence.claims.tolist()]  # np.isin takes longer
    pairs = evidence.is_caveat[is_shown][:, places]
    likeliest = pairs.max(axis=0, initial=0.0)
    probability = evidence.qualifies[places] * (ANY_CLAIM + likeliest)
    return {
        place: value
        for place, value in zip(places.tolist(), probability.tolist(), strict=True)
        if value >= MIN_CONTEXT or says_so_nearby(place, claims, evidence.features)
    }


def _link_claims(
    likely: Collection[int],
    shown: Sequence[int],
    claims: Sequence[int],
    evidence: CaveatEvidence,
    known: Mapping[int, CaveatLink],
) -> dict[int, CaveatLink]:
    """Return the claim of each likely caveat whose claim is sure, and the probability; `known` are others.

    Its claim comes before it, so that readers meet it first, or is in the headline. A denial under a sentence
    that denies repeats it, or denies something else. Only a judge may tie the others.
    """
    features = evidence.features
    certainty = _certainty(evidence)
    row = {claim: k for k, claim in enumerate(evidence.claims.tolist())}
    negative = {place for place in claims if has_cue(features, place, NEGATIONS)}
    links = dict(known)
    for caveat in likely:
        able = is_clear(caveat, claims, features) and can_be_tied(caveat, claims, features)
        denies, replies = has_cue(features, caveat, DENIALS), has_cue(features, caveat, REPLIES)
        found = [
            (float(certainty[row[claim], caveat]), -claim)
            for claim in claims
            if _root(claim, links) != caveat
            and (
                (claim, caveat) in evidence.judged
                or (
                    able
                    and (claim < caveat or claim not in shown)
                    and not (denies and claim in negative)
                    and (replies or caveat - claim <= MAX_DISTANCE)
                )
            )
        ]
        if found and max(found)[0] >= MIN_TIED:
            probability, place = max(found)
            links[caveat] = -place, probability
    return links


def _without_repeated_denials(
    known: Mapping[int, CaveatLink], links: Mapping[int, CaveatLink], evidence: CaveatEvidence
) -> dict[int, CaveatLink]:
    """Return the links without further denials of a point: they repeat the first, or are another person's.

    Those `known` are kept.
    """
    kept = dict(known)
    denied = {_root(place, links) for place in known if has_cue(evidence.features, place, DENIALS)}
    for caveat in sorted(links.keys() - known.keys()):
        if has_cue(evidence.features, caveat, DENIALS):
            root = _root(caveat, links)
            if root in denied and (links[caveat][0], caveat) not in evidence.judged:
                continue
            denied.add(root)
        kept[caveat] = links[caveat]
    return kept


def _root(place: int, links: Mapping[int, CaveatLink]) -> int:
    """Return the point at the end of the chain: a caveat of a caveat qualifies the point of the latter."""
    while place in links:
        place = links[place][0]
    return place
