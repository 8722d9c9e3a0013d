"""Writing of subscriptions for the roster, an import or the subscriber, thousands at a time.

Everything here runs in a transaction that holds `dialect.lock_groups`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from sqlalchemy import Boolean, and_, bindparam, case, exists, func, select, update

from service.core import ids as identity
from service.core.model import Consent, ConsentWay, DesiredSubscription, Edition, Preferences, Subscriber
from service.core.schedules import next_occurrence, occurrences, parse_schedule
from service.store import groups as group_rows
from service.store import pauses
from service.store.bulk_insert import insert_rows
from service.store.connection import StoreConnection
from service.store.consents import record_consents
from service.store.database import Database
from service.store.dialect import is_in
from service.store.mappers import Values, edition_of, edition_values, preferences_values, subscriber_values
from service.store.schema import articles, editions, groups, subscribers, subscriptions
from service.store.subscriber_search import index_people

CHUNK = 2_000  # subscriptions a statement

SUBSCRIPTION_COLUMNS = ("group_number", "declared", "chosen", "changed_at", "wishes", "paused_until")

IS_BACK = and_(subscriptions.c.status == "ended", bindparam("comes_back", type_=Boolean))

UPDATE_SUBSCRIPTION = (
    update(subscriptions)
    .where(
        subscriptions.c.subscriber == bindparam("of_subscriber"),
        subscriptions.c.newsletter == bindparam("of_newsletter"),
    )
    .values({name: bindparam(f"new_{name}") for name in SUBSCRIPTION_COLUMNS})
    # The statement reads the status itself: the subscriber may unsubscribe between our read and this write.
    .values(status=case((IS_BACK, subscriptions.c.choice), else_=subscriptions.c.status))
)

PERSON_COLUMNS = ("email", "name", "timezone", "channel")

UPDATE_SUBSCRIBER = (
    update(subscribers)
    .where(subscribers.c.number == bindparam("of_number"))
    .values({name: bindparam(f"new_{name}") for name in PERSON_COLUMNS})
)


class ChangeSource(StrEnum):
    """The source of a change.

    The subscriber's own preferences take precedence over the other two sources; the roster over an import.
    """

    ROSTER = "roster"
    IMPORT = "import"
    PERSON = "person"


CONSENT_WAYS = {
    ChangeSource.ROSTER: ConsentWay.FILE,
    ChangeSource.IMPORT: ConsentWay.IMPORT,
    ChangeSource.PERSON: ConsentWay.PREFERENCES,
}
"""How a new subscription came about, where the caller does not say it."""


@dataclass
class _StoredSubscribers:
    """Stored subscribers: the number of each by id, and changes to those that existed before.

    `existing` are numbers, `changed` ids. `zones` are time zones by id that an import without zones keeps.
    `zoneless` are people (ids) of the roster, which gives them no zone: that of an import is a preference.
    """

    numbers: dict[str, int] = field(default_factory=dict)
    existing: list[int] = field(default_factory=list)
    changed: set[str] = field(default_factory=set)
    zones: dict[str, str] = field(default_factory=dict)
    zoneless: set[str] = field(default_factory=set)


@dataclass
class SubscriptionWriter:
    """Writes subscriptions in one transaction; `counts` are the `added`, `changed` and `kept` ones.

    A new subscription gets the articles gathered after `starts_after`, or with None those that the
    newsletter's other subscribers have not got yet. Each new subscription, and each that comes back, has its
    consent recorded: `consent`, or with None the way of the source.
    """

    database: Database
    connection: StoreConnection
    source: ChangeSource
    now: datetime
    starts_after: datetime | None = None
    consent: Consent | None = None
    counts: Counter[str] = field(default_factory=Counter)
    _old_groups: set[int] = field(default_factory=set)
    _groups: dict[tuple[str, int, datetime], int] = field(default_factory=dict)
    _starts: dict[str, int] = field(default_factory=dict)
    _preferences: dict[Preferences, Values] = field(default_factory=dict)

    async def write(self, placements: Sequence[DesiredSubscription]) -> None:
        """Insert or update these subscriptions, and count the changes."""
        for first in range(0, len(placements), CHUNK):
            await self._write_chunk(placements[first : first + CHUNK])
        await group_rows.remove_if_empty(self.connection, self._old_groups)

    async def _write_chunk(self, placements: Sequence[DesiredSubscription]) -> None:
        known = await self._store_subscribers({p.subscriber.id: p.subscriber for p in placements})
        if known.zones:
            placements = [self._in_zone(p, known.zones.get(p.subscriber.id)) for p in placements]
        if known.zoneless:
            placements = [_zone_preferred(p) if p.subscriber.id in known.zoneless else p for p in placements]
        await self._store_editions({p.edition_key: p.edition for p in placements})
        stored = await self._stored(known.existing) if known.existing else {}
        new, changed = [], []
        for placement in placements:
            number = known.numbers[placement.subscriber.id]
            row = stored.get((number, placement.newsletter))
            if row is None:
                new.append(await self._new(placement, number))
                self.counts["added"] += 1
                continue
            updated = await self._updated(placement, row)
            if updated != row:
                changed.append(updated | {"changed_at": self.now})
            is_changed = updated != row | {"declared": updated["declared"]}
            is_changed = is_changed or placement.subscriber.id in known.changed
            self.counts["changed" if is_changed else "kept"] += 1
        if new:
            await self.connection.run_sync(insert_rows, subscriptions, new)
        if changed:
            await self.connection.execute(UPDATE_SUBSCRIPTION, [_parameters(row) for row in changed])
        returned = [row for row in changed if row["comes_back"]]
        begun = [(row["subscriber"], row["newsletter"]) for row in (*new, *returned)]
        consent = self.consent or Consent(CONSENT_WAYS[self.source])
        await record_consents(self.database, self.connection, begun, consent, self.now)

    async def _new(self, placement: DesiredSubscription, number: int) -> Values:
        cursor = await self._start(placement.newsletter)
        return {
            "subscriber": number,
            "newsletter": placement.newsletter,
            "group_number": await self._group(placement.edition_key, cursor, placement.next_due_at),
            "status": "active",
            "choice": "active",
            "declared": self.source is ChangeSource.ROSTER,
            "chosen": self.source is ChangeSource.PERSON,
            "changed_at": self.now,
            "wishes": self._wishes(placement.preferences),
        }

    def _wishes(self, preferences: Preferences) -> Values:
        """Return the same object for the same preferences, which is then converted once."""
        wishes = self._preferences.get(preferences)
        if wishes is None:
            wishes = self._preferences[preferences] = preferences_values(preferences)
        return wishes

    async def _updated(self, placement: DesiredSubscription, row: Values) -> Values:
        """Return the new row. What the subscriber set stays, and in an import what the roster set."""
        updated = dict(row)
        is_person = self.source is ChangeSource.PERSON
        updated["declared"] = row["declared"] or self.source is ChangeSource.ROSTER
        updated["comes_back"] = comes_back = row["status"] == "ended" and not is_person
        is_of_file = self.source is ChangeSource.IMPORT and row["declared"]
        sets_preferences = is_person or not (row["chosen"] or is_of_file)
        if sets_preferences:
            updated["chosen"] = is_person
            updated["wishes"] = self._wishes(placement.preferences)
        if sets_preferences and placement.edition_key != row["edition_key"]:
            due_at = placement.next_due_at
            if row["paused_until"] is not None:
                updated["paused_until"] = until = await pauses.date_in_zone(
                    self.connection, row["edition_key"], row["paused_until"], placement.edition.timezone
                )
                due_at = pauses.due_after_pause(placement.edition, until, self.now)
            updated["group_number"] = await self._group(placement.edition_key, row["told_through"], due_at)
        elif comes_back:
            updated["group_number"] = await current_group(self.connection, row, self.now)
        if updated["group_number"] != row["group_number"]:
            self._old_groups.add(row["group_number"])
        return updated

    async def _store_subscribers(self, people: dict[str, Subscriber]) -> _StoredSubscribers:
        """Insert new subscribers, and update the changed ones."""
        columns = select(*(subscribers.c[name] for name in ("id", "number", *PERSON_COLUMNS)))
        rows = await self.connection.execute(columns.where(is_in(self.connection, subscribers.c.id, people)))
        known = _StoredSubscribers()
        updates, found_by = [], {}
        found = rows.all()
        of_file = await self._of_file([row.number for row in found])
        for key, number, email, name, timezone, channel in found:
            known.numbers[key] = number
            known.existing.append(number)
            person = people[key]
            if number in of_file:
                # The next load of the roster would set its values again.
                person = replace(person, email=email, name=name, timezone=timezone)
                known.zoneless |= {key} if timezone is None else set()
            # An import without names, or without time zones, keeps the stored ones.
            new_name = person.name if self.source is ChangeSource.ROSTER else person.name or name
            zone = person.timezone or (timezone if self.source is ChangeSource.IMPORT else None)
            if zone is not None and zone != people[key].timezone:
                known.zones[key] = zone
            # Only the roster sets a channel, so the other sources keep the stored one.
            new_channel = person.channel if self.source is ChangeSource.ROSTER else channel
            if (person.email, new_name, zone, new_channel) != (email, name, timezone, channel):
                known.changed.add(key)
                values = zip(PERSON_COLUMNS, (person.email, new_name, zone, new_channel), strict=True)
                updates.append({"of_number": number} | {f"new_{column}": value for column, value in values})
            if (person.email, new_name) != (email, name):
                found_by[number] = replace(person, name=new_name)
        if updates:
            await self.connection.execute(UPDATE_SUBSCRIBER, updates)
        if new := [person for key, person in people.items() if key not in known.numbers]:
            known.numbers |= await self._insert_subscribers(new)
            found_by |= {known.numbers[person.id]: person for person in new}
        if found_by:
            await index_people(self.connection, found_by)
        return known

    async def _insert_subscribers(self, people: Sequence[Subscriber]) -> dict[str, int]:
        """Store these new people; return the number of each by id."""
        rows = [subscriber_values(person) for person in people]
        await self.connection.run_sync(insert_rows, subscribers, rows)
        inserted = select(subscribers.c.id, subscribers.c.number)
        these = is_in(self.connection, subscribers.c.id, [person.id for person in people])
        found = await self.connection.execute(inserted.where(these))
        return {key: number for key, number in found.all()}  # noqa: C416 - rows are not tuples

    async def _of_file(self, numbers: Collection[int]) -> set[int]:
        """Return those of these subscribers (numbers) who are in the roster, if this is an import."""
        if self.source is not ChangeSource.IMPORT or not numbers:
            return set()
        these = is_in(self.connection, subscriptions.c.subscriber, numbers)
        query = select(subscriptions.c.subscriber).where(these, subscriptions.c.declared)
        return set((await self.connection.execute(query)).scalars())

    def _in_zone(self, placement: DesiredSubscription, zone: str | None) -> DesiredSubscription:
        """Return the subscription for a subscriber with this time zone (None: unchanged)."""
        if zone is None or placement.preferences.timezone is not None:
            return placement
        edition = replace(placement.edition, timezone=zone)
        due = next_occurrence(parse_schedule(edition.schedule), ZoneInfo(zone), self.now)
        return replace(
            placement, edition=edition, edition_key=identity.edition_key(edition), next_due_at=due.at
        )

    async def _store_editions(self, wanted: dict[str, Edition]) -> None:
        rows = [edition_values(edition, key) for key, edition in wanted.items()]
        await self.connection.execute(self.database.insert(editions).on_conflict_do_nothing(), rows)

    async def _stored(self, numbers: Collection[int]) -> dict[tuple[int, str], Values]:
        query = (
            select(subscriptions, groups.c.edition_key, groups.c.told_through, groups.c.next_due_at)
            .join(groups, groups.c.number == subscriptions.c.group_number)
            .where(is_in(self.connection, subscriptions.c.subscriber, numbers))
        )
        rows = (await self.connection.execute(query)).mappings()
        return {(r["subscriber"], r["newsletter"]): {**r, "comes_back": False} for r in rows}

    async def _group(self, edition_key: str, served_through: int, next_due_at: datetime) -> int:
        key = (edition_key, served_through, next_due_at)
        if key not in self._groups:
            self._groups[key] = await group_rows.find_or_create(self.connection, *key)
        return self._groups[key]

    async def _start(self, newsletter: str) -> int:
        """Return the cursor of a new subscription to the newsletter."""
        if newsletter not in self._starts:
            self._starts[newsletter] = await self._first_cursor(newsletter)
        return self._starts[newsletter]

    async def _first_cursor(self, newsletter: str) -> int:
        if self.starts_after is None:
            others = (
                select(func.max(groups.c.told_through))
                .join(editions, editions.c.key == groups.c.edition_key)
                .where(editions.c.newsletter == newsletter)
            )
            cursor = await self.connection.scalar(others)
            if cursor is not None:
                return int(cursor)
        return await last_gathered_before(self.connection, self.starts_after or self.now)


async def current_group(connection: StoreConnection, row: Values, now: datetime) -> int:
    """Return the group for a subscription that becomes active again: its own, unless that one is overdue.

    A group without active members is not served, so its due times pass. A subscriber who returns to it waits
    for the next due time, and gets the articles gathered since the last but one: so an issue comes at the
    chosen hour, and a year's absence does not end with a year's articles.
    """
    number, due_at = row["group_number"], row["next_due_at"]
    members = exists().where(subscriptions.c.group_number == number, group_rows.ACTIVE)
    if due_at > now or await connection.scalar(select(members)):
        return int(number)
    query = select(editions).where(editions.c.key == row["edition_key"])
    edition = edition_of((await connection.execute(query)).mappings().one())
    schedule, zone = parse_schedule(edition.schedule), ZoneInfo(edition.timezone)
    passed = [due_at, *(occurrence.at for occurrence in occurrences(schedule, zone, due_at, now))]
    cursor = row["told_through"]
    if len(passed) > 1:
        cursor = max(cursor, await last_gathered_before(connection, passed[-2]))
    following = next_occurrence(schedule, zone, now)
    return await group_rows.find_or_create(connection, row["edition_key"], cursor, following.at)


async def last_gathered_before(connection: StoreConnection, instant: datetime) -> int:
    """Return the position of the last article gathered before `instant`, 0 for none."""
    before = (
        select(articles.c.position)
        .where(articles.c.gathered_at < instant)
        .order_by(articles.c.position.desc())
        .limit(1)
    )
    return await connection.scalar(before) or 0


def _zone_preferred(placement: DesiredSubscription) -> DesiredSubscription:
    """Return the same subscription with the person's time zone as a preference for this newsletter."""
    preferences, zone = placement.preferences, placement.subscriber.timezone
    return replace(placement, preferences=replace(preferences, timezone=preferences.timezone or zone))


def _parameters(row: Values) -> Values:
    key = {"of_subscriber": row["subscriber"], "of_newsletter": row["newsletter"]}
    values = {f"new_{name}": row[name] for name in SUBSCRIPTION_COLUMNS}
    return key | values | {"comes_back": row["comes_back"]}
