"""Condense: new articles -> key points.

    take     articles without a summary, in gather order
    work     each article by its method, in a process of the pool, which ends work that takes too long
    record   the summary, or the failed attempt: the third one sets the article aside, and the first one does
             if the text has nothing to show

An article that breaks its method, its process or its time limit does not affect the others. An article with a
title but no text to condense is shown by its headline alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import BrokenExecutor, Executor
from dataclasses import dataclass, replace
from datetime import datetime

from service.condense.ports import CondenseStore, FailureResult
from service.condense.registry import SUMMARIZERS, get_summarizer
from service.core.errors import PoolUnavailable, SummaryRefused
from service.core.model import Article, BlockKind, Newsletter, Summary
from service.core.progress import Progress, no_progress
from service.text.furniture.rules import is_notice_of_move

BATCH_ARTICLES = 100
HEADLINE_METHOD = "headline"  # of a summary without key points

SummarizeArticle = Callable[[str, Article, int], Summary]
"""(method name, article, maximum number of key points) -> summary; must be picklable."""


def summarize_article(method: str, article: Article, points: int) -> Summary:
    """Return the article's summary, without key points if only its title can be shown.

    Raises SummaryRefused for an article without a usable text or title, or one that only says that its feed
    moved, and any error of the method.
    """
    has_title = bool(article.title.strip()) and not is_notice_of_move(article.title)
    if has_title and _lists_accounts(article):
        return Summary(HEADLINE_METHOD, ())
    try:
        summary = get_summarizer(method).summarize(
            article.text,
            blocks=article.blocks,
            title=article.title,
            language=article.language,
            points=points,
        )
    except SummaryRefused:
        if has_title:
            return Summary(HEADLINE_METHOD, ())
        raise
    return Summary(HEADLINE_METHOD, ()) if has_title and not summary.key_points else summary


def _lists_accounts(article: Article) -> bool:
    """Return whether the text is an aggregator's list of articles on one event, which the headline begins."""
    if not article.blocks or any(block.kind is not BlockKind.ITEM for block in article.blocks):
        return False
    first = article.blocks[0]
    return article.text[first.start : first.end].casefold().startswith(article.title.strip().casefold())


@dataclass(frozen=True, slots=True)
class Condenser:
    """The dependencies and settings of condense.

    `pool` condenses `concurrency` articles at once and limits the time of each. Without a pool, a thread of
    this process does, and an article fails after `timeout_seconds`. `method` is the default method; feeds and
    `newsletters` may name others. `points` is the maximum per article; a digest shows fewer, by rank.
    """

    store: CondenseStore
    pool: Executor | None
    method: str
    points: int = 8
    newsletters: Sequence[Newsletter] = ()
    concurrency: int = 2
    timeout_seconds: float = 180.0
    summarize: SummarizeArticle = summarize_article


@dataclass(frozen=True, slots=True)
class CondenseReport:
    """The result of one pass, in articles; `problems` are sentences for the operator.

    `failed` articles are tried again, `set_aside` ones (and edits) are not. `headlines` of the `condensed`
    articles have no key points.
    """

    condensed: int = 0
    headlines: int = 0
    failed: int = 0
    set_aside: int = 0
    problems: tuple[str, ...] = ()


async def condense(
    condenser: Condenser, *, now: datetime, progress: Progress = no_progress
) -> CondenseReport:
    """Try each article without a summary once.

    Raises StoreError if the database cannot be used, PoolUnavailable if the pool cannot run a task, and
    RuntimeError if the pool is closed. None of them counts as an attempt of an article.
    """
    report, tried = CondenseReport(), set[str]()
    while True:
        # Articles that failed in this pass are still waiting, ahead of those not yet tried.
        waiting = await condenser.store.uncondensed(BATCH_ARTICLES + report.failed)
        batch = [article for article in waiting if article.id not in tried]
        if not batch:
            return report
        tried.update(article.id for article in batch)
        report = await _condense_batch(condenser, batch, report, now, progress)


def method_for(article: Article, newsletters: Sequence[Newsletter], default: str) -> str:
    """Return the method for an article: its feed's, else that of the first newsletter that names one.

    Newsletters count in roster order if the article fits their topics. An article has one summary, which all
    newsletters share.
    """
    if article.method is not None:
        return article.method
    for newsletter in newsletters:
        fits = not newsletter.topics or not set(newsletter.topics).isdisjoint(article.topics)
        if fits and newsletter.method is not None:
            return newsletter.method
    return default


async def _condense_batch(
    condenser: Condenser, batch: Sequence[Article], report: CondenseReport, now: datetime, progress: Progress
) -> CondenseReport:
    """Condense and record each article of the batch; return the report with the batch added."""
    gate = asyncio.Semaphore(condenser.concurrency if condenser.pool is not None else 1)
    tasks = [asyncio.create_task(_summarize(condenser, article, gate)) for article in batch]
    try:
        for done, task in enumerate(asyncio.as_completed(tasks), start=1):
            article, result = await task
            report = await _record(condenser, article, result, report, now)
            progress(article.title or article.url, done, len(batch))
    finally:
        for task in tasks:
            task.cancel()
    return report


async def _summarize(
    condenser: Condenser, article: Article, gate: asyncio.Semaphore
) -> tuple[Article, Summary | SummaryRefused | str]:
    """Return the article with its summary, or with the reason why it has none.

    A refused text is refused again at every attempt; other reasons may pass.
    """
    method = method_for(article, condenser.newsletters, condenser.method)
    if method not in SUMMARIZERS:
        return article, f"there is no method {method!r}; known are {', '.join(sorted(SUMMARIZERS))}"
    async with gate:
        loop = asyncio.get_running_loop()
        work = loop.run_in_executor(condenser.pool, condenser.summarize, method, article, condenser.points)
        try:
            # In a pool, the time spent waiting for other articles must not count; the pool measures the work.
            summary = await asyncio.wait_for(
                work, condenser.timeout_seconds if condenser.pool is None else None
            )
        except PoolUnavailable:
            raise
        except BrokenExecutor:
            return article, "the process that condensed it came to an end"
        except TimeoutError as error:
            return article, str(error) or f"it took longer than {condenser.timeout_seconds:g} seconds"
        except Exception as error:  # noqa: BLE001 - one bad article must not stop the others
            return article, error if isinstance(error, SummaryRefused) else str(error) or type(error).__name__
    if not summary.is_verbatim(article.text):
        return article, f"{method} made a key point that is not in the text"
    return article, summary


async def _record(
    condenser: Condenser,
    article: Article,
    result: Summary | SummaryRefused | str,
    report: CondenseReport,
    now: datetime,
) -> CondenseReport:
    """Record a summary, or the reason of a failure; return the report with it added."""
    if isinstance(result, Summary):
        await condenser.store.record_summary(article.id, result, now)
        headlines = report.headlines + (result.method == HEADLINE_METHOD)
        return replace(report, condensed=report.condensed + 1, headlines=headlines)
    reason, may_retry = str(result), not isinstance(result, SummaryRefused)
    failure = await condenser.store.record_failure(article.id, reason, now, may_retry=may_retry)
    return replace(
        report,
        failed=report.failed + (failure in (FailureResult.RETRY, FailureResult.EDIT_RETRY)),
        set_aside=report.set_aside + (failure in (FailureResult.SET_ASIDE, FailureResult.EDIT_SET_ASIDE)),
        problems=(*report.problems, _problem(article, reason, failure)),
    )


def _problem(article: Article, reason: str, failure: FailureResult) -> str:
    """Return the failure and what follows, as a sentence without its full stop."""
    what, outlook = _OUTLOOKS[failure]
    return (
        f"{article.publisher}: {what}{article.title or article.url!r} could not be condensed, "
        f"{reason}; {outlook}"
    )


_EDIT = "the publisher's edit of "
_OUTLOOKS = {
    FailureResult.RETRY: ("", "it is tried again"),
    FailureResult.SET_ASIDE: ("", "it is set aside"),
    FailureResult.EDIT_RETRY: (_EDIT, "it is tried again"),
    FailureResult.EDIT_SET_ASIDE: (_EDIT, "the edit is set aside and the article stays as it was"),
    FailureResult.NOT_WAITING: ("", "it does not wait any more"),
}
