"""Asking: one article's question, then one confirmation for each pair of the answer, within a time limit."""

from __future__ import annotations

import asyncio

from service.condense.judge.answer import JudgeAnswer, parse_answer, parse_confirmation
from service.condense.judge.client import JudgeClient, JudgeProblem, Unanswered
from service.condense.judge.question import CONFIRMATION_FORMAT, JudgeQuestion
from service.core.errors import JudgeAnswerRefused


async def ask(client: JudgeClient, question: JudgeQuestion, seconds: float) -> JudgeAnswer | Unanswered:
    """Return the answer with its confirmed pairs, or why there is none after at most `seconds`."""
    try:
        async with asyncio.timeout(seconds):
            return await _answer(client, question)
    except TimeoutError:
        return Unanswered(JudgeProblem.TIMEOUT, f"it did not answer within {seconds:g} seconds")


async def _answer(client: JudgeClient, question: JudgeQuestion) -> JudgeAnswer | Unanswered:
    reply = await client.complete(question.messages(), question.response_format())
    if isinstance(reply, Unanswered):
        return reply
    try:
        answer = parse_answer(reply, question)
    except JudgeAnswerRefused as error:
        return Unanswered(JudgeProblem.REFUSED, str(error))
    verdicts: list[bool | None] = []
    for pair in answer.pairs:
        reply = await client.complete(question.confirmation(pair.claim, pair.caveat), CONFIRMATION_FORMAT)
        if isinstance(reply, Unanswered):
            # Without all verdicts, a pair that was not confirmed would count as one that was rejected.
            return reply
        verdicts.append(parse_confirmation(reply))
    return answer.confirmed(verdicts)
