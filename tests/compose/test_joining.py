"""Joining: each article gets one story, the same after a restart and with several workers."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import pytest

from service.compose import joining
from service.compose.joining import Joiner
from service.core.model import Article
from tests.compose.reports import REPORTS, a_report


class Shelf:
    """The StoryStore of core/contracts.py, over a list."""

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
    assert await Joiner(shelf).join(memory=0, through=99) == len(ALL)
    assert shelf.events() == TRUE_EVENTS


async def test_nothing_is_joined_twice_or_ahead_of_time():
    shelf = Shelf(*ALL)
    joiner = Joiner(shelf)
    assert await joiner.join(memory=0, through=3) == 3
    assert await joiner.join(memory=0, through=3) == 0
    assert await joiner.join(memory=0, through=99) == len(ALL) - 3
    assert shelf.events() == TRUE_EVENTS


async def test_a_new_process_goes_on_where_the_last_one_ended():
    shelf = Shelf(*ALL)
    await Joiner(shelf).join(memory=0, through=1)
    await Joiner(shelf).join(memory=0, through=99)
    assert shelf.events() == TRUE_EVENTS


async def test_large_numbers_come_in_batches(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(joining, "BATCH", 5)
    shelf = Shelf(*ALL)
    assert await Joiner(shelf).join(memory=0, through=99) == len(ALL)
    assert shelf.asked == 4
    assert shelf.events() == TRUE_EVENTS


async def test_what_a_faster_worker_said_stands_and_is_gone_by():
    class Raced(Shelf):
        async def record_stories(self, stories: Mapping[str, str]) -> Mapping[str, str]:
            if not self.stories:
                self.stories[ALL[0].id] = "the other worker's story"
            return await super().record_stories(stories)

    shelf = Raced(*ALL[:1])
    joiner = Joiner(shelf)
    assert await joiner.join(memory=0, through=99) == 0
    shelf.articles.append(ALL[1])
    assert await joiner.join(memory=0, through=99) == 1
    assert set(shelf.stories.values()) == {"the other worker's story"}


async def test_two_calls_at_once_share_the_work():
    shelf = Shelf(*ALL)
    joiner = Joiner(shelf)
    done = await asyncio.gather(*(joiner.join(memory=0, through=99) for _ in range(3)))
    assert sorted(done) == [0, 0, len(ALL)]
    assert shelf.events() == TRUE_EVENTS
