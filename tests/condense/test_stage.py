"""Condense: every article gets its summary, and one that cannot harms no other."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator
from concurrent.futures import Executor, Future
from dataclasses import replace

import pytest

from service.app.process_pool.pool import ProcessPool
from service.condense.stage import HEADLINE_METHOD, Condenser, condense, method_for, summarize_article
from service.core.errors import PoolUnavailable
from service.core.model import Article, FeedState, Summary
from service.gather.ports import PollResult
from service.store.compose import SqlComposeStore
from service.store.condense import SqlCondenseStore
from service.store.database import Database
from service.store.gather import SqlGatherStore
from tests.builders import NOON, a_feed, a_newsletter, an_article, an_edition
from tests.condense.traps import TRAPS, booby_trapped


class House:
    """The records that condense meets, with what a test wants to know of them."""

    def __init__(self, database: Database) -> None:
        self.gather, self.condense = SqlGatherStore(database), SqlCondenseStore(database)
        self.compose = SqlComposeStore(database)

    async def arrive(self, *articles: Article) -> None:
        await self.gather.record_poll(PollResult(FeedState(a_feed(), next_poll_at=NOON), articles))

    async def told(self) -> dict[str, Summary]:
        through = await self.compose.release_position(NOON)
        found = await self.compose.released_articles(an_edition(topics=()), 0, through)
        return {condensed.article.title: condensed.summary for condensed in found}


@pytest.fixture
async def house(sqlite_url: str) -> AsyncIterator[House]:
    database = await Database.open(sqlite_url)
    yield House(database)
    await database.close()


@pytest.fixture(scope="module")
def pool():
    with ProcessPool(2, seconds=1) as pool:
        yield pool


class Stuck(Executor):
    """A pool none of whose processes can be started."""

    def submit(self, *_: object) -> Future[Summary]:
        answer: Future[Summary] = Future()
        answer.set_exception(PoolUnavailable("no process could be started: Cannot allocate memory"))
        return answer


def a_condenser(house: House, **changes: object) -> Condenser:
    return replace(Condenser(house.condense, None, "lead"), **changes)


async def test_what_arrived_is_condensed_by_the_sites_method(house: House):
    await house.arrive(an_article("One"), an_article("Two"))
    report = await condense(a_condenser(house), now=NOON)
    assert (report.condensed, report.failed, report.problems) == (2, 0, ())
    assert {summary.method for summary in (await house.told()).values()} == {"lead"}


async def test_a_second_pass_finds_nothing_to_do(house: House):
    await house.arrive(an_article("One"))
    await condense(a_condenser(house), now=NOON)
    assert (await condense(a_condenser(house), now=NOON)).condensed == 0


async def test_as_many_points_are_kept_as_the_condenser_says(house: House):
    await house.arrive(an_article("One", " ".join(f"Ship {n} came in." for n in range(20))))
    await condense(a_condenser(house, points=6), now=NOON)
    assert len((await house.told())["One"].key_points) == 6


async def test_an_article_without_a_sentence_is_told_by_its_headline(house: House):
    await house.arrive(an_article("Harbour reopens", ""), an_article("Ferry late", "Photo: The agency"))
    report = await condense(a_condenser(house), now=NOON)
    assert (report.condensed, report.headlines) == (2, 2)
    assert set((await house.told()).values()) == {Summary(HEADLINE_METHOD, ())}


async def test_an_article_without_anything_fails(house: House):
    await house.arrive(an_article("", ""))
    report = await condense(a_condenser(house), now=NOON)
    assert report.failed == 1
    assert "the text is empty; it is tried again" in report.problems[0]


async def test_a_poison_article_stops_no_other_and_is_set_aside_after_three_tries(house: House):
    await house.arrive(an_article("raise"), *(an_article(f"Good {n}") for n in range(3)))
    condenser = a_condenser(house, work=booby_trapped)
    first, second, third = [await condense(condenser, now=NOON) for _ in range(3)]
    assert (first.condensed, first.failed, first.set_aside) == (3, 1, 0)
    assert (second.condensed, second.failed, second.set_aside) == (0, 1, 0)
    assert (third.failed, third.set_aside) == (0, 1)
    assert third.problems == ("The Example: 'raise' could not be condensed, no sense in it; it is set aside",)
    assert set(await house.told()) == {"Good 0", "Good 1", "Good 2"}


async def test_an_edit_that_cannot_be_condensed_is_set_aside_and_its_article_stays_as_it_was(house: House):
    await house.arrive(an_article("Good", url="https://news.example/1"))
    condenser = a_condenser(house, work=booby_trapped)
    await condense(condenser, now=NOON)
    edited = an_article("raise", url="https://news.example/1")
    await house.gather.record_poll(PollResult(FeedState(a_feed(), next_poll_at=NOON), edited=(edited,)))
    _, second, third = [await condense(condenser, now=NOON) for _ in range(3)]
    whose = "The Example: the publisher's edit of 'raise' could not be condensed, no sense in it; "
    assert second.problems == (whose + "it is tried again",)
    assert third.problems == (whose + "the edit is set aside and the article stays as it was",)
    assert (third.failed, third.set_aside) == (0, 1)
    assert set(await house.told()) == {"Good"}


async def test_many_poison_articles_in_front_hide_none_behind(house: House, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("service.condense.stage.BATCH_ARTICLES", 2)
    await house.arrive(
        *(an_article("lie", url=f"https://news.example/{n}") for n in range(5)), an_article("Good")
    )
    report = await condense(a_condenser(house, work=booby_trapped), now=NOON)
    assert (report.condensed, report.failed) == (1, 5)


async def test_a_point_that_is_not_in_the_text_is_not_stored(house: House):
    await house.arrive(an_article("lie"))
    report = await condense(a_condenser(house, work=booby_trapped), now=NOON)
    assert "lead made a key point that is not in the text" in report.problems[0]


async def test_a_pool_survives_crashes_and_hangs_and_condenses_the_rest(house: House, pool: ProcessPool):
    await house.arrive(*(an_article(trap) for trap in TRAPS), *(an_article(f"Good {n}") for n in range(6)))
    report = await condense(a_condenser(house, pool=pool, work=booby_trapped), now=NOON)
    assert (report.condensed, report.failed) == (6, 4)
    reasons = " ".join(report.problems)
    assert "came to an end" in reasons
    assert "longer than 1 seconds" in reasons
    assert (await condense(a_condenser(house, pool=pool), now=NOON)).condensed == 4


async def test_the_deadline_holds_without_a_pool_too(house: House):
    await house.arrive(an_article("hang"), an_article("Good"))

    def slow(method: str, article: Article, points: int) -> Summary:
        if article.title == "hang":
            release.wait(30)
        return summarize_article(method, article, points)

    release = threading.Event()
    report = await condense(a_condenser(house, work=slow, deadline=0.1), now=NOON)
    release.set()
    assert (report.condensed, report.failed) == (1, 1)
    assert "longer than 0.1 seconds" in report.problems[0]


async def test_a_pool_that_takes_no_work_is_nobodys_failure(house: House):
    await house.arrive(an_article("Good"))
    closed = ProcessPool(1)
    closed.shutdown()
    with pytest.raises(RuntimeError):
        await condense(a_condenser(house, pool=closed), now=NOON)
    assert (await condense(a_condenser(house), now=NOON)).condensed == 1


async def test_progress_tells_what_was_done_and_how_far_it_is(house: House):
    await house.arrive(an_article("One"), an_article("Two"))
    heard: list[tuple[str, int, int]] = []
    await condense(a_condenser(house), now=NOON, progress=lambda *said: heard.append(said))
    assert sorted(heard) == [("One", 1, 2), ("Two", 2, 2)]


async def test_a_method_that_does_not_exist_is_named_with_those_that_do(house: House):
    await house.arrive(an_article("One", method="leed"))
    report = await condense(a_condenser(house), now=NOON)
    assert "there is no method 'leed'; known are keypoints, lead" in report.problems[0]


def test_a_feeds_method_wins_over_a_newsletters_and_that_over_the_sites():
    luhn = a_newsletter(topics=("world",), method="luhn")
    rest = a_newsletter("rest", topics=(), method="lsa")
    assert method_for(an_article(method="lead"), [luhn], "lexrank") == "lead"
    assert method_for(an_article(), [a_newsletter(), luhn, rest], "lexrank") == "luhn"
    assert method_for(an_article(topics=("sport",)), [luhn, rest], "lexrank") == "lsa"
    assert method_for(an_article(), [a_newsletter()], "lexrank") == "lexrank"


async def test_an_article_that_waits_behind_slow_work_has_not_failed(house: House):
    await house.arrive(an_article("Good"))
    with ProcessPool(1) as busy:
        ahead = busy.submit(threading.Event().wait, 0.5)
        report = await condense(a_condenser(house, pool=busy, deadline=0.05), now=NOON)
        assert ahead.done()
    assert (report.condensed, report.problems) == (1, ())


async def test_a_pool_that_cannot_run_a_task_is_no_articles_failure(house: House):
    await house.arrive(an_article("Good"))
    for _ in range(4):
        with pytest.raises(PoolUnavailable):
            await condense(a_condenser(house, pool=Stuck()), now=NOON)
    assert (await condense(a_condenser(house), now=NOON)).condensed == 1
