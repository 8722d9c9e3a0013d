"""Condense: new articles -> key points.

    take     articles without a summary, in gather order
    work     each by its method, in a process of the pool, which ends what takes too long
    record   the summary, or that the try failed: the third one sets the article aside

An article that breaks its method, its process or its time limit costs nobody else anything. One that there is
nothing to condense of (a title and no text) is not lost: it is told by its headline alone.
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
from service.core.model import Article, Newsletter, Summary
from service.core.progress import Progress, no_progress

BATCH_ARTICLES = 100
HEADLINE_METHOD = "headline"
"""The method of a summary without key points."""

SummarizeArticle = Callable[[str, Article, int], Summary]
"""Makes the summary of an article by a method, of at most so many points; must be picklable."""


def summarize_article(method: str, article: Article, points: int) -> Summary:
    """Return the article's summary; one without points where the text gives none but there is a headline.

    Raises SummaryRefused for an article without either, and whatever a method raises.
    """
    try:
        return get_summarizer(method).summarize(
            article.text, title=article.title, language=article.language, points=points
        )
    except SummaryRefused:
        if article.title.strip():
            return Summary(HEADLINE_METHOD, ())
        raise


@dataclass(frozen=True, slots=True)
class Condenser:
    """What condense works with.

    `pool` runs the work, `abreast` articles at once, and limits the time of each. Without one a thread of
    this process runs it, and an article that takes longer than `deadline` seconds fails. `method` is the
    site's; `points` are the key points kept of an article: a digest shows fewer of them, by rank.
    `newsletters` may ask for methods of their own.
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
    """What one pass did, in articles. `failed` are tried again; `problems` are sentences for a person.

    `set_aside` counts articles and edits of articles that are not tried any more.
    `headlines` counts those among `condensed` of which there is nothing to tell but the headline.
    """

    condensed: int = 0
    headlines: int = 0
    failed: int = 0
    set_aside: int = 0
    problems: tuple[str, ...] = ()


async def condense(
    condenser: Condenser, *, now: datetime, progress: Progress = no_progress
) -> CondenseReport:
    """Condense every article that has no summary, each once in a pass, and return what was done.

    Raises StoreError when the record cannot be reached, PoolUnavailable when the pool cannot run a task, and
    RuntimeError when it is closed. No article has failed because of that.
    """
    report, tried = CondenseReport(), set[str]()
    while True:
        # What failed in this pass is still waiting, in front of what was not tried.
        waiting = await condenser.store.uncondensed(BATCH_ARTICLES + report.failed)
        batch = [article for article in waiting if article.id not in tried]
        if not batch:
            return report
        tried.update(article.id for article in batch)
        report = await _condense_batch(condenser, batch, report, now, progress)


def method_for(article: Article, newsletters: Sequence[Newsletter], default: str) -> str:
    """Return the method that an article is condensed by.

    Its feed's, else that of the first newsletter (in the roster's order) that can tell it and names one, else
    the default. An article has one summary: newsletters that share it cannot each have their own.
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
    """Return the report with this batch added; each article is recorded as soon as it is done."""
    gate = asyncio.Semaphore(condenser.concurrency if condenser.pool is not None else 1)
    tasks = [asyncio.create_task(_summarize(condenser, article, gate)) for article in batch]
    try:
        for done, task in enumerate(asyncio.as_completed(tasks), start=1):
            article, made = await task
            report = await _record(condenser, article, made, report, now)
            progress(article.title or article.url, done, len(batch))
    finally:
        for left in tasks:
            left.cancel()
    return report


async def _summarize(
    condenser: Condenser, article: Article, gate: asyncio.Semaphore
) -> tuple[Article, Summary | str]:
    """Return the article with its summary, or with the reason why it has none."""
    method = method_for(article, condenser.newsletters, condenser.method)
    if method not in SUMMARIZERS:
        return article, f"there is no method {method!r}; known are {', '.join(sorted(SUMMARIZERS))}"
    async with gate:
        loop = asyncio.get_running_loop()
        work = loop.run_in_executor(condenser.pool, condenser.summarize, method, article, condenser.points)
        try:
            # In a pool an article may wait for a long time behind others, which is no failure of its own.
            summary = await asyncio.wait_for(
                work, condenser.timeout_seconds if condenser.pool is None else None
            )
        except PoolUnavailable:
            raise
        except BrokenExecutor:
            return article, "the process that condensed it came to an end"
        except TimeoutError as error:
            return article, str(error) or f"it took longer than {condenser.timeout_seconds:g} seconds"
        except Exception as error:  # noqa: BLE001 - one poison article must not cost the others their summary
            return article, str(error) or type(error).__name__
    if not summary.is_verbatim(article.text):
        return article, f"{method} made a key point that is not in the text"
    return article, summary


async def _record(
    condenser: Condenser, article: Article, made: Summary | str, report: CondenseReport, now: datetime
) -> CondenseReport:
    if isinstance(made, Summary):
        await condenser.store.record_summary(article.id, made, now)
        headlines = report.headlines + (made.method == HEADLINE_METHOD)
        return replace(report, condensed=report.condensed + 1, headlines=headlines)
    setback = await condenser.store.record_failure(article.id, made, now)
    return replace(
        report,
        failed=report.failed + (setback in (FailureResult.RETRY, FailureResult.EDIT_RETRY)),
        set_aside=report.set_aside + (setback in (FailureResult.SET_ASIDE, FailureResult.EDIT_SET_ASIDE)),
        problems=(*report.problems, _problem(article, made, setback)),
    )


def _problem(article: Article, reason: str, setback: FailureResult) -> str:
    """Return what failed and what comes of it, as a sentence without its stop."""
    what, outlook = _OUTLOOKS[setback]
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
