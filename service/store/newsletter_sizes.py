"""Sizes of newsletters: the active subscriptions of each, by edition, with the next due time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from service.core.model import Edition
from service.store.database import Database
from service.store.group_queries import editions_of
from service.store.groups import ACTIVE
from service.store.schema import editions, groups, subscriptions


@dataclass(frozen=True, slots=True)
class EditionSize:
    """An edition with its active subscribers and the first time at which one of its groups is due."""

    edition: Edition
    readers: int
    due_at: datetime


async def edition_sizes(database: Database) -> Sequence[EditionSize]:
    """Return every edition that somebody gets; of one newsletter, that with most readers is first."""
    readers = func.count().label("readers")
    sizes = (
        select(groups.c.edition_key, readers, func.min(groups.c.next_due_at))
        .join(editions, editions.c.key == groups.c.edition_key)
        .join(subscriptions, subscriptions.c.group_number == groups.c.number)
        .where(ACTIVE)
        .group_by(groups.c.edition_key)
        .order_by(readers.desc(), groups.c.edition_key)
    )
    async with database.read() as connection:
        rows = (await connection.execute(sizes)).all()
        edition_of_key = await editions_of(connection, {row[0] for row in rows})
    return [EditionSize(edition_of_key[key], size, due_at) for key, size, due_at in rows]
