"""Counted attempts under a limit, shared by all workers and kept across restarts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select
from typing_extensions import override

from service.store.connection import StoreConnection
from service.store.database import Database
from service.store.dialect import advisory_lock
from service.store.schema import attempts
from service.subscribers.ports import AttemptLimit, AttemptStore

LIMITS_LOCK = 0x0CA7EAC
"""Advisory lock of a transaction that counts, so that two workers never allow the same last attempt."""


@dataclass(frozen=True, slots=True)
class SqlAttemptStore(AttemptStore):
    """AttemptStore on the table attempts."""

    database: Database

    @override
    async def allows(self, limited: Sequence[AttemptLimit], now: datetime) -> bool:
        async with self.database.read() as connection:
            # A request over a limit costs a read and no write.
            if not await _are_free(connection, limited, now):
                return False
        async with self.database.write() as connection:
            await advisory_lock(connection, LIMITS_LOCK)
            if not await _are_free(connection, limited, now):
                return False
            rows = [{"name": limit.name, "at": now} for limit in limited]
            await connection.execute(attempts.insert(), rows)
        return True

    async def prune(self, now: datetime, longest: timedelta) -> int:
        """Delete attempts older than the longest limit's period; return how many."""
        async with self.database.write() as connection:
            old = delete(attempts).where(attempts.c.at <= now - longest)
            return (await connection.execute(old)).rowcount


async def _are_free(connection: StoreConnection, limits: Sequence[AttemptLimit], now: datetime) -> bool:
    for limit in limits:
        same, recent = attempts.c.name == limit.name, attempts.c.at > now - limit.period
        if (await connection.scalar(select(func.count()).where(same, recent)) or 0) >= limit.max_attempts:
            return False
    return True
