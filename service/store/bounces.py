"""Bounces of deliveries, and the suppressions that follow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from typing_extensions import override

from service.bounces.ports import BounceStore
from service.core import ids as identity
from service.core.read_models import BounceDetails
from service.store.connection import StoreConnection
from service.store.database import Database
from service.store.schema import bounces, deliveries, issues, subscribers, suppressions
from service.store.sqlite_ledger import PREFIX_CHARACTERS

MAX_SOFT_BOUNCES = 5
SOFT_BOUNCE_WINDOW = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class SqlBounceStore(BounceStore):
    """BounceStore on the tables bounces and suppressions."""

    database: Database

    @override
    async def record_bounce(self, delivery_id: str, *, hard: bool, reason: str, now: datetime) -> bool:
        named = (
            select(deliveries.c.issue, deliveries.c.subscriber, subscribers.c.address_hash)
            .join(issues, issues.c.number == deliveries.c.issue)
            .join(subscribers, subscribers.c.number == deliveries.c.subscriber)
            .where(issues.c.delivery_prefix == delivery_id[:PREFIX_CHARACTERS])
            .where(subscribers.c.id == delivery_id[PREFIX_CHARACTERS:])
        )
        async with self.database.write() as connection:
            found = (await connection.execute(named)).one_or_none()
            if found is None:
                return False
            key = {"issue": found.issue, "subscriber": found.subscriber}
            row = {**key, "at": now, "hard": hard, "reason": reason}
            await connection.execute(self.database.insert(bounces).on_conflict_do_nothing(), row)
            if hard or await _too_often(connection, found.subscriber, now):
                why = (
                    reason
                    if hard
                    else f"came back {MAX_SOFT_BOUNCES} times in {SOFT_BOUNCE_WINDOW.days} days, "
                    f"last: {reason}"
                )
                gone = {"address_hash": found.address_hash, "reason": why, "at": now}
                await connection.execute(self.database.insert(suppressions).on_conflict_do_nothing(), gone)
        return True

    async def bounces_of(self, email: str) -> Sequence[BounceDetails]:
        """Return the bounces of the subscriber's deliveries, newest first."""
        query = (
            select(issues.c.id, bounces.c.at, bounces.c.hard, bounces.c.reason)
            .join(issues, issues.c.number == bounces.c.issue)
            .join(subscribers, subscribers.c.number == bounces.c.subscriber)
            .where(subscribers.c.id == identity.subscriber_id(email))
            .order_by(bounces.c.at.desc(), bounces.c.issue.desc())
        )
        async with self.database.read() as connection:
            return [BounceDetails(*row) for row in await connection.execute(query)]


async def _too_often(connection: StoreConnection, subscriber: int, now: datetime) -> bool:
    recent = select(func.count()).where(
        bounces.c.subscriber == subscriber, bounces.c.at > now - SOFT_BOUNCE_WINDOW
    )
    return (await connection.scalar(recent) or 0) >= MAX_SOFT_BOUNCES
