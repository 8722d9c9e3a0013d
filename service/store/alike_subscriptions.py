"""Subscriptions that are alike: of one group, with the same preferences and time zone. They move together.

A subscription that follows a changed default of its newsletter gets another edition. All that are alike get
the same one, so that a change for a million subscribers writes one row of `groups`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, and_, case, exists, func, select, update

from service.store import groups as group_rows
from service.store.connection import StoreConnection
from service.store.database import Database
from service.store.dialect import lock_groups
from service.store.mappers import Row, edition_of, edition_values, preferences_of, preferences_values
from service.store.schema import editions, groups, subscribers, subscriptions
from service.subscribers.ports import AlikeSubscriptions, SubscriptionPlace

KEY = (
    subscriptions.c.group_number,
    subscriptions.c.wishes,
    subscriptions.c.paused_until,
    subscribers.c.timezone.label("person_timezone"),
)
"""What subscriptions that are alike have in common."""

ChoosePlace = Callable[[AlikeSubscriptions], SubscriptionPlace]
Alike = tuple[Row, AlikeSubscriptions]
Target = tuple[Row, AlikeSubscriptions, SubscriptionPlace]


async def read(connection: StoreConnection, whose: ColumnElement[bool]) -> list[Alike]:
    """Return these subscriptions, one entry for all that are alike, each with its row."""
    people = func.count().label("people")
    active = func.sum(case((group_rows.ACTIVE, 1), else_=0)).label("active")
    alike = (
        select(*KEY, people, active)
        .join(subscribers, subscribers.c.number == subscriptions.c.subscriber)
        .where(whose)
        .group_by(*KEY)
        .subquery()
    )
    query = (
        select(alike, groups.c.told_through, groups.c.next_due_at, editions)
        .join(groups, groups.c.number == alike.c.group_number)
        .join(editions, editions.c.key == groups.c.edition_key)
        .order_by(alike.c.group_number)
    )
    rows = (await connection.execute(query)).mappings().all()
    return [(row, _alike_of(row)) for row in rows]


async def addresses(connection: StoreConnection, alike: AlikeSubscriptions, limit: int) -> Sequence[str]:
    """Return the addresses of the first `limit` active subscribers among those that are alike."""
    query = (
        select(subscribers.c.email)
        .join(subscriptions, subscriptions.c.subscriber == subscribers.c.number)
        .where(
            subscriptions.c.group_number == alike.group,
            subscriptions.c.wishes == preferences_values(alike.preferences),
            subscriptions.c.paused_until.is_not_distinct_from(alike.place.paused_until),
            subscribers.c.timezone.is_not_distinct_from(alike.timezone),
            group_rows.ACTIVE,
            ~subscriptions.c.declared,
        )
        .order_by(subscribers.c.number)
        .limit(limit)
    )
    return (await connection.execute(query)).scalars().all()


async def move(database: Database, numbers: Collection[int], rule: ChoosePlace) -> int:
    """Move the subscriptions of these groups (numbers) to their places; return how many changed theirs.

    One transaction, which reads each group when its turn comes: compose may have advanced it meanwhile, and
    members of another one may have joined it.
    """
    moved = 0
    async with database.write() as connection:
        await lock_groups(connection)
        for number in numbers:
            found = await read(connection, subscriptions.c.group_number == number)
            targets = [(row, alike, rule(alike)) for row, alike in found]
            changed = [(alike.people, place) for _, alike, place in targets if place != alike.place]
            if changed:
                values = {p.edition_key: edition_values(p.edition, p.edition_key) for _, p in changed}
                new = database.insert(editions).on_conflict_do_nothing()
                await connection.execute(new, list(values.values()))
                await _move_group(connection, targets)
                moved += sum(people for people, _ in changed)
    return moved


async def _move_group(connection: StoreConnection, targets: Sequence[Target]) -> None:
    """Move the members of one group: the row of `groups` for most of them, and the others out of it."""
    row, alike, _ = targets[0]
    own, cursor = (alike.place.edition_key, alike.place.next_due_at), row["told_through"]
    sizes: Counter[tuple[str, datetime]] = Counter()
    for _, one, place in targets:
        if place.paused_until == one.place.paused_until:
            sizes[place.edition_key, place.next_due_at] += one.people
    chosen = max(sizes, key=sizes.__getitem__) if sizes else own
    others: dict[tuple[str, datetime], int] = {}
    for member, one, place in targets:
        target = (place.edition_key, place.next_due_at)
        if target == chosen and place.paused_until == one.place.paused_until:
            continue
        if target not in others:
            create = group_rows.create if target == own else group_rows.find_or_create
            others[target] = await create(connection, target[0], cursor, target[1])
        values = {"group_number": others[target], "paused_until": place.paused_until}
        await connection.execute(update(subscriptions).where(_is_alike(member)).values(values))
    if chosen != own:
        await group_rows.relocate(connection, alike.group, *chosen)
    await group_rows.remove_if_empty(connection, [alike.group])


def _is_alike(row: Row) -> ColumnElement[bool]:
    """Return the condition for the subscriptions that are alike with this row of `read`."""
    zone = subscribers.c.timezone.is_not_distinct_from(row["person_timezone"])
    return and_(
        subscriptions.c.group_number == row["group_number"],
        subscriptions.c.wishes == row["wishes"],
        subscriptions.c.paused_until.is_not_distinct_from(row["paused_until"]),
        exists().where(subscribers.c.number == subscriptions.c.subscriber, zone),
    )


def _alike_of(row: Row) -> AlikeSubscriptions:
    place = SubscriptionPlace(edition_of(row), row["key"], row["next_due_at"], row["paused_until"])
    return AlikeSubscriptions(
        row["group_number"],
        preferences_of(row["wishes"]),
        row["person_timezone"],
        place,
        row["people"],
        row["active"],
    )
