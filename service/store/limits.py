"""Limits that all workers share and that outlive a restart: how often something was allowed of late."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncConnection
from typing_extensions import override

from service.store.database import Database
from service.store.dialect import advisory_lock
from service.store.schema import attempts
from service.subscribers.ports import AttemptLimit, AttemptStore

LIMITS_LOCK = 0x0CA7EAC
"""Held to the end of the transaction by whoever counts, so that two workers never allow the same turn."""


@dataclass(frozen=True, slots=True)
class SqlAttemptStore(AttemptStore):
    """AttemptStore on the table attempts."""

    database: Database

    @override
    async def allows(self, limited: Sequence[AttemptLimit], now: datetime) -> bool:
        async with self.database.read() as connection:
            # Who is over a limit costs a read and no write, however often they come.
            if not await _within(connection, limited, now):
                return False
        async with self.database.write() as connection:
            await advisory_lock(connection, LIMITS_LOCK)
            if not await _within(connection, limited, now):
                return False
            await connection.execute(attempts.insert(), [{"name": one.name, "at": now} for one in limited])
        return True

    async def prune(self, now: datetime, longest: timedelta) -> int:
        """Forget what lies further back than the longest limit looks; return how many attempts that was."""
        async with self.database.write() as connection:
            old = delete(attempts).where(attempts.c.at <= now - longest)
            return (await connection.execute(old)).rowcount


async def _within(connection: AsyncConnection, limited: Sequence[AttemptLimit], now: datetime) -> bool:
    for one in limited:
        of_late = select(func.count()).where(attempts.c.name == one.name, attempts.c.at > now - one.period)
        if (await connection.scalar(of_late) or 0) >= one.max_attempts:
            return False
    return True
