"""Caveat words: what the words of a sentence tell of what it qualifies, and whether that is shown (pure)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from service.condense.features import FEATURE_NAMES, ArticleFeatures
from service.core.model import CaveatKind
from service.text.lexicon import FLAG_BIT

MAX_ORPHANED_WORDS = 0.25
"""Share of a caveat's words that stand before it only in sentences that are not shown. With more of them, it
mostly qualifies what the reader has not seen."""
MAX_LOOK_BACK = 60  # sentences before a caveat whose words are compared, so that time is linear
MIN_QUOTED = 0.5  # share of a sentence's words inside quotation marks


def _flags_of(*names: str) -> int:
    return sum(1 << FLAG_BIT[name] for name in names)


DENIALS = _flags_of("denial", "false", "accused")
NEGATIONS = DENIALS | _flags_of("negation", "explicit")
_QUALIFIERS = _flags_of("denial", "explicit", "unsure", "reserve", "scope", "limit", "condition")
EXPLICIT = _flags_of("explicit", "unsure")
_DENIAL = _flags_of("denial")
_ACCUSATION, _NEGATION = FLAG_BIT["accuse"], FLAG_BIT["negation"]
REPLIES = _flags_of("denial", "accused")
_OPINIONS = _flags_of("first", "second")
_STARTS_CONTRAST, _QUOTED = FEATURE_NAMES.index("starts_contrast"), FEATURE_NAMES.index("quoted")
_ACCUSATIONS = _flags_of("accuse", "accused", "claimref")

_KINDS = (
    (CaveatKind.DENIED, _flags_of("denial", "explicit"), _DENIAL, _flags_of("unsure")),
    (CaveatKind.DENIED, _flags_of("denial", "claimref", "accuse"), _DENIAL, _flags_of("unsure")),
    (CaveatKind.DISPUTED, _flags_of("denial", "accused"), _DENIAL, _flags_of("unsure")),
    (CaveatKind.UNCONFIRMED, EXPLICIT, _flags_of("unsure"), _DENIAL),
    (
        CaveatKind.CONDITIONAL,
        _flags_of("explicit", "condition"),
        _flags_of("condition"),
        _flags_of("denial", "unsure", "scope") | _ACCUSATIONS,
    ),
    (
        CaveatKind.LIMITED,
        _flags_of("explicit"),
        _flags_of("scope", "limit"),
        _flags_of("denial", "unsure") | _ACCUSATIONS,
    ),
)
"""Kind, the cues that it needs, those of which it needs one, those that forbid it; the first that fits.

"It had nothing to do with the murder" has the cues of a limit, but denies: so accusations forbid that kind.
"""

_SURE_WORDS = (_flags_of("negation", "claimref"), _flags_of("false", "claimref"))
"""Cues that leave as little doubt as a kind does: "the report is not correct", "the accusation was false"."""


def has_cue(features: ArticleFeatures, place: int, flags: int) -> bool:
    """Return whether a sentence has one of these flags."""
    return int(features.flags[place]) & flags != 0


def says_so_nearby(place: int, claims: Sequence[int], features: ArticleFeatures) -> bool:
    """Return whether the words leave no doubt that it qualifies something, and that stands just before."""
    return is_near(place, claims) and (
        kind_of(place, features) is not None
        or any(int(features.flags[place]) & cues == cues for cues in _SURE_WORDS)
    )


def is_near(place: int, claims: Sequence[int]) -> bool:
    """Return whether one of the two sentences just before is among the claims."""
    return place - 1 in claims or place - 2 in claims


def qualifies_clearly(place: int, claims: Sequence[int], features: ArticleFeatures) -> bool:
    """Return whether a sentence has a word that qualifies, and what it qualifies is among the claims."""
    return is_clear(place, claims, features) and (
        has_cue(features, place, _QUALIFIERS) or says_so_nearby(place, claims, features)
    )


def can_be_tied(place: int, claims: Sequence[int], features: ArticleFeatures) -> bool:
    """Return whether what a sentence qualifies can be one sentence that is shown.

    Not so if it begins with "But" and the one before it, which it opposes, is not shown; if it denies and the
    latest accusation is not shown; or if it is a quotation, unless it denies: what a speaker doubts need not
    be what is reported.
    """
    if features.table[place, _STARTS_CONTRAST] > 0 and place - 1 not in claims:
        return False
    if has_cue(features, place, REPLIES):
        accusations = np.flatnonzero(features.flag_counts[:place, _ACCUSATION])
        return not len(accusations) or int(accusations[-1]) in claims
    return bool(features.table[place, _QUOTED] <= MIN_QUOTED)


def is_clear(place: int, claims: Sequence[int], features: ArticleFeatures) -> bool:
    """Return whether what a sentence qualifies can be among the claims, and it is a report.

    Not so if it is the opinion of a speaker ("We see no evidence"), or mostly speaks of what is not shown. A
    denial answers an accusation in whatever words, and one of the two sentences just before is what it means.
    """
    is_quoted = features.table[place, _QUOTED] > MIN_QUOTED
    if is_quoted and has_cue(features, place, _OPINIONS) and not has_cue(features, place, _DENIAL):
        return False
    if has_cue(features, place, REPLIES) or is_near(place, claims):
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
    has = int(features.flags[caveat])
    # "neither confirmed nor denied"
    if has & _DENIAL and features.flag_counts[caveat, _NEGATION] > 1:
        return None
    return next(
        (
            kind
            for kind, needed, either, forbidden in _KINDS
            if has & needed == needed and has & either and not has & forbidden
        ),
        None,
    )
