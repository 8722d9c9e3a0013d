"""Pauses until a date: the subscription waits, with its own cursor, for its first due time from then on.

It is in a group with that due time, so that its first issue has the best of what came meanwhile. The pause
ends when compose looks for due groups. Every function that moves a subscription runs in a transaction that
holds `dialect.lock_groups`.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, case, exists, func, select, update

from service.core.model import Edition, Group
from service.core.model import SubscriptionStatus as Status
from service.core.schedules import next_occurrence, parse_schedule, start_of_day
from service.store import groups as group_rows
from service.store.connection import StoreConnection
from service.store.database import Database
from service.store.dialect import lock_groups
from service.store.mappers import Row, edition_of
from service.store.schema import PAUSED_UNTIL, editions, groups, subscriptions

SHORTEST_TIME = timedelta(microseconds=1)  # an occurrence is searched for after a moment, without it

Whose = ColumnElement[bool]
"""The condition for some subscriptions."""


async def begin(connection: StoreConnection, whose: Whose, day: date, now: datetime) -> int:
    """Pause these subscriptions until the start of `day` in their time zones; return how many changed.

    Ended ones stay unchanged.
    """
    changed = 0
    for row in await _rows(connection, and_(whose, subscriptions.c.status != Status.ENDED)):
        edition = edition_of(row)
        until = start_of_day(day, ZoneInfo(edition.timezone))
        if row["paused_until"] == until:
            continue
        due_at = due_after_pause(edition, until, now)
        paused = {"status": Status.PAUSED, "choice": Status.PAUSED, "paused_until": until}
        await _move(connection, row, due_at, paused | {"changed_at": now})
        changed += 1
    return changed


async def is_any(connection: StoreConnection, whose: Whose) -> bool:
    """Return whether one of these subscriptions is paused until a date."""
    return bool(await connection.scalar(select(exists().where(whose, PAUSED_UNTIL))))


async def forget_dates(connection: StoreConnection, whose: Whose, now: datetime) -> None:
    """Remove the dates: these subscriptions are due as if they had none, and keep their cursors.

    Their status is unchanged.
    """
    for row in await _rows(connection, and_(whose, PAUSED_UNTIL)):
        await _move(connection, row, _due_after(edition_of(row), now), {"paused_until": None})


async def end_all_over(database: Database, now: datetime) -> None:
    """Make the subscriptions active whose pause has ended by `now`."""
    async with database.read() as connection:
        if not await connection.scalar(select(exists().where(_over(now)))):
            return
    paused = subscriptions.c.status == Status.PAUSED
    active = case((paused, Status.ACTIVE), else_=subscriptions.c.status)
    ended = {"status": active, "choice": Status.ACTIVE, "paused_until": None, "changed_at": now}
    async with database.write() as connection:
        await lock_groups(connection)
        await connection.execute(update(subscriptions).where(_over(now)).values(ended))


async def paused_groups(database: Database, newsletter: str) -> list[Group]:
    """Return the groups of subscriptions that are paused until a date, with the due times of their return."""
    size = func.count().label("size")
    query = (
        select(groups.c.told_through, groups.c.next_due_at, editions, size)
        .join(subscriptions, subscriptions.c.group_number == groups.c.number)
        .join(editions, editions.c.key == groups.c.edition_key)
        .where(PAUSED_UNTIL, subscriptions.c.status == Status.PAUSED, editions.c.newsletter == newsletter)
        .group_by(groups.c.number, editions.c.key)
    )
    async with database.read() as connection:
        rows = (await connection.execute(query)).mappings().all()
    return [
        Group(edition_of(row), row["key"], row["told_through"], row["next_due_at"], row["size"])
        for row in rows
    ]


async def date_in_zone(
    connection: StoreConnection, edition_key: str, until: datetime, timezone: str
) -> datetime:
    """Return the start, in another time zone, of the day at which a pause of this edition ends."""
    zone = await connection.scalar(select(editions.c.timezone).where(editions.c.key == edition_key))
    return start_of_day(until.astimezone(ZoneInfo(zone or "UTC")).date(), ZoneInfo(timezone))


def due_after_pause(edition: Edition, until: datetime, now: datetime) -> datetime:
    """Return the first due time of the edition that is not before `until`, and after `now`."""
    return _due_after(edition, max(until - SHORTEST_TIME, now))


def _due_after(edition: Edition, moment: datetime) -> datetime:
    return next_occurrence(parse_schedule(edition.schedule), ZoneInfo(edition.timezone), moment).at


def _over(now: datetime) -> Whose:
    return and_(PAUSED_UNTIL, subscriptions.c.paused_until <= now)


async def _rows(connection: StoreConnection, whose: Whose) -> list[Row]:
    query = (
        select(
            *subscriptions.c["subscriber", "group_number", "paused_until"], groups.c.told_through, editions
        )
        .join(groups, groups.c.number == subscriptions.c.group_number)
        .join(editions, editions.c.key == groups.c.edition_key)
        .where(whose)
    )
    return list((await connection.execute(query)).mappings().all())


async def _move(connection: StoreConnection, row: Row, due_at: datetime, values: dict[str, object]) -> None:
    """Move a subscription to the group with its cursor that is due at `due_at`, and store `values`."""
    number = await group_rows.find_or_create(connection, row["key"], row["told_through"], due_at)
    await connection.execute(
        update(subscriptions)
        .where(
            subscriptions.c.subscriber == row["subscriber"], subscriptions.c.newsletter == row["newsletter"]
        )
        .values(values | {"group_number": number})
    )
    await group_rows.remove_if_empty(connection, [row["group_number"]])
