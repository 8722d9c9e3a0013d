"""An invented article and the question about it, which the tests of the judge share."""

from __future__ import annotations

from itertools import pairwise

from service.condense.judge.question import JudgeQuestion, build_question
from service.core.model import TextSpan

SENTENCES = (
    "The port of Vessel will lend twelve cranes to the island of Suder, its director said.",
    "The cranes leave on Monday.",
    "The loan holds only if the island council signs the contract by Friday.",
    "The director was accused of selling two cranes in secret.",
    "She denied the accusation.",
    "Sailors sang on the quay.",
)
TEXT = " ".join(SENTENCES)
_STARTS = [0, *(TEXT.index(sentence) for sentence in SENTENCES[1:]), len(TEXT) + 1]
SPANS = [TextSpan(start, following - 1) for start, following in pairwise(_STARTS)]
BEST = (0, 3, 2, 4, 1)
"""The candidates, best first; the last sentence is context."""


def a_question() -> JudgeQuestion:
    """Return the question about TEXT."""
    return build_question(TEXT, "Port lends cranes", SPANS, BEST)
