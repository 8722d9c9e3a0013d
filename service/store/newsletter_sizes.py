"""Sizes of newsletters: the active subscriptions of each, by edition, with the next due time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from service.core.model import Edition
from service.store.database import Database
from service.store.group_queries import editions_of
from service.store.groups import ACTIVE
from service.store.schema import groups, subscriptions
from service.store.suppressed_members import suppressed_by_group


@dataclass(frozen=True, slots=True)
class EditionSize:
    """An edition with its active subscribers and the first time at which one of its groups is due."""

    edition: Edition
    readers: int
    due_at: datetime


async def edition_sizes(database: Database) -> Sequence[EditionSize]:
    """Return every edition that somebody gets; of one newsletter, that with most readers is first.

    People who are suppressed do not count.
    """
    group = (groups.c.edition_key, groups.c.number, groups.c.next_due_at)
    sizes = (
        select(*group, func.count())
        .join(subscriptions, subscriptions.c.group_number == groups.c.number)
        .where(ACTIVE)
        .group_by(*group)
    )
    readers: Counter[str] = Counter()
    due_at: dict[str, datetime] = {}
    async with database.read() as connection:
        rows = (await connection.execute(sizes)).all()
        suppressed = await suppressed_by_group(connection, ACTIVE)
        for key, number, due, size in rows:
            if left := size - suppressed.get(number, 0):
                readers[key] += left
                due_at[key] = min(due, due_at.get(key, due))
        edition_of_key = await editions_of(connection, readers.keys())
    in_order = sorted(readers.items(), key=lambda one: (-one[1], one[0]))
    return [EditionSize(edition_of_key[key], size, due_at[key]) for key, size in in_order]
