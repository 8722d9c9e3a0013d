"""Rows of `groups`, and the move of subscriptions from one group to another.

Every function here runs in a transaction that holds `dialect.lock_groups`.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, and_, bindparam, delete, exists, func, select, update

from service.store.connection import StoreConnection
from service.store.dialect import is_in
from service.store.schema import PAUSED_UNTIL, groups, subscriptions

ACTIVE = subscriptions.c.status == "active"

_HAS_PAUSED = select(exists().where(subscriptions.c.group_number == bindparam("group"), PAUSED_UNTIL))
_MOVE = update(groups).where(groups.c.number == bindparam("group"))
_AT_PLACE = (
    select(groups.c.number)
    .where(*(groups.c[name] == bindparam(name) for name in ("edition_key", "told_through", "next_due_at")))
    .order_by(groups.c.number)
    .limit(1)
)


async def find_or_create(
    connection: StoreConnection, edition_key: str, served_through: int, next_due_at: datetime
) -> int:
    """Return the number of the group with this edition, cursor and due time."""
    return await connection.run_sync(found_or_created, edition_key, served_through, next_due_at)


async def create(
    connection: StoreConnection, edition_key: str, served_through: int, next_due_at: datetime
) -> int:
    """Return the number of a new group, even if there is one with the same edition, cursor and due time."""
    return await connection.run_sync(_created, edition_key, served_through, next_due_at)


async def relocate(connection: StoreConnection, number: int, edition_key: str, next_due_at: datetime) -> None:
    """Give a group with all its members another edition and due time.

    There may be a group with the same ones: they are served together, and `advance` merges them.
    """
    await connection.execute(
        update(groups)
        .where(groups.c.number == number)
        .values(edition_key=edition_key, next_due_at=next_due_at)
    )


async def remove_if_empty(connection: StoreConnection, numbers: Collection[int]) -> None:
    """Delete those of these groups that have no subscription."""
    await connection.run_sync(remove_empty, numbers)


def found_or_created(
    connection: Connection, edition_key: str, served_through: int, next_due_at: datetime
) -> int:
    """Do the work of `find_or_create`."""
    found = _find(connection, edition_key, served_through, next_due_at)
    return _created(connection, edition_key, served_through, next_due_at) if found is None else found


def advance(
    connection: Connection, number: int, edition_key: str, served_through: int, next_due_at: datetime
) -> None:
    """Set the cursor and due time of a group of this edition; one that has them already is merged with it.

    Members that are paused until a date keep theirs, in a group of their own.
    """
    _leave_paused_members(connection, number)
    target = _find(connection, edition_key, served_through, next_due_at)
    if target == number:
        return
    if target is None:
        moved = {"group": number, "told_through": served_through, "next_due_at": next_due_at}
        connection.execute(_MOVE, moved)
    elif _size(connection, number) <= _size(connection, target):
        _merge(connection, number, target)
    else:
        _merge(connection, target, number)
        advance(connection, number, edition_key, served_through, next_due_at)


def _leave_paused_members(connection: Connection, number: int) -> None:
    if not connection.scalar(_HAS_PAUSED, {"group": number}):
        return
    paused = and_(subscriptions.c.group_number == number, PAUSED_UNTIL)
    names = ["edition_key", "told_through", "next_due_at"]
    same = select(*groups.c[*names]).where(groups.c.number == number)
    created = groups.insert().from_select(names, same).returning(groups.c.number)
    own = connection.execute(created).scalar_one()
    connection.execute(update(subscriptions).where(paused).values(group_number=own))


def remove_empty(connection: Connection, numbers: Collection[int]) -> None:
    """Do the work of `remove_if_empty`."""
    has_member = exists().where(subscriptions.c.group_number == groups.c.number)
    connection.execute(delete(groups).where(is_in(connection, groups.c.number, numbers), ~has_member))


def _created(connection: Connection, edition_key: str, served_through: int, next_due_at: datetime) -> int:
    created = (
        groups.insert()
        .values(edition_key=edition_key, told_through=served_through, next_due_at=next_due_at)
        .returning(groups.c.number)
    )
    return int(connection.execute(created).scalar_one())


def _merge(connection: Connection, smaller: int, larger: int) -> None:
    connection.execute(
        update(subscriptions).where(subscriptions.c.group_number == smaller).values(group_number=larger)
    )
    connection.execute(delete(groups).where(groups.c.number == smaller))


def _find(connection: Connection, edition_key: str, served_through: int, next_due_at: datetime) -> int | None:
    place = {"edition_key": edition_key, "told_through": served_through, "next_due_at": next_due_at}
    return connection.scalar(_AT_PLACE, place)


def _size(connection: Connection, number: int) -> int:
    members = select(func.count()).where(subscriptions.c.group_number == number)
    return connection.scalar(members) or 0
