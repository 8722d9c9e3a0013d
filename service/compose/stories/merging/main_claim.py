"""Main claim: which claim of a story is chosen and shown first (pure).

Of several articles, the first one often begins with background, or its main sentence gave way to a newer one
of another article. The main claim is the one that has most in common with the headlines.
"""

from __future__ import annotations

from collections.abc import Sequence

from service.compose.stories.merging.claims import Claim, Place
from service.core.model import CondensedArticle
from service.text.similarity import SentenceFeatures, sentence_features

MAX_HEADLINES = 8  # of a story are compared
OWN_HEADLINE_WEIGHT = 2.0  # of the story's headline, compared with that of another article
MIN_AGREEMENT = 0.25  # share of the headlines' words in the main claim
MAX_FIRST_SHARE = 0.6  # of the main claim's agreement: a first claim with more of it stays first
MAIN_RANK = -1.0  # before all others
BEFORE_ALL = -1  # as the number of an article


def lead_with_main_claim(claims: Sequence[Claim], articles: Sequence[CondensedArticle]) -> None:
    """Make the main claim the first one to be chosen and shown, if another one would be shown first.

    The lines that lean on it move with it. A claim that leans on another line, or qualifies something, never
    is the main one.
    """
    headlines = [
        sentence_features(one.article.title, one.article.language) for one in articles[:MAX_HEADLINES]
    ]
    agreements = {
        claim.position: _agreement(claim.sentence.features, headlines)
        for claim in claims
        if claim.grade is None and claim.sentence.antecedent is None
    }
    if not agreements:
        return
    first = min(agreements)
    own = {claim.position: claim for claim in claims}
    main = max(agreements, key=lambda place: (agreements[place], -own[place].rank, place == first))
    if agreements[main] < MIN_AGREEMENT or agreements[first] > MAX_FIRST_SHARE * agreements[main]:
        return
    own[main].rank = MAIN_RANK
    moved: list[Claim] = []
    lines: set[Place] = set()
    for claim in sorted(claims, key=lambda claim: claim.sentence.place):
        if claim is own[main] or claim.sentence.antecedent in lines:
            moved.append(claim)
            lines |= {line.place for line in (claim.sentence, *claim.caveats)}
    for number, claim in enumerate(moved):
        claim.position = (BEFORE_ALL, number)


def _agreement(sentence: SentenceFeatures, headlines: Sequence[SentenceFeatures]) -> float:
    """Return the share of the headlines' words that the sentence has, from 0 to 1."""
    weights = [OWN_HEADLINE_WEIGHT, *(1.0 for _ in headlines[1:])]
    shares = [len(sentence.terms & one.terms) / max(len(one.terms), 1) for one in headlines]
    return sum(w * share for w, share in zip(weights, shares, strict=True)) / sum(weights)
