"""An in-memory GatherStore, from which tests read what was recorded."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from service.core.model import Article, Feed, FeedState
from service.gather.entries.seen_items import SeenItem, item_from_line, seen_items_of
from service.gather.ports import PollResult


class Record:
    """Stores in memory.

    `edits` are the edited articles, `polls` the number of polls that changed more than the state of their
    feed, `groups` the number of feeds in each call of `record_polls`.
    """

    def __init__(self, *feeds: Feed) -> None:
        self.states = {feed.id: FeedState(feed) for feed in feeds}
        self.articles: dict[str, Article] = {}
        self.edits: list[Article] = []
        self.gone: set[str] = set()
        self.polls = 0
        self.groups: list[int] = []

    def state(self, feed: Feed) -> FeedState:
        return self.states[feed.id]

    def titles(self) -> list[str]:
        return [article.title for article in self.articles.values()]

    async def claim_feeds(self, now: datetime, until: datetime) -> Sequence[FeedState]:  # noqa: ARG002 - there is no other worker
        return [s for s in await self.all_feeds() if s.next_poll_at is None or s.next_poll_at <= now]

    async def renew_claims(self, ids: Collection[str], until: datetime | None) -> None:
        pass

    async def all_feeds(self) -> Sequence[FeedState]:
        return [state for id_, state in self.states.items() if id_ not in self.gone]

    async def feed_states(self, ids: Collection[str]) -> Sequence[FeedState]:
        return [state for id_, state in self.states.items() if id_ in ids]

    async def known_articles(self, ids: Collection[str]) -> set[str]:
        return set(ids) & set(self.articles)

    async def record_polls(
        self, results: Sequence[PollResult], unchanged: Sequence[FeedState] = ()
    ) -> Sequence[int]:
        self.groups.append(len(results) + len(unchanged))
        self.states |= {state.feed.id: state for state in unchanged}
        return [self._record(result) for result in results]

    def _record(self, result: PollResult) -> int:
        self.polls += 1
        self.states[result.state.feed.id] = result.state
        new = {a.id: a for a in result.articles if a.id not in self.articles}
        self.articles |= new
        self.edits += [a for a in result.edited if a.id in self.articles]
        if result.gone:
            self.gone.add(result.state.feed.id)
        return len(new)


def items_of(memory: str) -> tuple[SeenItem, ...]:
    """Parse all seen items; gather parses only those that a new item may match."""
    return tuple(item_from_line(line) for line in seen_items_of(memory).lines)
