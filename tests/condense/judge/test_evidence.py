"""Evidence: an answer moves the probabilities of what it names, and of nothing else."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from service.condense.block_reading import Candidate
from service.condense.judge.answer import JudgeAnswer, read_answer
from service.condense.judge.evidence import Evidence, JudgeWeights, read_evidence
from service.condense.weights import shipped_judge_weights
from service.core.model import CaveatKind
from tests.condense.judge.questions import SPANS, a_question

WEIGHTS = JudgeWeights(chosen=2, passed=-1, claimed=0.5, qualifies=0.7, needed=0.6, useful=0.4, unflagged=0.5)
CANDIDATES = [Candidate(*span) for span in SPANS]


def an_answer(points: Sequence[int] = (0,), pairs: Sequence[object] = ()) -> JudgeAnswer:
    return read_answer({"points": list(points), "pairs": list(pairs)}, a_question())


def evidence_of(answer: JudgeAnswer) -> Evidence:
    found = read_evidence(answer, CANDIDATES, WEIGHTS)
    assert found is not None
    return found


def test_chosen_sentences_gain_and_other_candidates_lose():
    scores = evidence_of(an_answer([3, 0])).pick_scores(np.zeros(6))
    assert scores.tolist() == [2, -1, -1, 2, -1, 0]


def test_a_claim_of_a_flagged_pair_gains():
    evidence = evidence_of(an_answer([0], [[3, 4, "denied", True], [3, 2, "limited", True]]))
    assert evidence.pick_scores(np.zeros(6)).tolist() == [2, -1, -1, -0.5, -1, 0]


def test_a_flagged_pair_gets_what_such_pairs_are_worth_and_the_others_lose():
    evidence = evidence_of(an_answer(pairs=[[0, 2, "conditional", True], [3, 4, "denied", False]]))
    before = np.full((2, 6), 0.2)
    qualifies, needed = evidence.pair_probabilities(before, before, np.array([3, 0]))

    assert qualifies.tolist() == [[0.1, 0.1, 0.1, 0.1, 0.7, 0.2], [0.1, 0.1, 0.7, 0.1, 0.1, 0.2]]
    assert needed.tolist() == [[0.1, 0.1, 0.1, 0.1, 0.4, 0.2], [0.1, 0.1, 0.6, 0.1, 0.1, 0.2]]
    assert (before == 0.2).all()
    assert evidence.kinds == {(0, 2): CaveatKind.CONDITIONAL, (3, 4): CaveatKind.DENIED}


def test_pairs_of_a_claim_that_is_not_compared_are_left_out():
    evidence = evidence_of(an_answer(pairs=[[0, 2, "conditional", True]]))
    before = np.full((1, 6), 0.2)
    qualifies, _ = evidence.pair_probabilities(before, before, np.array([5]))
    assert qualifies.tolist() == before.tolist()


def test_an_answer_about_a_text_that_is_read_otherwise_is_no_evidence():
    assert read_evidence(None, CANDIDATES, WEIGHTS) is None
    assert read_evidence(an_answer(), CANDIDATES[:4], WEIGHTS) is None
    assert read_evidence(an_answer(), CANDIDATES[:5], WEIGHTS) is not None


def test_the_package_trusts_a_judge_more_than_chance_and_less_than_the_labels():
    weights = shipped_judge_weights()
    assert weights.passed < 0 < weights.claimed < weights.chosen
    assert 0 < weights.useful < weights.needed <= weights.qualifies < 1
    assert 0 < weights.unflagged < 1
