"""Placing: subscriptions put where the roster, an import or the person wants them, thousands at a time.

Everything here runs in a transaction that holds `sql.lock_readers`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from sqlalchemy import Boolean, and_, bindparam, case, exists, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from service.core import ids as identity
from service.core.model import DesiredSubscription, Edition, Subscriber
from service.core.schedules import next_occurrence, occurrences, parse_schedule
from service.store import groups as standing
from service.store.database import Database
from service.store.dialect import is_in
from service.store.mappers import Values, edition_of, edition_values, preferences_values, subscriber_values
from service.store.schema import articles, editions, groups, subscribers, subscriptions

CHUNK = 2_000

WRITTEN = ("group_number", "declared", "chosen", "changed_at", "wishes")

BACK = and_(subscriptions.c.status == "ended", bindparam("comes_back", type_=Boolean))

WRITE = (
    update(subscriptions)
    .where(
        subscriptions.c.subscriber == bindparam("of_subscriber"),
        subscriptions.c.newsletter == bindparam("of_newsletter"),
    )
    .values({name: bindparam(f"new_{name}") for name in WRITTEN})
    # Read where it is written: somebody may say "unsubscribe" between our reading and our writing.
    .values(status=case((BACK, subscriptions.c.choice), else_=subscriptions.c.status))
)

SAID = ("email", "name", "timezone", "channel")

RENAME = (
    update(subscribers)
    .where(subscribers.c.number == bindparam("of_number"))
    .values({name: bindparam(f"new_{name}") for name in SAID})
)


class ChangeSource(StrEnum):
    """Who says so. The person's own wishes win over the roster's and an import's."""

    ROSTER = "roster"
    IMPORT = "import"
    PERSON = "person"


@dataclass
class _Known:
    """People by number: all of them, those who were here before, and of these by id whose name changed.

    `zones` are the time zones, by id, of those about whom an import that names none must not forget them.
    """

    numbers: dict[str, int] = field(default_factory=dict)
    before: list[int] = field(default_factory=list)
    renamed: set[str] = field(default_factory=set)
    zones: dict[str, str] = field(default_factory=dict)


@dataclass
class SubscriptionWriter:
    """One transaction's work: who speaks, when, and after which instant the new ones' first news begins.

    Without `starts_after` a new reader stands where the newsletter's other readers stand.
    """

    database: Database
    connection: AsyncConnection
    source: ChangeSource
    now: datetime
    starts_after: datetime | None = None
    counts: Counter[str] = field(default_factory=Counter)
    _left: set[int] = field(default_factory=set)
    _places: dict[tuple[str, int, datetime], int] = field(default_factory=dict)
    _starts: dict[str, int] = field(default_factory=dict)

    async def write(self, placements: Sequence[DesiredSubscription]) -> None:
        """Put all of these where they belong and count what changed."""
        for first in range(0, len(placements), CHUNK):
            await self._place_some(placements[first : first + CHUNK])
        await standing.remove_if_empty(self.connection, self._left)

    async def _place_some(self, placements: Sequence[DesiredSubscription]) -> None:
        known = await self._know_people({p.subscriber.id: p.subscriber for p in placements})
        if known.zones:
            placements = [self._in_zone(p, known.zones.get(p.subscriber.id)) for p in placements]
        await self._know_editions({p.edition_key: p.edition for p in placements})
        there = await self._found(known.before) if known.before else {}
        new, changed = [], []
        for placement in placements:
            number = known.numbers[placement.subscriber.id]
            row = there.get((number, placement.newsletter))
            if row is None:
                new.append(await self._new(placement, number))
                self.counts["added"] += 1
                continue
            line = await self._changed(placement, row)
            if line != row:
                changed.append(line | {"changed_at": self.now})
            said = line != row | {"declared": line["declared"]} or placement.subscriber.id in known.renamed
            self.counts["changed" if said else "kept"] += 1
        if new:
            await self.connection.execute(subscriptions.insert(), new)
        if changed:
            await self.connection.execute(WRITE, [_bound(line) for line in changed])

    async def _new(self, placement: DesiredSubscription, number: int) -> Values:
        told = await self._start(placement.newsletter)
        return {
            "subscriber": number,
            "newsletter": placement.newsletter,
            "group_number": await self._group(placement.edition_key, told, placement.next_due_at),
            "status": "active",
            "choice": "active",
            "declared": self.source is ChangeSource.ROSTER,
            "chosen": self.source is ChangeSource.PERSON,
            "changed_at": self.now,
            "wishes": preferences_values(placement.preferences),
        }

    async def _changed(self, placement: DesiredSubscription, row: Values) -> Values:
        """Return the row as it is to be: what the person chose stays, unless the person speaks."""
        line = dict(row)
        line["declared"] = row["declared"] or self.source is ChangeSource.ROSTER
        back = row["status"] == "ended" and self.source is not ChangeSource.PERSON
        line["comes_back"] = back
        follows = self.source is ChangeSource.PERSON or not row["chosen"]
        if follows:
            line["chosen"] = self.source is ChangeSource.PERSON
            line["wishes"] = preferences_values(placement.preferences)
        if follows and placement.edition_key != row["edition_key"]:
            due_at = placement.next_due_at
            line["group_number"] = await self._group(placement.edition_key, row["told_through"], due_at)
        elif back:
            line["group_number"] = await current_group(self.connection, row, self.now)
        if line["group_number"] != row["group_number"]:
            self._left.add(row["group_number"])
        return line

    async def _know_people(self, people: dict[str, Subscriber]) -> _Known:
        """Store who is new, and what changed about the others."""
        stored = select(*(subscribers.c[name] for name in ("id", "number", *SAID)))
        rows = await self.connection.execute(stored.where(is_in(self.connection, subscribers.c.id, people)))
        known = _Known()
        renamed = []
        for key, number, email, name, timezone, channel in rows.all():
            known.numbers[key] = number
            known.before.append(number)
            person = people[key]
            # An import that brings no names, or no zones, takes none away.
            called = person.name if self.source is ChangeSource.ROSTER else person.name or name
            zone = person.timezone or (timezone if self.source is ChangeSource.IMPORT else None)
            if zone is not None and zone != person.timezone:
                known.zones[key] = zone
            # Only the roster names a channel, so nothing else takes one away.
            sent_by = person.channel if self.source is ChangeSource.ROSTER else channel
            if (person.email, called, zone, sent_by) != (email, name, timezone, channel):
                known.renamed.add(key)
                said = zip(SAID, (person.email, called, zone, sent_by), strict=True)
                renamed.append({"of_number": number} | {f"new_{word}": value for word, value in said})
        if renamed:
            await self.connection.execute(RENAME, renamed)
        if new := [subscriber_values(person) for key, person in people.items() if key not in known.numbers]:
            await self.connection.execute(subscribers.insert(), new)
            ids = [row["id"] for row in new]
            given = select(subscribers.c.id, subscribers.c.number)
            rows = await self.connection.execute(given.where(is_in(self.connection, subscribers.c.id, ids)))
            known.numbers.update({key: number for key, number in rows.all()})  # noqa: C416 - rows are not tuples
        return known

    def _in_zone(self, placement: DesiredSubscription, zone: str | None) -> DesiredSubscription:
        """Return where the placement puts somebody who lives in that zone (None: it says so itself)."""
        if zone is None or placement.preferences.timezone is not None:
            return placement
        edition = replace(placement.edition, timezone=zone)
        due = next_occurrence(parse_schedule(edition.schedule), ZoneInfo(zone), self.now)
        return replace(
            placement, edition=edition, edition_key=identity.edition_key(edition), next_due_at=due.at
        )

    async def _know_editions(self, wanted: dict[str, Edition]) -> None:
        rows = [edition_values(edition, key) for key, edition in wanted.items()]
        await self.connection.execute(self.database.insert(editions).on_conflict_do_nothing(), rows)

    async def _found(self, numbers: Collection[int]) -> dict[tuple[int, str], Values]:
        query = (
            select(subscriptions, groups.c.edition_key, groups.c.told_through, groups.c.next_due_at)
            .join(groups, groups.c.number == subscriptions.c.group_number)
            .where(is_in(self.connection, subscriptions.c.subscriber, numbers))
        )
        rows = (await self.connection.execute(query)).mappings()
        return {(r["subscriber"], r["newsletter"]): {**r, "comes_back": False} for r in rows}

    async def _group(self, edition_key: str, told_through: int, next_due_at: datetime) -> int:
        key = (edition_key, told_through, next_due_at)
        if key not in self._places:
            self._places[key] = await standing.find_or_create(self.connection, *key)
        return self._places[key]

    async def _start(self, newsletter: str) -> int:
        """Return the position through which a new reader of the newsletter counts as told."""
        if newsletter not in self._starts:
            self._starts[newsletter] = await self._first_position(newsletter)
        return self._starts[newsletter]

    async def _first_position(self, newsletter: str) -> int:
        if self.starts_after is None:
            others = (
                select(func.max(groups.c.told_through))
                .join(editions, editions.c.key == groups.c.edition_key)
                .where(editions.c.newsletter == newsletter)
            )
            told = await self.connection.scalar(others)
            if told is not None:
                return int(told)
        return await last_gathered_before(self.connection, self.starts_after or self.now)


async def current_group(connection: AsyncConnection, row: Values, now: datetime) -> int:
    """Return the group for somebody who comes back: their own, unless it was left behind.

    A group in which nobody is active is not served, and its moments pass. Whoever comes back to one waits for
    the next moment, so that they hear at their hour and not at once; and is told what was gathered since the
    moment before the last, so that a year's absence does not end with a year's news.
    """
    mine, due_at = row["group_number"], row["next_due_at"]
    others = exists().where(subscriptions.c.group_number == mine, standing.ACTIVE)
    if due_at > now or await connection.scalar(select(others)):
        return int(mine)
    wanted = select(editions).where(editions.c.key == row["edition_key"])
    edition = edition_of((await connection.execute(wanted)).mappings().one())
    schedule, zone = parse_schedule(edition.schedule), ZoneInfo(edition.timezone)
    passed = [due_at, *(occurrence.at for occurrence in occurrences(schedule, zone, due_at, now))]
    told_through = row["told_through"]
    if len(passed) > 1:
        told_through = max(told_through, await last_gathered_before(connection, passed[-2]))
    moment = next_occurrence(schedule, zone, now)
    return await standing.find_or_create(connection, row["edition_key"], told_through, moment.at)


async def last_gathered_before(connection: AsyncConnection, instant: datetime) -> int:
    """Return the position of the last article that was gathered before then, 0 when there is none."""
    before = (
        select(articles.c.position)
        .where(articles.c.gathered_at < instant)
        .order_by(articles.c.position.desc())
        .limit(1)
    )
    return await connection.scalar(before) or 0


def _bound(line: Values) -> Values:
    key = {"of_subscriber": line["subscriber"], "of_newsletter": line["newsletter"]}
    return key | {f"new_{name}": line[name] for name in WRITTEN} | {"comes_back": line["comes_back"]}
