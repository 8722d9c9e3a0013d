"""Condensing with an answer: the articles that a judge can still help with, their questions and summaries."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

from service.compose.upcoming import upcoming_articles
from service.condense.judge.exchange import restored_answer
from service.condense.judge.question import JudgeQuestion
from service.condense.judge.summarizing import JUDGED_METHOD, question_about, summarize_judged
from service.condense.ports import JudgeRecord
from service.core.errors import JudgeAnswerRefused, PoolUnavailable
from service.core.model import Article
from service.store.judge import SqlJudgeStore

if TYPE_CHECKING:
    from service.app.factories.application import Application

T = TypeVar("T")

log = logging.getLogger("judge")


async def articles_ahead(app: Application, ahead: timedelta) -> list[Article]:
    """Return the articles that the issues due within the time `ahead` would show, the earliest issue first.

    Without the articles that an issue contains already, that a judge helped with, or that have no key points
    of the one method that a judge can help.
    """
    now = app.clock()
    groups = await app.composer.store.due_groups(now, ahead)
    shown = await upcoming_articles(app.composer, groups, now=now)
    open_ones = {
        one.article.id: one.article
        for one in shown
        if one.summary.method == JUDGED_METHOD and not one.summary.judge
    }
    unsent = await SqlJudgeStore(app.database).unsent(open_ones)
    return [article for article in open_ones.values() if article.id in unsent]


async def question_of(app: Application, article: Article) -> JudgeQuestion | None:
    """Return the question about an article, None if it has no choice of sentences."""
    return await _in_pool(app, question_about, article)


async def condense_with(app: Application, article: Article, record: JudgeRecord) -> bool:
    """Condense the article with a recorded answer; return whether its summary was replaced."""
    if record.answer is None:
        return False
    try:
        answer = restored_answer(record.answer)
    except JudgeAnswerRefused as error:  # stored by another version
        log.warning("judge_answer_refused", extra={"article": article.id, "reason": str(error)})
        return False
    summary = await _in_pool(app, summarize_judged, article, app.settings.condense.points, answer)
    if summary is None or not summary.key_points or not summary.is_verbatim(article.text):
        return False
    judged = replace(summary, judge=record.judge)
    return await SqlJudgeStore(app.database).replace_summary(article, judged, app.clock())


async def _in_pool(
    app: Application, work: Callable[..., T], article: Article, *arguments: object
) -> T | None:
    """Return the result of the work on an article in a process, None (and a line in the log) if it fails."""
    try:
        return await asyncio.get_running_loop().run_in_executor(app.pool, work, article, *arguments)
    except PoolUnavailable:
        raise
    except Exception as error:  # noqa: BLE001 - one bad article must not stop the others
        log.warning(
            "judge_task_failed", extra={"article": article.id, "reason": str(error) or type(error).__name__}
        )
        return None
