"""Asking: a language model is asked about the articles of the issues that are due soon.

    take     the articles that those issues would show, without the ones that a judge helped with before
    work     a stored answer, or one question to the judge; then the key points again, with it as evidence
    record   the answer or the failure; the summary, unless an issue contains the article by now

An article whose question has no answer keeps its summary, and its question is not asked again. Compose never
waits for a judge.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from service.app.clock import monotonic
from service.app.judge.condensing import articles_ahead, condense_with, question_of
from service.condense.judge.asking import ask
from service.condense.judge.client import JudgeClient, JudgeProblem, Unanswered
from service.condense.judge.exchange import stored_answer
from service.condense.judge.metrics import JUDGE_QUESTIONS, JUDGE_SECONDS
from service.condense.judge.question import JudgeQuestion
from service.condense.ports import ANSWERED, ASKED, ClaimResult, JudgeRecord
from service.core.model import Article
from service.core.progress import Progress, no_progress
from service.settings.values import JudgeSettings
from service.store.judge import SqlJudgeStore

if TYPE_CHECKING:
    from service.app.factories.application import Application

ASK_AHEAD = timedelta(hours=1)
"""The time before an issue from which its articles are asked about; a small machine needs much of it."""
MAX_PASS_SECONDS = 600.0  # after which a pass asks nothing more; the next one goes on
MAX_FAILURES = 3  # in a row, after which a pass asks nothing more

log = logging.getLogger("judge")


@dataclass(frozen=True, slots=True)
class JudgeReport:
    """The result of one pass, in articles. `improved` ones were condensed with an answer.

    `answered` and `unanswered` questions were asked now, `known` ones had a stored answer. `problems` are
    sentences for the operator.
    """

    improved: int = 0
    answered: int = 0
    unanswered: int = 0
    known: int = 0
    problems: tuple[str, ...] = ()


async def ask_judge(
    app: Application, *, ahead: timedelta = ASK_AHEAD, progress: Progress = no_progress
) -> JudgeReport:
    """Ask about the articles of the issues that are due within `ahead`; without a judge, do nothing.

    Raises StoreError, and PoolUnavailable if the pool cannot run a task.
    """
    settings = app.settings.condense.judge
    waiting = await articles_ahead(app, ahead) if settings else []
    if settings is None or not waiting:
        return JudgeReport()
    async with JudgeClient(settings.url, settings.model, settings.key) as client:
        judging = _Pass(app, settings, client)
        for done, article in enumerate(waiting, start=1):
            await judging.handle(article)
            progress(article.title or article.url, done, len(waiting))
    return judging.report


@dataclass
class _Pass:
    """One pass. It asks nothing more once `is_over`: stored answers are still used."""

    app: Application
    settings: JudgeSettings
    client: JudgeClient
    report: JudgeReport = field(default_factory=JudgeReport)
    is_over: bool = False
    failures: int = 0
    started: float = field(default_factory=monotonic)

    def __post_init__(self) -> None:
        self.store = SqlJudgeStore(self.app.database)

    async def handle(self, article: Article) -> None:
        """Condense the article with a stored answer, or with that of a question, if there is one."""
        question = await question_of(self.app, article)
        if question is None:
            return
        records = await self.store.find(question.key)
        usable = self._usable(records)
        if usable is not None:
            JUDGE_QUESTIONS.labels("cached").inc()
            self.report = replace(self.report, known=self.report.known + 1)
        elif not self.is_over and not any(record.model == self.settings.model for record in records):
            usable = await self._asked(article, question)
        if usable is not None and await condense_with(self.app, article, usable):
            self.report = replace(self.report, improved=self.report.improved + 1)

    def _usable(self, records: Sequence[JudgeRecord]) -> JudgeRecord | None:
        """Return the newest answer, of the present judge or imported."""
        ours = (r for r in records if r.model == self.settings.model or not r.host)
        return next((record for record in ours if record.result == ANSWERED), None)

    async def _asked(self, article: Article, question: JudgeQuestion) -> JudgeRecord | None:
        """Ask the question, if it may be asked now, and record the result; return the record of an answer."""
        settings, now = self.settings, self.app.clock()
        record = JudgeRecord(question.key, settings.model, settings.host, now, ASKED)
        claim = await self.store.claim(record, settings.per_day)
        if claim is not ClaimResult.GRANTED:
            self.is_over = claim is ClaimResult.SPENT
            return None
        begun = monotonic()
        reply = await ask(self.client, question, settings.seconds)
        seconds = monotonic() - begun
        JUDGE_SECONDS.observe(seconds)
        if isinstance(reply, Unanswered):
            record = replace(record, result=reply.problem.value)
            self._note_failure(article, reply)
        else:
            record = replace(record, result=ANSWERED, answer=stored_answer(reply))
            self.failures, self.report = 0, replace(self.report, answered=self.report.answered + 1)
        JUDGE_QUESTIONS.labels(record.result).inc()
        log.info(
            "judge_asked",
            extra={"article": article.id, "result": record.result, "seconds": round(seconds, 3)},
        )
        await self.store.record(record)
        asked = self.report.answered + self.report.unanswered
        self.is_over |= asked >= settings.per_pass or monotonic() - self.started > MAX_PASS_SECONDS
        return record if record.result == ANSWERED else None

    def _note_failure(self, article: Article, reply: Unanswered) -> None:
        self.failures += 1
        self.is_over |= reply.problem is JudgeProblem.UNAVAILABLE or self.failures >= MAX_FAILURES
        problem = (
            f"the judge {self.settings.model} at {self.settings.host} gave no answer about "
            f"{article.title or article.url!r}: {reply.detail}; the article keeps its key points"
        )
        unanswered = self.report.unanswered + 1
        self.report = replace(self.report, unanswered=unanswered, problems=(*self.report.problems, problem))
