"""Groups: the rows where readers stand, and how readers get from one to another.

Every function here runs in a transaction that holds `sql.lock_readers`.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import delete, exists, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from service.store.dialect import is_in
from service.store.schema import groups, subscriptions

ACTIVE = subscriptions.c.status == "active"


async def find_or_create(
    connection: AsyncConnection, edition_key: str, told_through: int, next_due_at: datetime
) -> int:
    """Return the number of the group that stands there; it is made when there is none."""
    found = await _standing(connection, edition_key, told_through, next_due_at)
    if found is not None:
        return found
    made = (
        groups.insert()
        .values(edition_key=edition_key, told_through=told_through, next_due_at=next_due_at)
        .returning(groups.c.number)
    )
    return int((await connection.execute(made)).scalar_one())


async def advance(connection: AsyncConnection, number: int, told_through: int, next_due_at: datetime) -> None:
    """Move everybody in a group on; whoever stands there already and they become one group."""
    key = await connection.scalar(select(groups.c.edition_key).where(groups.c.number == number))
    there = await _standing(connection, key, told_through, next_due_at)
    if there == number:
        return
    if there is None:
        await connection.execute(
            update(groups)
            .where(groups.c.number == number)
            .values(told_through=told_through, next_due_at=next_due_at)
        )
    elif await _size(connection, number) <= await _size(connection, there):
        await _join(connection, number, there)
    else:
        await _join(connection, there, number)
        await advance(connection, number, told_through, next_due_at)


async def remove_if_empty(connection: AsyncConnection, numbers: Collection[int]) -> None:
    """Remove those of these groups in which nobody is left."""
    somebody = exists().where(subscriptions.c.group_number == groups.c.number)
    await connection.execute(delete(groups).where(is_in(connection, groups.c.number, numbers), ~somebody))


async def _join(connection: AsyncConnection, few: int, many: int) -> None:
    await connection.execute(
        update(subscriptions).where(subscriptions.c.group_number == few).values(group_number=many)
    )
    await connection.execute(delete(groups).where(groups.c.number == few))


async def _standing(
    connection: AsyncConnection, edition_key: str | None, told_through: int, next_due_at: datetime
) -> int | None:
    there = select(groups.c.number).where(
        groups.c.edition_key == edition_key,
        groups.c.told_through == told_through,
        groups.c.next_due_at == next_due_at,
    )
    return await connection.scalar(there.order_by(groups.c.number).limit(1))


async def _size(connection: AsyncConnection, number: int) -> int:
    members = select(func.count()).where(subscriptions.c.group_number == number)
    return await connection.scalar(members) or 0
