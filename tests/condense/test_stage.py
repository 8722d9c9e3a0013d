"""Condense: every article gets its summary, and a failing one does not affect the others."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

import pytest
from sqlalchemy import select

from service.app.process_pool.pool import ProcessPool
from service.condense.ports import CondenseStore
from service.condense.stage import (
    GROUP_ARTICLES,
    HEADLINE_METHOD,
    Condenser,
    Work,
    condense,
    method_for,
    summarize_article,
)
from service.core.errors import PoolUnavailable, StoreError
from service.core.model import Article, Block, BlockKind, FeedState, Summary
from service.gather.ports import PollResult
from service.store.compose import SqlComposeStore
from service.store.condense import SqlCondenseStore
from service.store.database import Database
from service.store.gather import SqlGatherStore
from service.store.schema import articles, summaries
from tests.builders import NOON, a_feed, a_newsletter, an_article, an_edition
from tests.condense.faulty_work import FAULTS, first_sentence, summarize_with_faults
from tests.store.kills import killed_at

T = TypeVar("T")


class Records:
    """The stores that condense uses, with what the tests read from them."""

    def __init__(self, database: Database) -> None:
        self.gather, self.condense = SqlGatherStore(database), SqlCondenseStore(database)
        self.compose = SqlComposeStore(database)

    async def arrive(self, *articles: Article) -> None:
        await self.gather.record_polls([PollResult(FeedState(a_feed(), next_poll_at=NOON), articles)])

    async def summaries(self) -> dict[str, Summary]:
        through = await self.compose.release_position(NOON)
        found = await self.compose.released_articles(an_edition(topics=()), 0, through)
        return {condensed.article.title: condensed.summary for condensed in found}


@pytest.fixture
async def records(sqlite_url: str) -> AsyncIterator[Records]:
    database = await Database.open(sqlite_url)
    yield Records(database)
    await database.close()


@pytest.fixture(scope="module")
def pool():
    with ProcessPool(2) as pool:
        yield pool


@pytest.fixture(scope="module")
def impatient_pool():
    with ProcessPool(2, seconds=1) as pool:
        yield pool


class StuckPool(Executor):
    """A pool that cannot start a process."""

    def submit(self, *_: object) -> Future[Summary]:
        future: Future[Summary] = Future()
        future.set_exception(PoolUnavailable("no process could be started: Cannot allocate memory"))
        return future


class CountingPool(Executor):
    """A pool that tells which articles each of its tasks gets."""

    def __init__(self, pool: Executor, tell: Callable[[Sequence[Work]], None]) -> None:
        self._pool, self._tell = pool, tell

    def submit(self, work: Callable[..., T], *args: Any) -> Future[T]:
        self._tell(args[1])
        return self._pool.submit(work, *args)


class ObservedStore(CondenseStore):
    """A store that first calls `before` with the summaries that it records in one transaction."""

    def __init__(self, store: CondenseStore, before: Callable[[Mapping[str, Summary]], None]) -> None:
        self._store, self._before = store, before
        self.uncondensed, self.record_failure = store.uncondensed, store.record_failure

    async def record_summaries(self, made: Mapping[str, Summary], now: datetime) -> None:
        self._before(made)
        await self._store.record_summaries(made, now)


def a_condenser(records: Records, **changes: object) -> Condenser:
    return replace(Condenser(records.condense, None, "lead"), **changes)


async def test_new_articles_are_condensed_by_the_default_method(records: Records):
    await records.arrive(an_article("One"), an_article("Two"))
    report = await condense(a_condenser(records), now=NOON)
    assert (report.condensed, report.failed, report.problems) == (2, 0, ())
    assert {summary.method for summary in (await records.summaries()).values()} == {"lead"}


async def test_a_second_pass_finds_nothing_to_do(records: Records):
    await records.arrive(an_article("One"))
    await condense(a_condenser(records), now=NOON)
    assert (await condense(a_condenser(records), now=NOON)).condensed == 0


async def test_the_condenser_limits_the_number_of_points(records: Records):
    await records.arrive(an_article("One", " ".join(f"Ship {n} came in." for n in range(20))))
    await condense(a_condenser(records, points=6), now=NOON)
    assert len((await records.summaries())["One"].key_points) == 6


async def test_an_article_without_a_sentence_is_shown_by_its_headline(records: Records):
    await records.arrive(an_article("Harbour reopens", ""), an_article("Ferry late", "Photo: The agency"))
    report = await condense(a_condenser(records), now=NOON)
    assert (report.condensed, report.headlines) == (2, 2)
    assert set((await records.summaries()).values()) == {Summary(HEADLINE_METHOD, ())}


async def test_an_article_without_text_and_title_fails(records: Records):
    await records.arrive(an_article("", ""))
    report = await condense(a_condenser(records), now=NOON)
    assert (report.failed, report.set_aside) == (0, 1)
    assert "the text is empty; it is set aside" in report.problems[0]


async def test_a_bad_article_stops_no_other_and_is_set_aside_after_three_attempts(records: Records):
    await records.arrive(an_article("raise"), *(an_article(f"Good {n}") for n in range(3)))
    condenser = a_condenser(records, summarize=summarize_with_faults)
    first, second, third = [await condense(condenser, now=NOON) for _ in range(3)]
    assert (first.condensed, first.failed, first.set_aside) == (3, 1, 0)
    assert (second.condensed, second.failed, second.set_aside) == (0, 1, 0)
    assert (third.failed, third.set_aside) == (0, 1)
    assert third.problems == ("The Example: 'raise' could not be condensed, no sense in it; it is set aside",)
    assert set(await records.summaries()) == {"Good 0", "Good 1", "Good 2"}


async def test_an_article_that_only_says_that_its_feed_moved_is_set_aside_at_once(records: Records):
    await records.arrive(an_article("We have moved", "We have moved. Please update your subscription."))
    report = await condense(a_condenser(records), now=NOON)
    assert (report.condensed, report.failed, report.set_aside) == (0, 0, 1)
    assert await records.condense.uncondensed(10) == []


def test_a_list_of_articles_that_the_headline_begins_has_no_points():
    lines = ("Ferry line to Ostrel approved Tarn Herald", "Board votes for the ferry line Farwick Post")
    text, end = "\n\n".join(lines), len(lines[0])
    blocks = (Block(BlockKind.ITEM, 0, end), Block(BlockKind.ITEM, end + 2, len(text)))
    listed = replace(an_article("Ferry line to Ostrel approved", text), blocks=blocks)
    assert summarize_article("keypoints", listed, 5) == Summary(HEADLINE_METHOD, ())
    news = replace(listed, title="Two lines of news")
    assert summarize_article("keypoints", news, 5).key_points


async def test_a_failing_edit_is_set_aside_and_its_article_stays_as_it_was(
    records: Records,
):
    await records.arrive(an_article("Good", url="https://news.example/1"))
    condenser = a_condenser(records, summarize=summarize_with_faults)
    await condense(condenser, now=NOON)
    edited = an_article("raise", url="https://news.example/1")
    await records.gather.record_polls([PollResult(FeedState(a_feed(), next_poll_at=NOON), edited=(edited,))])
    _, second, third = [await condense(condenser, now=NOON) for _ in range(3)]
    whose = "The Example: the publisher's edit of 'raise' could not be condensed, no sense in it; "
    assert second.problems == (whose + "it is tried again",)
    assert third.problems == (whose + "the edit is set aside and the article stays as it was",)
    assert (third.failed, third.set_aside) == (0, 1)
    assert set(await records.summaries()) == {"Good"}


async def test_many_bad_articles_do_not_block_those_behind_them(
    records: Records, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("service.condense.stage.BATCH_ARTICLES", 2)
    await records.arrive(
        *(an_article("lie", url=f"https://news.example/{n}") for n in range(5)), an_article("Good")
    )
    report = await condense(a_condenser(records, summarize=summarize_with_faults), now=NOON)
    assert (report.condensed, report.failed) == (1, 5)


async def test_a_point_that_is_not_in_the_text_is_not_stored(records: Records):
    await records.arrive(an_article("lie"))
    report = await condense(a_condenser(records, summarize=summarize_with_faults), now=NOON)
    assert "lead made a key point that is not in the text" in report.problems[0]


async def test_a_pool_survives_crashes_and_hangs_and_condenses_the_rest(
    records: Records, impatient_pool: ProcessPool
):
    await records.arrive(*(an_article(trap) for trap in FAULTS), *(an_article(f"Good {n}") for n in range(6)))
    condenser = a_condenser(records, pool=impatient_pool, summarize=summarize_with_faults)
    report = await condense(condenser, now=NOON)
    assert (report.condensed, report.failed) == (6, 4)
    reasons = " ".join(report.problems)
    assert "came to an end" in reasons
    assert "longer than 1 seconds" in reasons
    assert (await condense(replace(condenser, summarize=first_sentence), now=NOON)).condensed == 4


async def test_the_articles_of_a_task_are_recorded_in_one_transaction(records: Records, pool: ProcessPool):
    await records.arrive(*(an_article(f"Good {n}") for n in range(GROUP_ARTICLES + 1)))
    recorded: list[int] = []
    store = ObservedStore(records.condense, lambda made: recorded.append(len(made)))
    condenser = a_condenser(records, store=store, pool=pool, concurrency=1)
    assert (await condense(condenser, now=NOON)).condensed == GROUP_ARTICLES + 1
    assert recorded == [GROUP_ARTICLES, 1]


async def test_few_articles_are_shared_among_the_processes(records: Records, pool: ProcessPool):
    await records.arrive(*(an_article(f"Good {n}") for n in range(4)))
    tasks: list[int] = []
    counting = CountingPool(pool, lambda group: tasks.append(len(group)))
    await condense(a_condenser(records, pool=counting, concurrency=2), now=NOON)
    assert tasks == [2, 2]


@pytest.mark.parametrize("kind", [StoreError, ValueError])
async def test_a_summary_that_cannot_be_stored_does_not_affect_the_others(
    records: Records, pool: ProcessPool, kind: type[Exception]
):
    await records.arrive(*(an_article(title) for title in ("Good 0", "bad", "Good 1", "Good 2")))
    [bad] = [article for article in await records.condense.uncondensed(10) if article.title == "bad"]

    def refuse(made: Mapping[str, Summary]) -> None:
        if bad.id in made:
            raise kind("it cannot be stored")

    store = ObservedStore(records.condense, refuse)
    with pytest.raises(kind, match="it cannot be stored"):
        await condense(a_condenser(records, store=store, pool=pool, concurrency=1), now=NOON)
    assert await records.condense.uncondensed(10) == [bad]


@pytest.mark.parametrize("committed", [False, True])
async def test_after_a_crash_at_any_write_each_article_has_a_summary_and_no_failed_attempt(
    database: Database, pool: ProcessPool, monkeypatch: pytest.MonkeyPatch, committed: bool
):
    records, count = Records(database), 2 * GROUP_ARTICLES + 1
    await records.arrive(*(an_article(f"Good {n}") for n in range(count)))
    condenser = a_condenser(records, pool=pool, concurrency=1)
    crashes = 0
    while await killed_at(
        crashes + 1, partial(condense, condenser, now=NOON), monkeypatch, committed=committed
    ):
        crashes += 1
    assert crashes >= 2

    async with database.read() as connection:
        states = (await connection.execute(select(articles.c.state, articles.c.tries))).all()
        positions = (await connection.scalars(select(summaries.c.position))).all()
    assert set(states) == {("condensed", 0)}
    assert sorted(positions) == [*range(1, count + 1)]


async def test_a_database_that_fails_is_not_asked_once_for_each_article(records: Records, pool: ProcessPool):
    await records.arrive(*(an_article(f"Good {n}") for n in range(5)))
    asked: list[int] = []

    def fail(made: Mapping[str, Summary]) -> None:
        asked.append(len(made))
        raise StoreError("the disk is full")

    store = ObservedStore(records.condense, fail)
    with pytest.raises(StoreError, match="the disk is full"):
        await condense(a_condenser(records, store=store, pool=pool, concurrency=1), now=NOON)
    assert asked == [5, 1, 1]


async def test_the_timeout_applies_without_a_pool_too(records: Records):
    await records.arrive(an_article("hang"), an_article("Good"))

    def slow(method: str, article: Article, points: int) -> Summary:
        if article.title == "hang":
            release.wait(30)
        return summarize_article(method, article, points)

    release = threading.Event()
    report = await condense(a_condenser(records, summarize=slow, timeout_seconds=0.1), now=NOON)
    release.set()
    assert (report.condensed, report.failed) == (1, 1)
    assert "longer than 0.1 seconds" in report.problems[0]


async def test_a_closed_pool_counts_as_no_attempt(records: Records):
    await records.arrive(an_article("Good"))
    closed = ProcessPool(1)
    closed.shutdown()
    with pytest.raises(RuntimeError):
        await condense(a_condenser(records, pool=closed), now=NOON)
    assert (await condense(a_condenser(records), now=NOON)).condensed == 1


async def test_progress_reports_each_article(records: Records):
    await records.arrive(an_article("One"), an_article("Two"))
    reported: list[tuple[str, int, int]] = []
    await condense(a_condenser(records), now=NOON, progress=lambda *step: reported.append(step))
    assert sorted(reported) == [("One", 1, 2), ("Two", 2, 2)]


async def test_an_unknown_method_is_reported_with_the_known_ones(records: Records):
    await records.arrive(an_article("One", method="leed"))
    report = await condense(a_condenser(records), now=NOON)
    assert "there is no method 'leed'; known are keypoints, lead" in report.problems[0]


def test_the_method_of_a_feed_overrides_that_of_a_newsletter_and_the_default():
    luhn = a_newsletter(topics=("world",), method="luhn")
    rest = a_newsletter("rest", topics=(), method="lsa")
    assert method_for(an_article(method="lead"), [luhn], "lexrank") == "lead"
    assert method_for(an_article(), [a_newsletter(), luhn, rest], "lexrank") == "luhn"
    assert method_for(an_article(topics=("sport",)), [luhn, rest], "lexrank") == "lsa"
    assert method_for(an_article(), [a_newsletter()], "lexrank") == "lexrank"


async def test_waiting_for_other_work_counts_as_no_failure(records: Records):
    await records.arrive(an_article("Good"))
    with ProcessPool(1) as busy:
        ahead = busy.submit(threading.Event().wait, 0.5)
        report = await condense(a_condenser(records, pool=busy, timeout_seconds=0.05), now=NOON)
        assert ahead.done()
    assert (report.condensed, report.problems) == (1, ())


async def test_a_pool_that_cannot_run_a_task_counts_as_no_attempt(records: Records):
    await records.arrive(an_article("Good"))
    for _ in range(4):
        with pytest.raises(PoolUnavailable):
            await condense(a_condenser(records, pool=StuckPool()), now=NOON)
    assert (await condense(a_condenser(records), now=NOON)).condensed == 1
