"""Judge: whether the language model that helps to choose key points can be reached."""

from __future__ import annotations

import asyncio
from difflib import get_close_matches

from service.app.judge.disclosure import what_leaves
from service.condense.judge.client import JudgeClient, JudgeProblem, Unanswered
from service.settings.values import JudgeSettings

LIST_SECONDS = 10.0  # for the list of models


async def check_judge(judge: JudgeSettings) -> tuple[bool, str]:
    """Return whether all is well, and a sentence. Asks for the list of models and sends no text."""
    try:
        async with asyncio.timeout(LIST_SECONDS), JudgeClient(judge.url, judge.model, judge.key) as client:
            models = await client.models()
    except TimeoutError:
        models = Unanswered(JudgeProblem.TIMEOUT, f"it did not answer within {LIST_SECONDS:g} seconds")
    if isinstance(models, Unanswered):
        return False, f"the judge at {judge.url} cannot be asked for its models: {models.detail}"
    if judge.model not in models:
        near = get_close_matches(judge.model, models, n=1)
        hint = f" (did you mean {near[0]}?)" if near else ""
        return False, f"the judge at {judge.url} lists {len(models)} models, and {judge.model} is none{hint}"
    return True, f"it can be reached; {what_leaves(judge)}"
