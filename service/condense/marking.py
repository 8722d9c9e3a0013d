"""Marking: which of the shown sentences are caveats, of what, how sure that is, and of what kind (pure).

The models say how likely a sentence qualifies another one, and how likely it qualifies anything. This module
decides what a reader is told of it. A wrong mark costs more than a missing one: the sentence is shown anyway.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from service.condense.features import FEATURE_NAMES, ArticleFeatures, FloatArray, IntArray
from service.core.model import CaveatKind, Grade
from service.text.lexicon import CUES, FLAG_BIT

MIN_TIED = 0.25  # of the probability of a tie; out of fold, three in four are labelled so
MAX_DISTANCE = 5  # in sentences; a doubt or limit further from a sentence is about something else
MIN_STORY = 0.15  # of the probability that it qualifies something shown; two in three are labelled so
MIN_CONTEXT = 0.06
ANY_CLAIM = 0.02
"""Added to the probability of the likeliest claim, since a caveat may qualify the story as a whole."""
MAX_ORPHANED_WORDS = 0.25
"""Share of a caveat's words that stand before it only in sentences that are not shown. With more of them, it
mostly qualifies what the reader has not seen."""
MAX_LOOK_BACK = 60  # sentences before a caveat whose words are compared, so that time is linear
MIN_QUOTED = 0.5  # share of a sentence's words inside quotation marks


def _flags_of(*names: str) -> int:
    return sum(1 << FLAG_BIT[name] for name in names)


_DENIALS = _flags_of("denial", "false", "accused")
_NEGATIONS = _DENIALS | _flags_of("negation", "explicit")
_QUALIFIERS = _flags_of("denial", "explicit", "unsure", "reserve", "scope", "limit", "condition")
_DENIAL = _flags_of("denial")
_ACCUSATION = FLAG_BIT["accuse"]
_REPLIES = _flags_of("denial", "accused")
_OPINIONS = _flags_of("first", "second")
_STARTS_CONTRAST, _QUOTED = FEATURE_NAMES.index("starts_contrast"), FEATURE_NAMES.index("quoted")
_ACCUSATIONS = frozenset({"accuse", "accused", "claimref"})

_KINDS = (
    (CaveatKind.DENIED, {"denial", "explicit"}, {"denial"}, {"unsure"}),
    (CaveatKind.DENIED, {"denial", "claimref", "accuse"}, {"denial"}, {"unsure"}),
    (CaveatKind.DISPUTED, {"denial", "accused"}, {"denial"}, {"unsure"}),
    (CaveatKind.UNCONFIRMED, {"unsure", "explicit"}, {"unsure"}, {"denial"}),
    (
        CaveatKind.CONDITIONAL,
        {"explicit", "condition"},
        {"condition"},
        {"denial", "unsure", "scope", *_ACCUSATIONS},
    ),
    (CaveatKind.LIMITED, {"explicit"}, {"scope", "limit"}, {"denial", "unsure", *_ACCUSATIONS}),
)
"""Kind, the cues that it needs, those of which it needs one, those that forbid it; the first that fits.

"It had nothing to do with the murder" has the cues of a limit, but denies: so accusations forbid that kind.
"""

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


def mark_caveats(shown: Sequence[int], headline: int | None, evidence: CaveatEvidence) -> dict[int, Mark]:
    """Return the marks of the caveats among `shown`, by place; the other sentences are points.

    `shown` are places of candidates, each of them among the evidence's claims. `headline` is the place of the
    sentence that the headline repeats, None if there is none.
    """
    features = evidence.features
    claims = [*shown, *([] if headline is None else [headline])]
    likely = _likely_caveats(shown, claims, evidence)
    clear = [place for place in likely if _is_clear(place, claims, features)]
    able = [place for place in clear if _can_be_tied(place, claims, features)]
    links = _without_repeated_denials(_link_claims(likely, able, shown, claims, evidence), evidence)
    marks = {}
    for caveat, (claim, probability) in links.items():
        kind = evidence.judged.get((claim, caveat)) or kind_of(caveat, features)
        marks[caveat] = Mark(Grade.TIED, _root(claim, links), kind, probability)
    is_denied = any(_has_cue(features, caveat, _DENIALS) for caveat in links)
    points = {mark.claim for mark in marks.values()}
    for place, probability in likely.items():
        if place in marks or place in points:
            continue
        repeats = is_denied and _has_cue(features, place, _DENIALS)
        is_sure = place in clear and not repeats and _has_cue(features, place, _QUALIFIERS)
        if is_sure and probability >= MIN_STORY:
            marks[place] = Mark(Grade.STORY, None, kind_of(place, features), probability)
        else:
            marks[place] = Mark(Grade.CONTEXT, None, None, probability)
    return marks


def needed_caveats(evidence: CaveatEvidence, headline: int | None) -> dict[int, CaveatLink]:
    """Return, for each claim that is not clear without a caveat, the likeliest one and its probability.

    A claim is not shown without the caveat that would surely be tied to it. `headline` is that of
    `mark_caveats`.
    """
    certainty, flags = _certainty(evidence), evidence.features.flags
    claims, places = evidence.claims, np.arange(certainty.shape[1])
    denies, negative = flags & _DENIALS != 0, flags & _NEGATIONS != 0
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
        if value >= MIN_CONTEXT
    }


def _link_claims(
    likely: Iterable[int],
    able: Collection[int],
    shown: Sequence[int],
    claims: Sequence[int],
    evidence: CaveatEvidence,
) -> dict[int, CaveatLink]:
    """Return the claim of each likely caveat whose claim is sure, and the probability.

    A caveat is one of those `able` to be tied, and its claim comes before it, so that readers meet it first,
    or is in the headline. A denial under a sentence that denies repeats it, or denies something else. Only a
    judge may tie the others.
    """
    certainty = _certainty(evidence)
    row = {claim: k for k, claim in enumerate(evidence.claims.tolist())}
    negative = {place for place in claims if _has_cue(evidence.features, place, _NEGATIONS)}
    links: dict[int, CaveatLink] = {}
    for caveat in likely:
        denies = _has_cue(evidence.features, caveat, _DENIALS)
        replies = _has_cue(evidence.features, caveat, _REPLIES)
        found = [
            (float(certainty[row[claim], caveat]), -claim)
            for claim in claims
            if _root(claim, links) != caveat
            and (
                (claim, caveat) in evidence.judged
                or (
                    caveat in able
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
    links: Mapping[int, CaveatLink], evidence: CaveatEvidence
) -> dict[int, CaveatLink]:
    """Return the links without further denials of a point: they repeat the first, or are another person's."""
    kept: dict[int, CaveatLink] = {}
    denied: set[int] = set()
    for caveat in sorted(links):
        if _has_cue(evidence.features, caveat, _DENIALS):
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


def _has_cue(features: ArticleFeatures, place: int, flags: int) -> bool:
    return int(features.flags[place]) & flags != 0


def _can_be_tied(place: int, claims: Sequence[int], features: ArticleFeatures) -> bool:
    """Return whether what a sentence qualifies can be one sentence that is shown.

    Not so if it begins with "But" and the one before it, which it opposes, is not shown; if it denies and the
    latest accusation is not shown; or if it is a quotation, unless it denies: what a speaker doubts need not
    be what is reported.
    """
    if features.table[place, _STARTS_CONTRAST] > 0 and place - 1 not in claims:
        return False
    if _has_cue(features, place, _REPLIES):
        accusations = np.flatnonzero(features.flag_counts[:place, _ACCUSATION])
        return not len(accusations) or int(accusations[-1]) in claims
    return bool(features.table[place, _QUOTED] <= MIN_QUOTED)


def _is_clear(place: int, claims: Sequence[int], features: ArticleFeatures) -> bool:
    """Return whether what a sentence qualifies can be among the claims, and it is a report.

    Not so if it is the opinion of a speaker ("We see no evidence"), or mostly speaks of what is not shown. A
    denial answers an accusation in whatever words, and one of the two sentences just before is what it means.
    """
    is_quoted = features.table[place, _QUOTED] > MIN_QUOTED
    if is_quoted and _has_cue(features, place, _OPINIONS) and not _has_cue(features, place, _DENIAL):
        return False
    if _has_cue(features, place, _REPLIES) or place - 1 in claims or place - 2 in claims:
        return True
    row, column, _ = features.terms
    shown = [claim for claim in claims if claim != place]
    firsts = [place, max(0, place - MAX_LOOK_BACK), *shown]
    lasts = [place + 1, place, *(claim + 1 for claim in shown)]
    spans = zip(row.searchsorted(firsts).tolist(), row.searchsorted(lasts).tolist(), strict=True)
    own, before, *of_claims = [set(column[start:end].tolist()) for start, end in spans]
    known = own.intersection(set().union(*of_claims))
    orphaned = (own - known) & before
    return bool(known) and len(orphaned) <= MAX_ORPHANED_WORDS * len(own)


def kind_of(caveat: int, features: ArticleFeatures) -> CaveatKind | None:
    """Return what a caveat says of its claim, from its cues; None if that is not sure."""
    counts = features.flag_counts[caveat]
    has = {name for name in CUES if counts[FLAG_BIT[name]] > 0}
    if "denial" in has and counts[FLAG_BIT["negation"]] > 1:  # "neither confirmed nor denied"
        return None
    return next(
        (
            kind
            for kind, needed, either, forbidden in _KINDS
            if needed <= has and has & either and not has & forbidden
        ),
        None,
    )
