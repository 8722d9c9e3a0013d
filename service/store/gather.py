"""Feeds, their polls, and the arrival of articles."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from typing_extensions import override

from service.core.ids import host_of
from service.core.model import Article, FeedState
from service.gather.ports import GatherStore, PollResult
from service.store.corrections import correct
from service.store.database import Database
from service.store.dialect import CLAIMS_LOCK, advisory_lock, is_in
from service.store.mappers import article_values, feed_state_of, feed_values, poll_values
from service.store.schema import CLAIMED, POLLED, article_topics, articles, counters, feeds


@dataclass(frozen=True, slots=True)
class SqlGatherStore(GatherStore):
    """GatherStore on the tables feeds and articles."""

    database: Database

    @override
    async def claim_feeds(self, now: datetime, until: datetime) -> Sequence[FeedState]:
        claimed = select(feeds.c.url).where(CLAIMED, feeds.c.claimed_until > now)
        unclaimed = or_(feeds.c.claimed_until.is_(None), feeds.c.claimed_until <= now)
        due = (
            select(feeds)
            .where(POLLED, feeds.c.next_look_at <= now, unclaimed)
            .order_by(feeds.c.next_look_at, feeds.c.id)
        )
        async with self.database.write() as connection:
            await advisory_lock(connection, CLAIMS_LOCK)
            busy_hosts = {host_of(url) for url in (await connection.execute(claimed)).scalars()} - {""}
            states = [feed_state_of(row) for row in (await connection.execute(due)).mappings()]
            free = [state for state in states if host_of(state.feed.url) not in busy_hosts]
            these = is_in(connection, feeds.c.id, [state.feed.id for state in free])
            await connection.execute(update(feeds).where(these).values(claimed_until=until))
        return free

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
            return await _known(connection, ids)

    @override
    async def record_poll(self, result: PollResult) -> int:
        async with self.database.write() as connection:
            await self._store_state(connection, result)
            if result.edited:
                await correct(connection, self.database, result.edited)
            return await self._store_articles(connection, result.articles) if result.articles else 0

    @override
    async def record_unchanged(self, states: Sequence[FeedState]) -> None:
        if not states:
            return
        async with self.database.write() as connection:
            prepared = _UnchangedUpdate.prepare(connection, states[0])
            # All workers use the same order, so that no two of them deadlock.
            rows = [prepared.row(state) for state in sorted(states, key=lambda state: state.feed.id)]
            await connection.exec_driver_sql(prepared.statement, rows)

    async def _store_state(self, connection: AsyncConnection, result: PollResult) -> None:
        state = result.state
        polled = poll_values(state)
        if result.gone:
            polled["gone_at"] = state.last_poll_at or state.last_success_at
        new = {**feed_values(state.feed), **polled, "active": True}
        await connection.execute(
            self.database.insert(feeds).values(new).on_conflict_do_update(index_elements=["id"], set_=polled)
        )

    async def _store_articles(self, connection: AsyncConnection, found: Sequence[Article]) -> int:
        """Store those articles that are new, at the next positions; return their number."""
        # This update locks the counter until commit, so that positions become visible in their order.
        this = counters.c.name == "articles"
        locked = update(counters).where(this).values(value=counters.c.value).returning(counters.c.value)
        last = (await connection.execute(locked)).scalar_one()
        by_id = {article.id: article for article in found}
        known = await _known(connection, by_id)
        new = [article for key, article in by_id.items() if key not in known]
        if not new:
            return 0
        placed = list(enumerate(new, start=last + 1))
        await connection.execute(articles.insert(), [article_values(a, position) for position, a in placed])
        topics = [
            {"topic": t, "position": position} for position, a in placed for t in dict.fromkeys(a.topics)
        ]
        if topics:
            await connection.execute(article_topics.insert(), topics)
        await connection.execute(update(counters).where(this).values(value=last + len(new)))
        return len(new)


BindProcessor = Callable[[Any], Any]
"""Converts a Python value to the driver's value."""


@dataclass(frozen=True, slots=True)
class _UnchangedUpdate:
    """The UPDATE for feeds without new articles, compiled once for all of them."""

    statement: str
    columns: tuple[tuple[str, BindProcessor | None], ...]

    @classmethod
    def prepare(cls, connection: AsyncConnection, state: FeedState) -> _UnchangedUpdate:
        """Compile the statement for this database, for the columns of `state`."""
        dialect = connection.dialect
        names = [name for name in poll_values(state) if name != "memory"]
        unchanged = (
            update(feeds)
            .where(feeds.c.id == bindparam("known"))
            .values({name: bindparam(name) for name in names})
        )
        compiled = unchanged.compile(dialect=dialect)
        kinds = {"known": feeds.c.id.type, **{name: feeds.c[name].type for name in names}}
        order = compiled.positiontup or ()
        return cls(str(compiled), tuple((name, kinds[name].bind_processor(dialect)) for name in order))

    def row(self, state: FeedState) -> tuple[Any, ...]:
        """Return the values for one feed, in the statement's order."""
        values = {"known": state.feed.id, **poll_values(state)}
        return tuple(process(values[name]) if process else values[name] for name, process in self.columns)


async def _known(connection: AsyncConnection, ids: Collection[str]) -> set[str]:
    stored = select(articles.c.id).where(is_in(connection, articles.c.id, ids))
    return set((await connection.execute(stored)).scalars())
