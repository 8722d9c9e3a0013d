"""Joining: each article gets one story, the same after a restart and with several workers."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from service.compose.stories import assign as joining
from service.compose.stories.assign import AssignmentReport, StoryAssigner
from service.compose.stories.index import StoryIndex
from service.core.errors import StoreError
from service.core.model import Article
from tests.compose.reports import REPORTS, a_report


class Shelf:
    """The StoryStore of core/contracts/, over a list."""

    def __init__(self, *articles: Article) -> None:
        self.articles = list(articles)
        self.stories: dict[str, str] = {}
        self.asked = 0

    async def articles_between(
        self, after: int, through: int, limit: int
    ) -> Sequence[tuple[Article, str | None]]:
        self.asked += 1
        fitting = [a for a in self.articles if after < a.position <= through]
        return [(article, self.stories.get(article.id)) for article in fitting[:limit]]

    async def record_stories(self, stories: Mapping[str, str]) -> Mapping[str, str]:
        for article, story in stories.items():
            self.stories.setdefault(article, story)
        return {article: self.stories[article] for article in stories}

    def events(self) -> set[frozenset[int]]:
        members: dict[str, set[int]] = {}
        for article in self.articles:
            members.setdefault(self.stories[article.id], set()).add(article.position)
        return {frozenset(positions) for positions in members.values()}


ALL = [a_report(number) for number in range(len(REPORTS))]
TRUE_EVENTS = {
    frozenset(n for n, other in enumerate(REPORTS, start=1) if other.event == report.event)
    for report in REPORTS
}


async def test_everything_that_arrived_gets_its_story():
    shelf = Shelf(*ALL)
    assert await StoryAssigner(shelf).assign(memory_position=0, release_position=99) == AssignmentReport(
        len(ALL)
    )
    assert shelf.events() == TRUE_EVENTS


async def test_nothing_is_joined_twice_or_ahead_of_time():
    shelf = Shelf(*ALL)
    joiner = StoryAssigner(shelf)
    assert await joiner.assign(memory_position=0, release_position=3) == AssignmentReport(3)
    assert await joiner.assign(memory_position=0, release_position=3) == AssignmentReport(0)
    assert await joiner.assign(memory_position=0, release_position=99) == AssignmentReport(len(ALL) - 3)
    assert shelf.events() == TRUE_EVENTS


async def test_a_new_process_goes_on_where_the_last_one_ended():
    shelf = Shelf(*ALL)
    await StoryAssigner(shelf).assign(memory_position=0, release_position=1)
    await StoryAssigner(shelf).assign(memory_position=0, release_position=99)
    assert shelf.events() == TRUE_EVENTS


async def test_large_numbers_come_in_batches(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(joining, "BATCH_ARTICLES", 5)
    shelf = Shelf(*ALL)
    assert await StoryAssigner(shelf).assign(
        memory_position=0, release_position=len(ALL)
    ) == AssignmentReport(len(ALL))
    assert shelf.asked == 3
    assert shelf.events() == TRUE_EVENTS


async def test_what_a_faster_worker_said_stands_and_is_gone_by():
    class Raced(Shelf):
        async def record_stories(self, stories: Mapping[str, str]) -> Mapping[str, str]:
            if not self.stories:
                self.stories[ALL[0].id] = "the other worker's story"
            return await super().record_stories(stories)

    shelf = Raced(*ALL[:1])
    joiner = StoryAssigner(shelf)
    assert await joiner.assign(memory_position=0, release_position=1) == AssignmentReport(0)
    shelf.articles.append(ALL[1])
    assert await joiner.assign(memory_position=0, release_position=2) == AssignmentReport(1)
    assert set(shelf.stories.values()) == {"the other worker's story"}


async def test_two_calls_at_once_share_the_work():
    shelf = Shelf(*ALL)
    joiner = StoryAssigner(shelf)
    done = await asyncio.gather(*(joiner.assign(memory_position=0, release_position=99) for _ in range(3)))
    assert sorted(joined.articles for joined in done) == [0, 0, len(ALL)]
    assert shelf.events() == TRUE_EVENTS


# --- what is broken ----------------------------------------------------------------------------


def broken(number: int) -> Article:
    """Return a report whose text is none, as a damaged row would give it."""
    return replace(a_report(number), text=None)


async def test_an_article_that_cannot_be_placed_is_a_story_of_its_own_and_is_named_once():
    bad = broken(1)
    shelf = Shelf(ALL[0], bad, *ALL[2:])
    joiner = StoryAssigner(shelf)
    [problem] = (await joiner.assign(memory_position=0, release_position=99)).problems

    assert f"the article at position 2 ({bad.id})" in problem
    assert shelf.events() == (TRUE_EVENTS - {frozenset({1, 2})}) | {frozenset({1}), frozenset({2})}
    assert (await joiner.assign(memory_position=0, release_position=99)) == AssignmentReport()
    assert (await StoryAssigner(shelf).assign(memory_position=0, release_position=99)) == AssignmentReport()


async def test_an_index_that_broke_is_built_anew_and_nobody_notices(monkeypatch: pytest.MonkeyPatch):
    shelf = Shelf(*ALL)
    joiner = StoryAssigner(shelf)
    await joiner.assign(memory_position=0, release_position=1)
    assert joiner._index is not None
    monkeypatch.setitem(joiner._index._languages, "en", None)

    assert await joiner.assign(memory_position=0, release_position=99) == AssignmentReport(len(ALL) - 1)
    assert shelf.events() == TRUE_EVENTS


async def test_an_index_that_breaks_every_time_costs_stories_but_no_article(monkeypatch: pytest.MonkeyPatch):
    place = StoryIndex.place

    def fails_when_full(self: StoryIndex, article: Article) -> str:
        if len(self) == 3:
            raise ZeroDivisionError
        return place(self, article)

    monkeypatch.setattr(StoryIndex, "place", fails_when_full)
    shelf = Shelf(*ALL)
    joined = await StoryAssigner(shelf).assign(memory_position=0, release_position=99)

    assert (joined.articles, len(joined.problems)) == (len(ALL), len(ALL) - 3)
    assert set(shelf.stories) == {article.id for article in ALL}


async def test_an_article_that_cannot_be_read_is_gone_by_and_named():
    class Torn(Shelf):
        async def articles_between(
            self, after: int, through: int, limit: int
        ) -> Sequence[tuple[Article, str | None]]:
            if after < 2 <= through:
                raise ValueError("no JSON")
            return await super().articles_between(after, through, limit)

    shelf = Torn(ALL[0], *ALL[2:])
    joined = await StoryAssigner(shelf).assign(memory_position=0, release_position=99)

    assert joined.problems == ("the article at position 2 cannot be read, no JSON; it is left out",)
    assert shelf.events() == (TRUE_EVENTS - {frozenset({1, 2})}) | {frozenset({1})}


async def test_a_lost_database_is_not_one_articles_trouble():
    class Lost(Shelf):
        async def articles_between(
            self, after: int, through: int, limit: int
        ) -> Sequence[tuple[Article, str | None]]:
            raise StoreError(f"lost before {limit} between {after} and {through}")

    with pytest.raises(StoreError):
        await StoryAssigner(Lost(*ALL)).assign(memory_position=0, release_position=99)
