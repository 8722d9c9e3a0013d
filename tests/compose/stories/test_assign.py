"""Story assignment: each article gets one story, also after a restart and with several workers."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest
from typing_extensions import override

from service.compose.ports import StoryStore
from service.compose.stories import assign
from service.compose.stories.assign import AssignmentReport, StoryAssigner
from service.compose.stories.index import StoryIndex
from service.core.errors import StoreError
from service.core.model import Article
from tests.compose.reports import REPORTS, a_report


class MemoryStoryStore(StoryStore):
    """A StoryStore in memory."""

    def __init__(self, *articles: Article) -> None:
        self.articles = list(articles)
        self.stories: dict[str, str] = {}
        self.splits = 0
        self.reads = 0

    @override
    async def articles_between(
        self, after: int, through: int, limit: int
    ) -> Sequence[tuple[Article, str | None]]:
        self.reads += 1
        fitting = [a for a in self.articles if after < a.position <= through]
        return [(article, self.stories.get(article.id)) for article in fitting[:limit]]

    @override
    async def split_count(self) -> int:
        return self.splits

    @override
    async def record_stories(self, stories: Mapping[str, str], *, split_count: int) -> Mapping[str, str]:
        if split_count != self.splits:
            return {}
        for article, story in stories.items():
            self.stories.setdefault(article, story)
        return {article: self.stories[article] for article in stories}

    def split(self, article: Article) -> None:
        """Give the article a story of its own."""
        self.stories[article.id] = f"split {article.id}"
        self.splits += 1

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


async def test_every_new_article_gets_a_story():
    store = MemoryStoryStore(*ALL)
    assert await StoryAssigner(store).assign(memory_position=0, release_position=99) == AssignmentReport(
        len(ALL)
    )
    assert store.events() == TRUE_EVENTS


async def test_articles_are_assigned_once_and_not_before_their_release():
    store = MemoryStoryStore(*ALL)
    joiner = StoryAssigner(store)
    assert await joiner.assign(memory_position=0, release_position=3) == AssignmentReport(3)
    assert await joiner.assign(memory_position=0, release_position=3) == AssignmentReport(0)
    assert await joiner.assign(memory_position=0, release_position=99) == AssignmentReport(len(ALL) - 3)
    assert store.events() == TRUE_EVENTS


async def test_a_new_process_continues_the_stories_of_the_last_one():
    store = MemoryStoryStore(*ALL)
    await StoryAssigner(store).assign(memory_position=0, release_position=1)
    await StoryAssigner(store).assign(memory_position=0, release_position=99)
    assert store.events() == TRUE_EVENTS


async def test_many_articles_are_read_in_batches(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(assign, "BATCH_ARTICLES", 5)
    store = MemoryStoryStore(*ALL)
    assert await StoryAssigner(store).assign(
        memory_position=0, release_position=len(ALL)
    ) == AssignmentReport(len(ALL))
    assert store.reads == 3
    assert store.events() == TRUE_EVENTS


async def test_the_stories_of_a_faster_worker_count():
    class Raced(MemoryStoryStore):
        @override
        async def record_stories(self, stories: Mapping[str, str], *, split_count: int) -> Mapping[str, str]:
            if not self.stories:
                self.stories[ALL[0].id] = "the other worker's story"
            return await super().record_stories(stories, split_count=split_count)

    store = Raced(*ALL[:1])
    joiner = StoryAssigner(store)
    assert await joiner.assign(memory_position=0, release_position=1) == AssignmentReport(0)
    store.articles.append(ALL[1])
    assert await joiner.assign(memory_position=0, release_position=2) == AssignmentReport(1)
    assert set(store.stories.values()) == {"the other worker's story"}


async def test_two_calls_at_once_share_the_work():
    store = MemoryStoryStore(*ALL)
    joiner = StoryAssigner(store)
    done = await asyncio.gather(*(joiner.assign(memory_position=0, release_position=99) for _ in range(3)))
    assert sorted(joined.articles for joined in done) == [0, 0, len(ALL)]
    assert store.events() == TRUE_EVENTS


# --- splits ------------------------------------------------------------------------------------

AGAIN = replace(ALL[1], id="again", position=50, title=ALL[1].title)
"""A later article on the event of the first two."""


async def test_a_running_assigner_notices_a_split():
    store = MemoryStoryStore(*ALL)
    joiner = StoryAssigner(store)
    await joiner.assign(memory_position=0, release_position=49)
    store.split(ALL[1])
    store.articles.append(AGAIN)
    await joiner.assign(memory_position=0, release_position=99)

    # It has the words of the split article, so it joins the story of that one.
    assert store.stories[AGAIN.id] == store.stories[ALL[1].id] == f"split {ALL[1].id}"
    assert store.stories[ALL[0].id] == ALL[0].id


async def test_the_story_keeps_its_id_when_its_first_article_is_split():
    store = MemoryStoryStore(*ALL)
    joiner = StoryAssigner(store)
    await joiner.assign(memory_position=0, release_position=49)
    store.split(ALL[0])
    store.articles.append(AGAIN)
    await joiner.assign(memory_position=0, release_position=99)

    assert store.stories[AGAIN.id] == store.stories[ALL[1].id] == ALL[0].id
    assert store.stories[ALL[0].id] == f"split {ALL[0].id}"


async def test_a_split_while_articles_are_placed_counts():
    class SplitMeanwhile(MemoryStoryStore):
        @override
        async def record_stories(self, stories: Mapping[str, str], *, split_count: int) -> Mapping[str, str]:
            if AGAIN.id in stories and not self.splits:
                self.split(ALL[1])
            return await super().record_stories(stories, split_count=split_count)

    store = SplitMeanwhile(*ALL)
    joiner = StoryAssigner(store)
    await joiner.assign(memory_position=0, release_position=49)
    store.articles.append(AGAIN)
    assert await joiner.assign(memory_position=0, release_position=99) == AssignmentReport(1)
    assert store.stories[AGAIN.id] == f"split {ALL[1].id}"


# --- what is broken ----------------------------------------------------------------------------


def broken(number: int) -> Article:
    """Return a report whose text is none, as a damaged row would give it."""
    return replace(a_report(number), text=None)


async def test_an_article_that_cannot_be_placed_is_a_story_and_reported_once():
    bad = broken(1)
    store = MemoryStoryStore(ALL[0], bad, *ALL[2:])
    joiner = StoryAssigner(store)
    [problem] = (await joiner.assign(memory_position=0, release_position=99)).problems

    assert f"the article at position 2 ({bad.id})" in problem
    assert store.events() == (TRUE_EVENTS - {frozenset({1, 2})}) | {frozenset({1}), frozenset({2})}
    assert (await joiner.assign(memory_position=0, release_position=99)) == AssignmentReport()
    assert (await StoryAssigner(store).assign(memory_position=0, release_position=99)) == AssignmentReport()


async def test_a_damaged_index_is_rebuilt_silently(monkeypatch: pytest.MonkeyPatch):
    store = MemoryStoryStore(*ALL)
    joiner = StoryAssigner(store)
    await joiner.assign(memory_position=0, release_position=1)
    assert joiner._index is not None
    monkeypatch.setitem(joiner._index._languages, "en", None)

    assert await joiner.assign(memory_position=0, release_position=99) == AssignmentReport(len(ALL) - 1)
    assert store.events() == TRUE_EVENTS


async def test_an_index_that_always_fails_loses_stories_but_no_article(monkeypatch: pytest.MonkeyPatch):
    place = StoryIndex.place

    def fails_when_full(self: StoryIndex, article: Article) -> str:
        if len(self) == 3:
            raise ZeroDivisionError
        return place(self, article)

    monkeypatch.setattr(StoryIndex, "place", fails_when_full)
    store = MemoryStoryStore(*ALL)
    joined = await StoryAssigner(store).assign(memory_position=0, release_position=99)

    assert (joined.articles, len(joined.problems)) == (len(ALL), len(ALL) - 3)
    assert set(store.stories) == {article.id for article in ALL}


async def test_an_unreadable_article_is_skipped_and_reported():
    class Torn(MemoryStoryStore):
        @override
        async def articles_between(
            self, after: int, through: int, limit: int
        ) -> Sequence[tuple[Article, str | None]]:
            if after < 2 <= through:
                raise ValueError("no JSON")
            return await super().articles_between(after, through, limit)

    store = Torn(ALL[0], *ALL[2:])
    joined = await StoryAssigner(store).assign(memory_position=0, release_position=99)

    assert joined.problems == ("the article at position 2 cannot be read, no JSON; it is left out",)
    assert store.events() == (TRUE_EVENTS - {frozenset({1, 2})}) | {frozenset({1})}


async def test_a_lost_database_is_no_failure_of_an_article():
    class Lost(MemoryStoryStore):
        @override
        async def articles_between(
            self, after: int, through: int, limit: int
        ) -> Sequence[tuple[Article, str | None]]:
            raise StoreError(f"lost before {limit} between {after} and {through}")

    with pytest.raises(StoreError):
        await StoryAssigner(Lost(*ALL)).assign(memory_position=0, release_position=99)
