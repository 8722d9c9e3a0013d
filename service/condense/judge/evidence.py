"""Evidence: a judge's answer moves probabilities; it gives no orders.

The answer is weighed by how often judges were measured to be right (weights.json, "judge"; learned by
bench/judge.py). The same selection and marking then follow as without a judge.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from service.condense.block_reading import Candidate
from service.condense.features import FloatArray, IntArray
from service.condense.judge.answer import JudgeAnswer
from service.core.model import CaveatKind, TextSpan


@dataclass(frozen=True, slots=True)
class JudgeWeights:
    """What an answer is worth.

    `chosen` and `passed` are added to the log-odds of a candidate that the judge chose as a point, or did
    not, and `claimed` to those of the claim of a pair that it flagged, since claims that matter are flagged.
    Of a flagged pair, `qualifies` is the probability that the caveat qualifies the claim, `needed` the one
    that the claim misleads without it, if the judge says so (`must`), and `useful` if it does not.
    `unflagged` multiplies the probabilities of a pair that it could have flagged and did not.
    """

    chosen: float
    passed: float
    claimed: float
    qualifies: float
    needed: float
    useful: float
    unflagged: float


@dataclass(frozen=True, slots=True)
class Evidence:
    """An answer by the places of its sentences among those of a selection, and what it is worth.

    `asked` are the candidates that the judge was shown, `points` those that it chose, `pairs` maps
    (claim, caveat) to whether the claim misleads without it, `kinds` to the kind of the caveat.
    """

    asked: IntArray
    points: IntArray
    pairs: Mapping[tuple[int, int], bool]
    kinds: Mapping[tuple[int, int], CaveatKind]
    weights: JudgeWeights

    def pick_scores(self, scores: FloatArray) -> FloatArray:
        """Return the log-odds that each sentence is a point, after the answer."""
        weighed = scores.copy()
        weighed[self.asked] += self.weights.passed
        weighed[self.points] += self.weights.chosen - self.weights.passed
        weighed[[claim for claim, _ in self.pairs]] += self.weights.claimed
        return weighed

    def caveat_probabilities(self, caveats: FloatArray) -> FloatArray:
        """Return the probability that each sentence is a caveat of anything, after the answer."""
        flagged = np.array([caveat for _, caveat in self.pairs], dtype=np.int64)
        weighed = caveats.copy()
        weighed[flagged] = np.maximum(weighed[flagged], self.weights.qualifies)
        return weighed

    def pair_probabilities(
        self, qualifies: FloatArray, needed: FloatArray, claims: IntArray
    ) -> tuple[FloatArray, FloatArray]:
        """Return the two probabilities of each pair, `claims` x sentences, after the answer.

        `qualifies`: the sentence qualifies the claim. `needed`: the claim misleads without the sentence.
        """
        qualifies, needed = qualifies.copy(), needed.copy()
        askable = np.isin(claims, self.asked)[:, None] & np.isin(np.arange(qualifies.shape[1]), self.asked)
        qualifies[askable] *= self.weights.unflagged
        needed[askable] *= self.weights.unflagged
        row_of = {int(claim): row for row, claim in enumerate(claims)}
        for (claim, caveat), must in self.pairs.items():
            if claim in row_of:
                qualifies[row_of[claim], caveat] = self.weights.qualifies
                needed[row_of[claim], caveat] = self.weights.needed if must else self.weights.useful
        return qualifies, needed


def read_evidence(
    answer: JudgeAnswer | None, sentences: Sequence[Candidate], weights: JudgeWeights
) -> Evidence | None:
    """Return the evidence in an answer about an article with these `sentences`.

    None without an answer, and if one of its spans is no sentence: the article is read otherwise than when
    the judge was asked.
    """
    if answer is None:
        return None
    places = {TextSpan(one.start, one.end): place for place, one in enumerate(sentences)}
    if not places.keys() >= set(answer.spans()):
        return None
    pairs = {(places[one.claim], places[one.caveat]): one for one in answer.pairs}
    return Evidence(
        np.array([places[span] for span in answer.candidates], dtype=np.int64),
        np.array([places[span] for span in answer.points], dtype=np.int64),
        {pair: one.must for pair, one in pairs.items()},
        {pair: one.kind for pair, one in pairs.items()},
        weights,
    )
