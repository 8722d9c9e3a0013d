"""Condense: new articles -> key points.

    take     articles without a summary, in gather order
    work     each article by its method, in groups, in processes of the pool, which end what takes too long
    record   the summaries that are ready, in one transaction, and each failed attempt: the third one sets the
             article aside, and the first one does if the text has nothing to show

An article that breaks its method, its process or its time limit does not affect the others: each of its group
is then condensed alone. An article with a title but no text to condense is shown by its headline alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
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
GROUP_ARTICLES = 10  # of one task of the pool; more would save little and delay other tasks of the pool
HEADLINE_METHOD = "headline"  # of a summary without key points

SummarizeArticle = Callable[[str, Article, int], Summary]
"""(method name, article, maximum number of key points) -> summary; must be picklable."""

Work = tuple[str, Article]
"""The name of a method, and the article that it condenses."""

Outcome = Summary | SummaryRefused | str
"""A summary, or the reason why there is none: a refused text is refused at every attempt, others may pass."""


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
    tasks = [asyncio.create_task(_summarize(condenser, group, gate)) for group in _groups(condenser, batch)]
    waiting, done = set(tasks), 0
    try:
        while waiting:
            ready, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            found = [one for task in tasks if task in ready for one in task.result()]
            report = await _record(condenser, found, report, now)
            for article, _ in found:
                done += 1
                progress(article.title or article.url, done, len(batch))
    finally:
        for task in tasks:
            task.cancel()
    return report


def _groups(condenser: Condenser, batch: Sequence[Article]) -> list[Sequence[Work]]:
    """Return the articles with their methods, in groups that keep all processes of the pool busy.

    Without a pool, each article has a time limit of its own, and so is a group of its own.
    """
    works = [(method_for(one, condenser.newsletters, condenser.method), one) for one in batch]
    size = min(GROUP_ARTICLES, -(-len(works) // condenser.concurrency)) if condenser.pool is not None else 1
    return [works[first : first + size] for first in range(0, len(works), size)]


async def _summarize(
    condenser: Condenser, group: Sequence[Work], gate: asyncio.Semaphore
) -> list[tuple[Article, Outcome]]:
    """Return the articles of the group with their outcomes.

    Raises PoolUnavailable if the pool cannot run a task, and RuntimeError if it is closed.
    """
    articles = [article for _, article in group]
    async with gate:
        work = asyncio.get_running_loop().run_in_executor(
            condenser.pool, summarize_group, condenser.summarize, group, condenser.points
        )
        try:
            # In a pool, the time spent waiting for other articles must not count; the pool measures the work.
            outcomes = await asyncio.wait_for(
                work, condenser.timeout_seconds if condenser.pool is None else None
            )
        except PoolUnavailable:
            raise
        except Exception as error:  # noqa: BLE001 - one bad article must not stop the others
            if len(group) == 1:
                return [(articles[0], _reason(error, condenser))]
        else:
            return list(zip(articles, outcomes, strict=True))
    alone = [await _summarize(condenser, [one], gate) for one in group]
    return [found for outcome in alone for found in outcome]


def summarize_group(summarize: SummarizeArticle, group: Sequence[Work], points: int) -> list[Outcome]:
    """Return the outcome of each article of the group, whatever errors the others raise."""
    return [_outcome(summarize, method, article, points) for method, article in group]


def _outcome(summarize: SummarizeArticle, method: str, article: Article, points: int) -> Outcome:
    if method not in SUMMARIZERS:
        return f"there is no method {method!r}; known are {', '.join(sorted(SUMMARIZERS))}"
    try:
        summary = summarize(method, article, points)
    except SummaryRefused as refused:
        return refused
    except Exception as error:  # noqa: BLE001 - one bad article must not stop the others
        return str(error) or type(error).__name__
    if not summary.is_verbatim(article.text):
        return f"{method} made a key point that is not in the text"
    return summary


def _reason(error: Exception, condenser: Condenser) -> str:
    """Return why a task has no result."""
    if isinstance(error, BrokenExecutor):
        return "the process that condensed it came to an end"
    if isinstance(error, TimeoutError):
        return str(error) or f"it took longer than {condenser.timeout_seconds:g} seconds"
    return str(error) or type(error).__name__


async def _record(
    condenser: Condenser, found: Sequence[tuple[Article, Outcome]], report: CondenseReport, now: datetime
) -> CondenseReport:
    """Record the summaries, and the reasons of failures; return the report with them added."""
    made = {article.id: outcome for article, outcome in found if isinstance(outcome, Summary)}
    await _record_summaries(condenser.store, made, now)
    headlines = sum(summary.method == HEADLINE_METHOD for summary in made.values())
    report = replace(report, condensed=report.condensed + len(made), headlines=report.headlines + headlines)
    for article, outcome in found:
        if not isinstance(outcome, Summary):
            report = await _record_failure(condenser.store, article, outcome, report, now)
    return report


async def _record_summaries(store: CondenseStore, made: Mapping[str, Summary], now: datetime) -> None:
    """Record the summaries in one transaction; if that fails, each alone, so that one affects no other.

    Raises the error of one that cannot be stored, after the others, or at the second: then it is the
    database that fails.
    """
    if not made:
        return
    try:
        await store.record_summaries(made, now)
    except Exception:
        if len(made) == 1:
            raise
        failed = None
        for article_id, summary in made.items():
            try:
                await store.record_summaries({article_id: summary}, now)
            except Exception as error:
                if failed is not None:
                    raise
                failed = error
        if failed is not None:
            raise failed from None


async def _record_failure(
    store: CondenseStore,
    article: Article,
    reason: SummaryRefused | str,
    report: CondenseReport,
    now: datetime,
) -> CondenseReport:
    """Record the reason of a failure; return the report with it added."""
    may_retry = not isinstance(reason, SummaryRefused)
    failure = await store.record_failure(article.id, str(reason), now, may_retry=may_retry)
    return replace(
        report,
        failed=report.failed + (failure in (FailureResult.RETRY, FailureResult.EDIT_RETRY)),
        set_aside=report.set_aside + (failure in (FailureResult.SET_ASIDE, FailureResult.EDIT_SET_ASIDE)),
        problems=(*report.problems, _problem(article, str(reason), failure)),
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
