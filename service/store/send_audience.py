"""The audience of a manual send: who of a newsletter is not mailed, and what is known of named addresses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import func, select

from service.core.model import SubscriptionStatus
from service.store.database import Database
from service.store.dialect import is_in
from service.store.groups import ACTIVE
from service.store.schema import subscribers, subscriptions, suppressions


class AudienceMember(NamedTuple):
    """A subscription to a newsletter; `suppressed` is the reason why the address gets no mail, or None."""

    status: SubscriptionStatus
    paused_until: datetime | None
    suppressed: str | None


@dataclass(frozen=True, slots=True)
class SendAudience:
    """Reads from subscriptions, subscribers and suppressions."""

    database: Database

    async def members(self, newsletter: str, ids: Collection[str]) -> Mapping[str, AudienceMember]:
        """Return the subscriptions of these subscribers (ids) to the newsletter, by subscriber."""
        columns = (subscribers.c.id, *subscriptions.c["status", "paused_until"], suppressions.c.reason)
        async with self.database.read() as connection:
            query = (
                select(*columns)
                .join(subscribers, subscribers.c.number == subscriptions.c.subscriber)
                .outerjoin(suppressions, suppressions.c.address_hash == subscribers.c.address_hash)
                .where(subscriptions.c.newsletter == newsletter, is_in(connection, subscribers.c.id, ids))
            )
            rows = (await connection.execute(query)).all()
        return {row[0]: AudienceMember(SubscriptionStatus(row[1]), row[2], row[3]) for row in rows}

    async def known(self, ids: Collection[str]) -> set[str]:
        """Return those of the ids that are subscribers of anything."""
        async with self.database.read() as connection:
            query = select(subscribers.c.id).where(is_in(connection, subscribers.c.id, ids))
            return set((await connection.execute(query)).scalars())

    async def statuses(self, newsletter: str) -> Counter[SubscriptionStatus]:
        """Return the number of subscriptions to the newsletter by status."""
        query = (
            select(subscriptions.c.status, func.count())
            .where(subscriptions.c.newsletter == newsletter)
            .group_by(subscriptions.c.status)
        )
        async with self.database.read() as connection:
            rows = (await connection.execute(query)).all()
        return Counter({SubscriptionStatus(status): count for status, count in rows})

    async def suppressed(self, newsletter: str) -> int:
        """Return the number of active subscriptions to the newsletter whose address gets no mail."""
        query = (
            select(func.count())
            .select_from(subscriptions)
            .join(subscribers, subscribers.c.number == subscriptions.c.subscriber)
            .join(suppressions, suppressions.c.address_hash == subscribers.c.address_hash)
            .where(subscriptions.c.newsletter == newsletter, ACTIVE)
        )
        async with self.database.read() as connection:
            return await connection.scalar(query) or 0
