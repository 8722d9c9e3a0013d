"""State shared by all workers of a relay: rate limits, learned rates, sending pauses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from sqlalchemy import case, delete, select, text, update
from typing_extensions import override

from service.deliver.ports import CoordinationStore, LearnedRate, SendingPause
from service.store.columns import EPOCH, from_millis, to_millis
from service.store.connection import StoreConnection
from service.store.database import Database
from service.store.learned_rates import forget_rates, read_rates, write_rate
from service.store.schema import halts, turns

SQLITE_NOW = text("SELECT CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER) + 1")
POSTGRES_NOW = text("SELECT CAST(ceil(extract(epoch FROM clock_timestamp()) * 1000) AS bigint)")
TURN_RETENTION_MILLIS = timedelta(minutes=1) // timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class SqlCoordination(CoordinationStore):
    """CoordinationStore on the tables turns, halts and learned_rates.

    `clock` replaces the database's own clock in tests.
    """

    database: Database
    clock: Callable[[], datetime] | None = None

    @override
    async def take_turns(self, lengths: Mapping[str, float], within: float) -> Mapping[str, float]:
        # All workers use the same order, so that no two of them deadlock.
        millis = {name: ceil(lengths[name] * 1000) for name in sorted(lengths)}
        async with self.database.write() as connection:
            now = await self._now(connection)
            insert = self.database.insert(turns).values(
                [{"name": name, "free_at": now + length} for name, length in millis.items()]
            )
            begins_at = case((turns.c.free_at > now, turns.c.free_at), else_=now)
            granted = await connection.execute(
                insert.on_conflict_do_update(
                    index_elements=["name"],
                    set_={"free_at": begins_at + insert.excluded.free_at - now},
                    where=turns.c.free_at <= now + int(within * 1000),
                ).returning(turns.c.name, turns.c.free_at)
            )
            begins = {name: free_at - millis[name] for name, free_at in granted}
            others = select(turns.c.name, turns.c.free_at).where(turns.c.name.in_(millis.keys() - begins))
            begins |= {row.name: row.free_at for row in await connection.execute(others)}
            expired = (
                select(turns.c.name)
                .where(turns.c.free_at < now - TURN_RETENTION_MILLIS)
                .with_for_update(skip_locked=True)
            )
            await connection.execute(delete(turns).where(turns.c.name.in_(expired)))
        return {name: (at - now) / 1000 for name, at in begins.items()}

    @override
    async def learned_rates(self, relay: str) -> tuple[Mapping[str, LearnedRate], datetime]:
        async with self.database.read() as connection:
            now = from_millis(await self._now(connection))
            return await read_rates(connection, relay), now

    @override
    async def save_rate(self, relay: str, domain: str, rate: LearnedRate | None, version: int) -> bool:
        async with self.database.write() as connection:
            await forget_rates(connection, from_millis(await self._now(connection)))
            return await write_rate(connection, self.database.insert, (relay, domain), rate, version)

    @override
    async def sending_pause(self, relay: str) -> SendingPause | None:
        columns = (halts.c.reason, halts.c.since, halts.c.until, halts.c.times)
        async with self.database.read() as connection:
            row = (await connection.execute(select(*columns).where(halts.c.relay == relay))).one_or_none()
        return None if row is None else SendingPause(*row)

    @override
    async def begin_pause(self, relay: str, pause: SendingPause) -> bool:
        values = {
            "reason": pause.reason,
            "since": pause.since,
            "until": pause.until,
            "times": pause.consecutive,
            "tried_until": EPOCH,
        }
        asked = self.database.insert(halts).values(relay=relay, **values)
        begun = asked.on_conflict_do_update(
            index_elements=["relay"], set_=values, where=halts.c.until <= pause.since
        )
        async with self.database.write() as connection:
            row = await connection.execute(begun.returning(halts.c.relay))
            return row.one_or_none() is not None

    @override
    async def end_pause(self, relay: str, since: datetime | None = None) -> bool:
        ended = delete(halts).where(halts.c.relay == relay)
        if since is not None:
            ended = ended.where(halts.c.since == since)
        async with self.database.write() as connection:
            return (await connection.execute(ended)).rowcount > 0

    @override
    async def claim_trial(self, relay: str, now: datetime, until: datetime) -> bool:
        free = (halts.c.relay == relay, halts.c.until <= now, halts.c.tried_until <= now)
        async with self.database.write() as connection:
            tried = await connection.execute(update(halts).where(*free).values(tried_until=until))
            return tried.rowcount > 0

    async def _now(self, connection: StoreConnection) -> int:
        if self.clock is not None:
            return to_millis(self.clock())
        now: int = (
            await connection.execute(SQLITE_NOW if self.database.on_sqlite else POSTGRES_NOW)
        ).scalar_one()
        return now
