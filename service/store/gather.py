"""Feeds, their polls, and the arrival of articles."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, func, or_, select, update
from typing_extensions import override

from service.core.ids import host_of
from service.core.model import Article, FeedState
from service.gather.ports import GatherStore, PollResult
from service.store.corrections import correct
from service.store.database import Database
from service.store.dialect import CLAIMS_LOCK, hold_lock, is_in
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


@dataclass(frozen=True, slots=True)
class SqlGatherStore(GatherStore):
    """GatherStore on the tables feeds and articles."""

    database: Database
    _poll_upsert: Any = field(init=False, repr=False, compare=False)  # built once, because that takes 0.3 ms

    def __post_init__(self) -> None:
        """Build the statement that stores a poll."""
        object.__setattr__(self, "_poll_upsert", _poll_upsert(self.database))

    @override
    async def claim_feeds(self, now: datetime, until: datetime) -> Sequence[FeedState]:
        async with self.database.write() as connection:
            return await connection.run_sync(_claim, now, until)

    @override
    async def renew_claims(self, ids: Collection[str], until: datetime | None) -> None:
        async with self.database.write() as connection:
            claimed = update(feeds).where(CLAIMED, is_in(connection, feeds.c.id, ids))
            await connection.execute(claimed.values(claimed_until=until))

    @override
    async def all_feeds(self) -> Sequence[FeedState]:
        every = select(feeds).where(POLLED).order_by(feeds.c.name, feeds.c.id)
        async with self.database.read() as connection:
            return [feed_state_of(row) for row in (await connection.execute(every)).mappings()]

    @override
    async def feed_states(self, ids: Collection[str]) -> Sequence[FeedState]:
        async with self.database.read() as connection:
            wanted = select(feeds).where(POLLED, is_in(connection, feeds.c.id, ids)).order_by(feeds.c.name)
            return [feed_state_of(row) for row in (await connection.execute(wanted)).mappings()]

    @override
    async def known_articles(self, ids: Collection[str]) -> set[str]:
        if not ids:
            return set()
        async with self.database.read() as connection:
            return await connection.run_sync(_known, ids)

    @override
    async def record_polls(
        self, results: Sequence[PollResult], unchanged: Sequence[FeedState] = ()
    ) -> Sequence[int]:
        async with self.database.write() as connection:
            return await connection.run_sync(self._record, results, unchanged)

    def _record(
        self, connection: Connection, results: Sequence[PollResult], unchanged: Sequence[FeedState]
    ) -> list[int]:
        _lock_feeds(connection, [*(result.state for result in results), *unchanged])
        if results:
            connection.execute(self._poll_upsert, [_poll_row(result) for result in results])
        if unchanged:
            connection.execute(UNCHANGED, [_unchanged_row(state) for state in unchanged])
        if edited := [article for result in results for article in result.edited]:
            correct(connection, self.database, edited)
        return _store_articles(connection, [result.articles for result in results])


def _claim(connection: Connection, now: datetime, until: datetime) -> list[FeedState]:
    """Claim the feeds that are due and whose host has no claimed feed."""
    hold_lock(connection, CLAIMS_LOCK)
    claimed = select(feeds.c.url).where(CLAIMED, feeds.c.claimed_until > now)
    unclaimed = or_(feeds.c.claimed_until.is_(None), feeds.c.claimed_until <= now)
    due = (
        select(feeds)
        .where(POLLED, feeds.c.next_look_at <= now, unclaimed)
        .order_by(feeds.c.next_look_at, feeds.c.id)
    )
    states = [feed_state_of(row) for row in connection.execute(due).mappings()]
    if not states:
        return []
    busy_hosts = {host_of(url) for url in connection.execute(claimed).scalars()} - {""}
    free = [state for state in states if host_of(state.feed.url) not in busy_hosts]
    these = is_in(connection, feeds.c.id, [state.feed.id for state in free])
    connection.execute(update(feeds).where(these).values(claimed_until=until))
    return free


def _lock_feeds(connection: Connection, states: Sequence[FeedState]) -> None:
    """Lock the rows of these feeds in the same order in every worker, so that no two of them deadlock."""
    if connection.dialect.name == "postgresql":
        these = is_in(connection, feeds.c.id, [state.feed.id for state in states])
        connection.execute(select(feeds.c.id).where(these).order_by(feeds.c.id).with_for_update())


def _poll_upsert(database: Database) -> Any:  # noqa: ANN401 - see Database.insert
    """Return the statement that stores a feed with the results of a poll; a removed feed stays removed."""
    insert = database.insert(feeds)
    new = insert.excluded
    polled = {name: new[name] for name in (*POLL_COLUMNS, "memory")}
    polled["gone_at"] = func.coalesce(new.gone_at, feeds.c.gone_at)
    return insert.on_conflict_do_update(index_elements=["id"], set_=polled)


def _poll_row(result: PollResult) -> Values:
    state = result.state
    gone_at = (state.last_poll_at or state.last_success_at) if result.gone else None
    return {**feed_values(state.feed), **poll_values(state), "active": True, "gone_at": gone_at}


def _unchanged_row(state: FeedState) -> Values:
    values = poll_values(state)
    return {"known": state.feed.id, **{name: values[name] for name in POLL_COLUMNS}}


def _store_articles(connection: Connection, found: Sequence[Sequence[Article]]) -> list[int]:
    """Store those articles that are new, at the next positions; return their number in each sequence."""
    firsts: dict[str, tuple[int, Article]] = {}
    for number, these in enumerate(found):
        for article in these:
            firsts.setdefault(article.id, (number, article))
    counts = [0] * len(found)
    if not firsts:
        return counts
    last = connection.execute(LAST_POSITION).scalar_one()
    known = _known(connection, firsts)
    new = [first for key, first in firsts.items() if key not in known]
    if not new:
        return counts
    placed = [(article, position) for position, (_, article) in enumerate(new, start=last + 1)]
    connection.execute(articles.insert(), [article_values(*place) for place in placed])
    topics = [
        {"topic": topic, "position": position} for a, position in placed for topic in dict.fromkeys(a.topics)
    ]
    if topics:
        connection.execute(article_topics.insert(), topics)
    connection.execute(NEXT_POSITIONS, {"last": last + len(new)})
    for number, _ in new:
        counts[number] += 1
    return counts


def _known(connection: Connection, ids: Collection[str]) -> set[str]:
    stored = select(articles.c.id).where(is_in(connection, articles.c.id, ids))
    return set(connection.execute(stored).scalars())
