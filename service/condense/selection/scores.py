"""Scores: what each sentence of an article is worth, and what its claims need beside them (pure)."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from service.condense.caveat_model import PairFeatures
from service.condense.features import ArticleFeatures, BoolArray, FloatArray, IntArray
from service.condense.judge.evidence import Evidence
from service.condense.marking import CaveatEvidence
from service.condense.weights import KeyPointWeights

DAMAGE_PENALTY = 0.6
"""In log-odds, of a sentence whose quotation mark has no partner. Without it, one line in ten had such a mark
where a site damages its texts; 1.2 costs one ROUGE point there, since such sentences tell the news."""

MAX_SIMILARITY = 0.5  # of two lines; what exceeds it is taken off their worth
MAX_FIRST_SIMILARITY = 0.3  # of two of the first lines, which should each tell something new


@dataclass(frozen=True, slots=True)
class CandidateFacts:
    """What limits the selection, for each candidate.

    `word_counts` has its words with its introduction. Only those `shown` are selected. Those `damaged` lack
    a quotation mark and score lower. Those `in_headline` repeat the headline, which shows them.
    """

    word_counts: IntArray
    shown: BoolArray
    damaged: BoolArray
    in_headline: BoolArray


@dataclass(frozen=True, slots=True)
class SentenceScores:
    """The scores of an article's sentences.

    `pick` and `order` are log-odds: that an editor shows it, and that it is among what tells most of the
    news. `qualifies` is the probability that it is a caveat of anything in the article. `worth` is what it
    is worth in a set, before any risk, and `first_worth` in the first lines.
    """

    pick: FloatArray
    order: FloatArray
    qualifies: FloatArray
    worth: FloatArray
    first_worth: FloatArray


@dataclass(frozen=True, slots=True)
class ClaimScores:
    """What a number of claims are worth: each alone, and in addition each with each other one.

    `worth` and `pair_worth` count in a set, `first_worth` and `first_pair_worth` in the first lines, which
    tell the news: there, caveats only count where a claim surely needs one.
    """

    worth: FloatArray
    pair_worth: FloatArray
    first_worth: FloatArray
    first_pair_worth: FloatArray

    def beside_last(self) -> ClaimScores:
        """Return the scores where the last claim is shown in any case, as that of the headline is."""
        return replace(self, worth=self.worth + self.pair_worth[-1] + self.pair_worth[:, -1])


def score_sentences(
    features: ArticleFeatures, facts: CandidateFacts, weights: KeyPointWeights, judged: Evidence | None
) -> SentenceScores:
    """Return the scores of all sentences; the answer of a judge moves them."""
    pick, order = weights.pick.scores(features.table), weights.order.scores(features.table)
    qualifies = _probability(weights.qualifies.scores(features.table)) if weights.qualifies else 0 * pick
    picked, ordered = (score - DAMAGE_PENALTY * facts.damaged for score in (pick, order))
    if judged is not None:
        picked, ordered = judged.pick_scores(picked), judged.pick_scores(ordered)
        qualifies = judged.caveat_probabilities(qualifies)
    worth = _probability(picked) + weights.caveat_worth * qualifies
    return SentenceScores(pick, order, qualifies, worth, _probability(ordered))


def judge_pairs(
    features: ArticleFeatures,
    scores: SentenceScores,
    claims: IntArray,
    weights: KeyPointWeights,
    *,
    judged: Evidence | None,
    pairs: PairFeatures | None,
) -> CaveatEvidence:
    """Return how likely each sentence qualifies each claim; `pairs` are the features of a pair model."""
    is_caveat = is_needed = np.zeros((len(claims), len(scores.pick)))
    if weights.pair_model is not None and pairs is not None:
        is_caveat, is_needed = weights.pair_model.probabilities(pairs, claims)
    if judged is not None:
        is_caveat, is_needed = judged.pair_probabilities(is_caveat, is_needed, claims)
    kinds = {} if judged is None else judged.kinds
    return CaveatEvidence(features, claims, is_caveat, is_needed, scores.qualifies, kinds)


def score_claims(scores: SentenceScores, evidence: CaveatEvidence, risk: float) -> ClaimScores:
    """Return what the claims are worth.

    A claim is worth less by the risk that it misleads alone. A pair with a caveat gets that risk back, in
    proportion to the caveat's probability, and loses what the two have in common.
    """
    claims, is_needed = evidence.claims, evidence.is_needed
    misleads = 1 - np.prod(1 - is_needed, axis=1)
    regained = is_needed[:, claims] * (misleads / np.maximum(is_needed.sum(axis=1), 1e-9))[:, None]
    similarity = evidence.features.similarities(claims)
    return ClaimScores(
        scores.worth[claims] - risk * misleads,
        risk * regained - np.maximum(similarity - MAX_SIMILARITY, 0),
        scores.first_worth[claims],
        -np.maximum(similarity - MAX_FIRST_SIMILARITY, 0),
    )


def _probability(log_odds: FloatArray) -> FloatArray:
    probability: FloatArray = 1 / (1 + np.exp(-log_odds))
    return probability
