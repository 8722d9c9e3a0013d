"""What gather asks of the record: feeds, their looks, and the articles they brought."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from service.core.ids import host_of
from service.core.model import Article, FeedState
from service.gather.ports import PollResult
from service.store.corrections import correct
from service.store.database import Database
from service.store.dialect import CLAIMS_LOCK, advisory_lock, is_in
from service.store.mappers import article_values, feed_state_of, feed_values, poll_values
from service.store.schema import CLAIMED, POLLED, article_topics, articles, counters, feeds


@dataclass(frozen=True, slots=True)
class SqlGatherStore:
    """The GatherStore of core/contracts/."""

    database: Database

    async def claim_feeds(self, now: datetime, until: datetime) -> Sequence[FeedState]:
        """Return the active feeds whose next look is due, longest overdue first, and claim them until then.

        Left out are the feeds of hosts where another claim stands.
        """
        claimed = select(feeds.c.url).where(CLAIMED, feeds.c.claimed_until > now)
        unclaimed = or_(feeds.c.claimed_until.is_(None), feeds.c.claimed_until <= now)
        due = (
            select(feeds)
            .where(POLLED, feeds.c.next_look_at <= now, unclaimed)
            .order_by(feeds.c.next_look_at, feeds.c.id)
        )
        async with self.database.write() as connection:
            await advisory_lock(connection, CLAIMS_LOCK)
            busy = {host_of(url) for url in (await connection.execute(claimed)).scalars()} - {""}
            states = [feed_state_of(row) for row in (await connection.execute(due)).mappings()]
            free = [state for state in states if host_of(state.feed.url) not in busy]
            mine = is_in(connection, feeds.c.id, [state.feed.id for state in free])
            await connection.execute(update(feeds).where(mine).values(claimed_until=until))
        return free

    async def renew_claims(self, ids: Collection[str], until: datetime | None) -> None:
        """Prolong the claims on these feeds, or with None give them back."""
        async with self.database.write() as connection:
            held = update(feeds).where(CLAIMED, is_in(connection, feeds.c.id, ids))
            await connection.execute(held.values(claimed_until=until))

    async def all_feeds(self) -> Sequence[FeedState]:
        """Return every active feed, by name."""
        every = select(feeds).where(POLLED).order_by(feeds.c.name, feeds.c.id)
        async with self.database.read() as connection:
            return [feed_state_of(row) for row in (await connection.execute(every)).mappings()]

    async def feed_states(self, ids: Collection[str]) -> Sequence[FeedState]:
        """Return the states of these feeds that are active."""
        async with self.database.read() as connection:
            wanted = select(feeds).where(POLLED, is_in(connection, feeds.c.id, ids)).order_by(feeds.c.name)
            return [feed_state_of(row) for row in (await connection.execute(wanted)).mappings()]

    async def known_articles(self, ids: Collection[str]) -> set[str]:
        """Return which of these article ids are stored already."""
        if not ids:
            return set()
        async with self.database.read() as connection:
            return await _known(connection, ids)

    async def record_poll(self, result: PollResult) -> int:
        """Store the state, edits, and the articles that are not stored yet; return how many were new.

        Edited articles get their new words while nobody was told; else the words are kept as a correction.
        """
        async with self.database.write() as connection:
            await self._store_state(connection, result)
            if result.edited:
                await correct(connection, self.database, result.edited)
            return await self._store_articles(connection, result.articles) if result.articles else 0

    async def record_unchanged(self, states: Sequence[FeedState]) -> None:
        """Store the states of feeds in which nothing was new, in one transaction; their memory stays."""
        if not states:
            return
        async with self.database.write() as connection:
            quiet = _Quiet.on(connection, states[0])
            # In one order for everybody, so that two workers never wait for each other.
            rows = [quiet.row(state) for state in sorted(states, key=lambda state: state.feed.id)]
            await connection.exec_driver_sql(quiet.statement, rows)

    async def _store_state(self, connection: AsyncConnection, look: PollResult) -> None:
        left_behind = poll_values(look.state)
        if look.gone:
            left_behind["gone_at"] = look.state.last_poll_at or look.state.last_success_at
        new = {**feed_values(look.state.feed), **left_behind, "active": True}
        await connection.execute(
            self.database.insert(feeds)
            .values(new)
            .on_conflict_do_update(index_elements=["id"], set_=left_behind)
        )

    async def _store_articles(self, connection: AsyncConnection, found: Sequence[Article]) -> int:
        """Store the new ones of these under the next positions, which nobody else can take meanwhile."""
        # This update waits for every other transaction that stores articles, and makes the next one wait.
        mine = counters.c.name == "articles"
        held = update(counters).where(mine).values(value=counters.c.value).returning(counters.c.value)
        last = (await connection.execute(held)).scalar_one()
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
        await connection.execute(update(counters).where(mine).values(value=last + len(new)))
        return len(new)


Stored = Callable[[Any], Any]
"""How a value is written in the database."""


@dataclass(frozen=True, slots=True)
class _Quiet:
    """The one statement of a sweep through feeds without news, made ready once instead of for each feed."""

    statement: str
    columns: tuple[tuple[str, Stored | None], ...]

    @classmethod
    def on(cls, connection: AsyncConnection, state: FeedState) -> _Quiet:
        """Make the statement ready for this database, for states like this one."""
        dialect = connection.dialect
        names = [name for name in poll_values(state) if name != "memory"]
        quiet = (
            update(feeds)
            .where(feeds.c.id == bindparam("known"))
            .values({name: bindparam(name) for name in names})
        )
        compiled = quiet.compile(dialect=dialect)
        kinds = {"known": feeds.c.id.type, **{name: feeds.c[name].type for name in names}}
        order = compiled.positiontup or ()
        return cls(str(compiled), tuple((name, kinds[name].bind_processor(dialect)) for name in order))

    def row(self, state: FeedState) -> tuple[Any, ...]:
        """Return the values for one feed, in the statement's order."""
        values = {"known": state.feed.id, **poll_values(state)}
        return tuple(stored(values[name]) if stored else values[name] for name, stored in self.columns)


async def _known(connection: AsyncConnection, ids: Collection[str]) -> set[str]:
    stored = select(articles.c.id).where(is_in(connection, articles.c.id, ids))
    return set((await connection.execute(stored)).scalars())
