"""Rows of `groups`, and the move of subscriptions from one group to another.

Every function here runs in a transaction that holds `dialect.lock_groups`.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import and_, delete, exists, func, select, update

from service.store.connection import StoreConnection
from service.store.dialect import is_in
from service.store.schema import PAUSED_UNTIL, groups, subscriptions

ACTIVE = subscriptions.c.status == "active"


async def find_or_create(
    connection: StoreConnection, edition_key: str, served_through: int, next_due_at: datetime
) -> int:
    """Return the number of the group with this edition, cursor and due time."""
    found = await _find(connection, edition_key, served_through, next_due_at)
    if found is not None:
        return found
    return await create(connection, edition_key, served_through, next_due_at)


async def create(
    connection: StoreConnection, edition_key: str, served_through: int, next_due_at: datetime
) -> int:
    """Return the number of a new group, even if there is one with the same edition, cursor and due time."""
    created = (
        groups.insert()
        .values(edition_key=edition_key, told_through=served_through, next_due_at=next_due_at)
        .returning(groups.c.number)
    )
    return int((await connection.execute(created)).scalar_one())


async def relocate(connection: StoreConnection, number: int, edition_key: str, next_due_at: datetime) -> None:
    """Give a group with all its members another edition and due time.

    There may be a group with the same ones: they are served together, and `advance` merges them.
    """
    await connection.execute(
        update(groups)
        .where(groups.c.number == number)
        .values(edition_key=edition_key, next_due_at=next_due_at)
    )


async def advance(
    connection: StoreConnection, number: int, served_through: int, next_due_at: datetime
) -> None:
    """Set a group's cursor and due time; a group that has the same ones already is merged with it.

    Members that are paused until a date keep theirs, in a group of their own.
    """
    await _leave_paused_members(connection, number)
    key = await connection.scalar(select(groups.c.edition_key).where(groups.c.number == number))
    target = await _find(connection, key, served_through, next_due_at)
    if target == number:
        return
    if target is None:
        await connection.execute(
            update(groups)
            .where(groups.c.number == number)
            .values(told_through=served_through, next_due_at=next_due_at)
        )
    elif await _size(connection, number) <= await _size(connection, target):
        await _merge(connection, number, target)
    else:
        await _merge(connection, target, number)
        await advance(connection, number, served_through, next_due_at)


async def _leave_paused_members(connection: StoreConnection, number: int) -> None:
    paused = and_(subscriptions.c.group_number == number, PAUSED_UNTIL)
    if not await connection.scalar(select(exists().where(paused))):
        return
    names = ["edition_key", "told_through", "next_due_at"]
    same = select(*groups.c[*names]).where(groups.c.number == number)
    created = groups.insert().from_select(names, same).returning(groups.c.number)
    own = (await connection.execute(created)).scalar_one()
    await connection.execute(update(subscriptions).where(paused).values(group_number=own))


async def remove_if_empty(connection: StoreConnection, numbers: Collection[int]) -> None:
    """Delete those of these groups that have no subscription."""
    has_member = exists().where(subscriptions.c.group_number == groups.c.number)
    await connection.execute(delete(groups).where(is_in(connection, groups.c.number, numbers), ~has_member))


async def _merge(connection: StoreConnection, smaller: int, larger: int) -> None:
    await connection.execute(
        update(subscriptions).where(subscriptions.c.group_number == smaller).values(group_number=larger)
    )
    await connection.execute(delete(groups).where(groups.c.number == smaller))


async def _find(
    connection: StoreConnection, edition_key: str | None, served_through: int, next_due_at: datetime
) -> int | None:
    same = select(groups.c.number).where(
        groups.c.edition_key == edition_key,
        groups.c.told_through == served_through,
        groups.c.next_due_at == next_due_at,
    )
    return await connection.scalar(same.order_by(groups.c.number).limit(1))


async def _size(connection: StoreConnection, number: int) -> int:
    members = select(func.count()).where(subscriptions.c.group_number == number)
    return await connection.scalar(members) or 0
