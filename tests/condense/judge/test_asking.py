"""One question and its confirmations count as one answer, or as none."""

from __future__ import annotations

import json

import pytest

from service.condense.judge.answer import JudgeAnswer
from service.condense.judge.asking import ask
from service.condense.judge.client import JudgeClient, JudgeProblem, Unanswered
from service.condense.judge.question import build_question
from service.core.model import TextSpan
from service.core.secret import Secret
from tests.condense.judge.endpoint import Call, Script, completion, endpoint, response, saying

TEXT = "The dam will be raised. It has no permit yet. A club protested."
SPANS = [TextSpan(0, 23), TextSpan(24, 46), TextSpan(47, 63)]
QUESTION = build_question(TEXT, "Dam", SPANS, [0, 1, 2])
ANSWER = {
    "points": [0],
    "pairs": [
        {"claim": 0, "caveat": 1, "kind": "conditional", "must": True},
        {"claim": 0, "caveat": 2, "kind": "disputed", "must": False},
    ],
}


async def asked(script: Script, seconds: float = 20) -> JudgeAnswer | Unanswered:
    async with endpoint(script) as server, JudgeClient(server.url, "qwen", Secret()) as client:
        return await ask(client, QUESTION, seconds)


def with_verdicts(*verdicts: bytes | None) -> Script:
    """Return a judge that flags two pairs and says this of them, in turn."""
    left = list(verdicts)

    def script(call: Call) -> bytes | None:
        return left.pop(0) if call.is_confirmation else completion(json.dumps(ANSWER))

    return script


async def test_only_confirmed_pairs_count():
    found = await asked(with_verdicts(completion('{"answer": "no"}'), completion("yes")))

    assert isinstance(found, JudgeAnswer)
    assert [(pair.claim, pair.caveat) for pair in found.pairs] == [(SPANS[0], SPANS[2])]


async def test_a_verdict_that_is_neither_yes_nor_no_drops_the_pair():
    found = await asked(with_verdicts(completion("It depends."), completion('{"answer": "yes"}')))

    assert isinstance(found, JudgeAnswer)
    assert len(found.pairs) == 1


async def test_the_confirmation_asks_in_the_other_order_without_numbers():
    async with endpoint(saying(ANSWER)) as server, JudgeClient(server.url, "qwen", Secret()) as client:
        await ask(client, QUESTION, 20)

    assert (
        server.calls[1].content["messages"][1]["content"]
        == "A: It has no permit yet.\nB: The dam will be raised."
    )
    assert server.calls[1].content["response_format"]["json_schema"]["name"] == "confirmation"


@pytest.mark.parametrize(
    ("verdict", "problem"),
    [(response(500, b""), JudgeProblem.STATUS), (b"", JudgeProblem.UNAVAILABLE)],
)
async def test_without_all_verdicts_there_is_no_answer(verdict: bytes, problem: JudgeProblem):
    found = await asked(with_verdicts(completion("yes"), verdict, verdict))

    assert isinstance(found, Unanswered)
    assert found.problem is problem


async def test_the_time_limit_is_that_of_all_requests_together():
    found = await asked(with_verdicts(None), seconds=0.2)

    assert found == Unanswered(JudgeProblem.TIMEOUT, "it did not answer within 0.2 seconds")


async def test_a_reply_that_is_no_answer_is_refused_and_nothing_is_confirmed():
    nonsense = saying({"points": [7], "pairs": []})
    async with endpoint(nonsense) as server, JudgeClient(server.url, "qwen", Secret()) as client:
        found = await ask(client, QUESTION, 20)

    assert isinstance(found, Unanswered)
    assert found.problem is JudgeProblem.REFUSED
    assert len(server.calls) == 1
