"""Feeds, their polls, and the arrival of articles."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Connection, bindparam, func, or_, select, update
from typing_extensions import override

from service.core.ids import host_of
from service.core.model import Article, FeedState
from service.gather.ports import GatherStore, PollResult
from service.store.columns import Instant
from service.store.corrections import correct
from service.store.database import Database
from service.store.dialect import CLAIMS_LOCK, Query, hold_lock, is_in_parameter
from service.store.mappers import Values, article_values, feed_state_of, feed_values, poll_values
from service.store.schema import CLAIMED, POLLED, article_topics, articles, counters, feeds

_POLL = "etag last_modified next_look_at claimed_until last_look_at last_success_at failures last_error"
POLL_COLUMNS = _POLL.split()
"""Columns that every poll writes; one that changes what is remembered of the feed also writes `memory`."""

ARTICLES_COUNTER = counters.c.name == "articles"
LOCKED_COUNTER = update(counters).where(ARTICLES_COUNTER).values(value=counters.c.value)
LAST_POSITION = LOCKED_COUNTER.returning(counters.c.value)
"""Locks the counter until commit, so that positions become visible in their order."""
NEXT_POSITIONS = update(counters).where(ARTICLES_COUNTER).values(value=bindparam("last"))
UNCHANGED = (
    update(feeds)
    .where(feeds.c.id == bindparam("known"))
    .values({name: bindparam(name, type_=feeds.c[name].type) for name in POLL_COLUMNS})
)


EVERY = select(feeds).where(POLLED).order_by(feeds.c.name, feeds.c.id)
NOW = bindparam("now", type_=Instant)
DUE = (
    select(feeds)
    .where(
        POLLED,
        feeds.c.next_look_at <= NOW,
        or_(feeds.c.claimed_until.is_(None), feeds.c.claimed_until <= NOW),
    )
    .order_by(feeds.c.next_look_at, feeds.c.id)
)
CLAIMED_ADDRESSES = select(feeds.c.url).where(CLAIMED, feeds.c.claimed_until > NOW)


class _Statements:
    """Statements that differ between the databases; to build one takes longer than to run it."""

    def __init__(self, database: Database) -> None:
        these = is_in_parameter(feeds.c.id, "ids", on_sqlite=database.on_sqlite)
        until = bindparam("until", type_=Instant)
        self.of_ids = select(feeds).where(POLLED, these).order_by(feeds.c.name)
        self.claim = update(feeds).where(these).values(claimed_until=until)
        self.renew = update(feeds).where(CLAIMED, these).values(claimed_until=until)
        self.lock = select(feeds.c.id).where(these).order_by(feeds.c.id).with_for_update()
        known = is_in_parameter(articles.c.id, "ids", on_sqlite=database.on_sqlite)
        self.known = select(articles.c.id).where(known)
        self.record_poll = self._record_poll(database.insert(feeds))

    @staticmethod
    def _record_poll(insert: Any) -> Any:  # noqa: ANN401 - see Database.insert
        """Return the statement that stores a feed with the results of a poll; an ended feed stays ended."""
        new = insert.excluded
        polled = {name: new[name] for name in (*POLL_COLUMNS, "memory")}
        polled["gone_at"] = func.coalesce(new.gone_at, feeds.c.gone_at)
        return insert.on_conflict_do_update(index_elements=["id"], set_=polled)


@dataclass(frozen=True, slots=True)
class SqlGatherStore(GatherStore):
    """GatherStore on the tables feeds and articles."""

    database: Database
    _statements: _Statements = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Build the statements."""
        object.__setattr__(self, "_statements", _Statements(self.database))

    @override
    async def claim_feeds(self, now: datetime, until: datetime) -> Sequence[FeedState]:
        return await self.database.run_write(partial(self._claim, now=now, until=until))

    @override
    async def renew_claims(self, ids: Collection[str], until: datetime | None) -> None:
        values = {"ids": list(ids), "until": until}
        await self.database.run_write(lambda connection: connection.execute(self._statements.renew, values))

    @override
    async def all_feeds(self) -> Sequence[FeedState]:
        return await self.database.run_read(partial(_states, query=EVERY))

    @override
    async def feed_states(self, ids: Collection[str]) -> Sequence[FeedState]:
        return await self.database.run_read(partial(_states, query=self._statements.of_ids, ids=list(ids)))

    @override
    async def known_articles(self, ids: Collection[str]) -> set[str]:
        return await self.database.run_read(partial(self._known, ids=ids)) if ids else set()

    @override
    async def record_polls(
        self, results: Sequence[PollResult], unchanged: Sequence[FeedState] = ()
    ) -> Sequence[int]:
        return await self.database.run_write(partial(self._record, results=results, unchanged=unchanged))

    def _claim(self, connection: Connection, now: datetime, until: datetime) -> list[FeedState]:
        """Claim the feeds that are due and whose host has no claimed feed."""
        hold_lock(connection, CLAIMS_LOCK)
        states = _states(connection, DUE, now=now)
        if not states:
            return []
        addresses = connection.execute(CLAIMED_ADDRESSES, {"now": now}).scalars()
        busy_hosts = {host_of(url) for url in addresses} - {""}
        free = [state for state in states if host_of(state.feed.url) not in busy_hosts]
        ids = [state.feed.id for state in free]
        connection.execute(self._statements.claim, {"ids": ids, "until": until})
        return free

    def _record(
        self, connection: Connection, results: Sequence[PollResult], unchanged: Sequence[FeedState]
    ) -> list[int]:
        if not self.database.on_sqlite:
            # All workers lock feeds in the same order, so that no two of them deadlock.
            ids = [state.feed.id for state in (*(result.state for result in results), *unchanged)]
            connection.execute(self._statements.lock, {"ids": ids})
        if results:
            connection.execute(self._statements.record_poll, [_poll_row(result) for result in results])
        if unchanged:
            connection.execute(UNCHANGED, [_unchanged_row(state) for state in unchanged])
        if edited := [article for result in results for article in result.edited]:
            correct(connection, self.database, edited)
        return self._store_articles(connection, [result.articles for result in results])

    def _store_articles(self, connection: Connection, found: Sequence[Sequence[Article]]) -> list[int]:
        """Store those articles that are new, at the next positions; return their number in each sequence."""
        firsts: dict[str, tuple[int, Article]] = {}
        for number, these in enumerate(found):
            for article in these:
                firsts.setdefault(article.id, (number, article))
        counts = [0] * len(found)
        if not firsts:
            return counts
        last = connection.execute(LAST_POSITION).scalar_one()
        known = self._known(connection, firsts)
        new = [first for key, first in firsts.items() if key not in known]
        if new:
            _insert(connection, [article for _, article in new], last)
        for number, _ in new:
            counts[number] += 1
        return counts

    def _known(self, connection: Connection, ids: Collection[str]) -> set[str]:
        return set(connection.execute(self._statements.known, {"ids": list(ids)}).scalars())


def _states(connection: Connection, query: Query, **values: object) -> list[FeedState]:
    return [feed_state_of(row) for row in connection.execute(query, values).mappings()]


def _poll_row(result: PollResult) -> Values:
    state = result.state
    gone_at = (state.last_poll_at or state.last_success_at) if result.gone else None
    return {**feed_values(state.feed), **poll_values(state), "active": True, "gone_at": gone_at}


def _unchanged_row(state: FeedState) -> Values:
    values = poll_values(state)
    return {"known": state.feed.id, **{name: values[name] for name in POLL_COLUMNS}}


def _insert(connection: Connection, new: Sequence[Article], last: int) -> None:
    """Insert new articles at the positions after `last`."""
    placed = [(article, position) for position, article in enumerate(new, start=last + 1)]
    connection.execute(articles.insert(), [article_values(*place) for place in placed])
    topics = [
        {"topic": topic, "position": position} for a, position in placed for topic in dict.fromkeys(a.topics)
    ]
    if topics:
        connection.execute(article_topics.insert(), topics)
    connection.execute(NEXT_POSITIONS, {"last": last + len(new)})
