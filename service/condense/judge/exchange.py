"""Exchange: questions and answers as JSON, for a file that any model or person works on, and for storage.

A line of questions: {"key", "prompt_version", "headline", "sentences": [...], "candidates": [0, 3, ...],
"question"}. A line of answers: {"key", "points": [0, 3], "pairs": [[0, 5, "denied", true]],
"confirmed": [true]}. Numbers are places in `sentences`, from 0. A pair is claim, caveat, kind and whether the
claim misleads without the caveat. `pairs` may be absent. `confirmed` has a verdict for each pair; without it,
all pairs count.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from service.condense.judge.answer import JudgeAnswer, JudgedPair, read_answer
from service.condense.judge.question import PROMPT_VERSION, JudgeQuestion
from service.core.errors import JudgeAnswerRefused
from service.core.model import CaveatKind, TextSpan

MAX_LINE_CHARACTERS = 8_192  # of a line of answers: an answer with its key and confirmations


@dataclass(frozen=True, slots=True)
class AnswerLine:
    """A line of answers that is not checked against its question yet."""

    key: str
    fields: Mapping[str, object]
    confirmed: Sequence[bool] | None

    def answer(self, question: JudgeQuestion) -> JudgeAnswer:
        """Return the answer to the question with this key. Raises JudgeAnswerRefused."""
        if question.key != self.key:
            raise JudgeAnswerRefused("the answer cannot be used: it is one to another question")
        return read_answer(self.fields, question, self.confirmed)


def question_line(question: JudgeQuestion) -> dict[str, Any]:
    """Return the question as the JSON object of its line; `question` has the whole prompt as text."""
    return {
        "key": question.key,
        "prompt_version": PROMPT_VERSION,
        "headline": question.headline,
        "sentences": list(question.lines),
        "candidates": list(question.candidates),
        "question": "\n\n".join(message["content"] for message in question.messages()),
    }


def read_answer_line(line: str) -> AnswerLine:
    """Return a line of answers. Raises JudgeAnswerRefused for a line that is none."""
    if len(line) > MAX_LINE_CHARACTERS:
        raise JudgeAnswerRefused(f"the line has more than {MAX_LINE_CHARACTERS:,} characters")
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError):
        fields = None
    if not isinstance(fields, dict) or not isinstance(key := fields.pop("key", None), str):
        raise JudgeAnswerRefused('the line is not a JSON object with a "key"')
    confirmed = fields.pop("confirmed", None)
    if confirmed is not None and not _are_booleans(confirmed):
        raise JudgeAnswerRefused('"confirmed" is not a list of true and false')
    return AnswerLine(key, fields, confirmed)


def stored_answer(answer: JudgeAnswer) -> dict[str, Any]:
    """Return the answer as a JSON object for storage; `restored_answer` reads it."""
    return {
        "candidates": [list(span) for span in answer.candidates],
        "points": [list(span) for span in answer.points],
        "pairs": [[list(pair.claim), list(pair.caveat), pair.kind.value, pair.must] for pair in answer.pairs],
    }


def restored_answer(stored: Mapping[str, Any]) -> JudgeAnswer:
    """Return an answer that `stored_answer` stored. Raises JudgeAnswerRefused if another program did."""
    try:
        return JudgeAnswer(
            tuple(TextSpan(*span) for span in stored["candidates"]),
            tuple(TextSpan(*span) for span in stored["points"]),
            tuple(
                JudgedPair(TextSpan(*claim), TextSpan(*caveat), CaveatKind(kind), must)
                for claim, caveat, kind, must in stored["pairs"]
            ),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise JudgeAnswerRefused("the answer cannot be used: it was stored in another form") from error


def _are_booleans(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(one, bool) for one in value)
