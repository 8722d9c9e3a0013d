"""Groups of subscriptions, read for compose."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

from sqlalchemy import func, select

from service.core.model import Edition
from service.store.connection import StoreConnection
from service.store.dialect import is_in
from service.store.groups import ACTIVE
from service.store.mappers import edition_of
from service.store.schema import editions, groups, subscribers, subscriptions
from service.store.suppressed_members import suppressed_by_group


async def editions_of(connection: StoreConnection, keys: Collection[str]) -> dict[str, Edition]:
    """Return the editions with these keys, by key."""
    these = select(editions).where(is_in(connection, editions.c.key, keys))
    return {row["key"]: edition_of(row) for row in (await connection.execute(these)).mappings()}


GroupMembers = dict[tuple[str, int], tuple[int, tuple[str, ...] | None]]
"""Edition key and cursor -> number of members, and the ids of those to serve (None: all)."""


async def whole_groups(connection: StoreConnection, newsletter: str) -> GroupMembers:
    """Return the groups of a newsletter's active subscriptions; people who are suppressed do not count.

    A group of suppressed people alone is left out.
    """
    key = (groups.c.edition_key, groups.c.told_through)
    sizes = (
        select(*key, groups.c.number, func.count())
        .join(editions, editions.c.key == groups.c.edition_key)
        .join(subscriptions, subscriptions.c.group_number == groups.c.number)
        .where(editions.c.newsletter == newsletter, ACTIVE)
        .group_by(*key, groups.c.number)
        .order_by(*key)
    )
    rows = (await connection.execute(sizes)).all()
    suppressed = await suppressed_by_group(connection, ACTIVE)
    members: Counter[tuple[str, int]] = Counter()
    for edition_key, served_through, number, size in rows:
        members[edition_key, served_through] += size - suppressed.get(number, 0)
    return {group: (size, None) for group, size in members.items() if size}


async def groups_of_some(connection: StoreConnection, newsletter: str, ids: Collection[str]) -> GroupMembers:
    """Return the groups of these subscribers (ids) with an active subscription to the newsletter."""
    members = (
        select(groups.c.edition_key, groups.c.told_through, subscribers.c.id)
        .select_from(subscriptions)
        .join(subscribers, subscribers.c.number == subscriptions.c.subscriber)
        .join(groups, groups.c.number == subscriptions.c.group_number)
        .where(subscriptions.c.newsletter == newsletter, ACTIVE, is_in(connection, subscribers.c.id, ids))
        .order_by(groups.c.edition_key, groups.c.told_through, subscribers.c.id)
    )
    found: dict[tuple[str, int], list[str]] = {}
    for key, served_through, subscriber in (await connection.execute(members)).all():
        found.setdefault((key, served_through), []).append(subscriber)
    return {key: (len(subscriber_ids), tuple(subscriber_ids)) for key, subscriber_ids in found.items()}
