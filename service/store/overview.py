"""What the first page of the editors' pages reads: a few small queries, also with a million subscribers."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, and_, bindparam, func, or_, select

from service.core.identity_cache import IdentityCache
from service.core.model import DraftState
from service.core.model import SubscriptionStatus as Status
from service.store.columns import Instant
from service.store.database import Database
from service.store.dialect import is_in
from service.store.drafts import UNDECIDED
from service.store.groups import ACTIVE
from service.store.issue_books import day_table
from service.store.schema import (
    OUTBOX,
    PAUSED_UNTIL,
    articles,
    deliveries,
    drafts,
    editions,
    feeds,
    groups,
    subscriptions,
)
from service.store.suppressed_members import suppressed_by_group

MAX_COUNTED = 10_000  # waiting deliveries: counting a million takes seconds
MANY = 10_000  # subscriptions: fewer are counted in a few milliseconds, at each read
KEEP_SECONDS = 60.0  # for the sizes of groups with MANY members together
SILENCE = timedelta(days=1)  # without a successful poll, from which a feed is in trouble
FAILURES = 3  # in a row, from which a feed is in trouble
AT = bindparam("at", type_=Instant())


class DueGroup(NamedTuple):
    """A group of subscriptions and its next due time. `size` counts its members who will get the issue."""

    number: int
    edition_key: str
    served_through: int
    due_at: datetime
    newsletter: str
    schedule: str
    timezone: str
    size: int = 0


class TroubledFeed(NamedTuple):
    """A feed that fails, or that its publisher ended (`gone_at`)."""

    id: str
    name: str
    failures: int
    last_success_at: datetime | None
    last_error: str
    gone_at: datetime | None


class OpenDraft(NamedTuple):
    """A draft that waits for an editor, and the number of subscribers who wait for its issue."""

    id: str
    newsletter: str
    due_at: datetime
    state: DraftState
    edition_key: str
    served_from: int


class LateDeliveries(NamedTuple):
    """The number of deliveries that are late, counted up to 10,000, and the due time of the oldest."""

    number: int
    since: datetime | None


class Presence(NamedTuple):
    """Whether the database has any feed, and any subscription."""

    feeds: bool
    subscriptions: bool


@dataclass
class _GroupSizes:
    """Sizes of groups (numbers) that were counted a short time ago."""

    sizes: dict[int, int] = field(default_factory=dict)
    until: float = 0.0


_sizes: IdentityCache[Database, _GroupSizes] = IdentityCache(limit=16)


@dataclass(frozen=True, slots=True)
class OverviewQueries:
    """Reads the tables groups, drafts, feeds and articles."""

    database: Database

    async def due_groups(self, until: datetime) -> Sequence[DueGroup]:
        """Return the groups that are due before `until` and have members, in order of time.

        Members who are paused count if their pause ends before the due time, suppressed ones do not. With
        MANY members together the sizes may be KEEP_SECONDS old.
        """
        rows = await self._rows(_due_groups(), until)
        if not rows:
            return []
        found = [DueGroup(*row) for row in rows]
        sizes = await self._group_sizes({group.number for group in found})
        return [group._replace(size=sizes[group.number]) for group in found if sizes.get(group.number)]

    async def open_drafts(self) -> Sequence[OpenDraft]:
        """Return the drafts that nobody decided about, and the held ones, by due time."""
        rows = await self._rows(_open_drafts())
        return [OpenDraft(row[0], row[1], row[2], DraftState(row[3]), *row[4:]) for row in rows]

    async def troubled_feeds(self, now: datetime) -> Sequence[TroubledFeed]:
        """Return the feeds of the configuration that fail or were ended, those that fail longest first."""
        return [TroubledFeed(*row) for row in await self._rows(_troubled_feeds(), now - SILENCE)]

    async def articles_by_day(self, bounds: Sequence[datetime]) -> Sequence[int]:
        """Return the number of articles that arrived on each day; `bounds` as in `IssueBooks.by_day`."""
        day = day_table(bounds)
        within = and_(articles.c.gathered_at >= day.c.begins, articles.c.gathered_at < day.c.ends)
        query = (
            select(func.count(articles.c.gathered_at))
            .select_from(day.outerjoin(articles, within))
            .group_by(day.c.begins)
            .order_by(day.c.begins)
        )
        async with self.database.read() as connection:
            return (await connection.scalars(query)).all()

    async def late_deliveries(self, due_by: datetime) -> LateDeliveries:
        """Return the deliveries that wait for an attempt since `due_by`."""
        return LateDeliveries(*(await self._rows(_late_deliveries(), due_by))[0])

    async def presence(self) -> Presence:
        """Return what there is at all."""
        query = select(
            select(feeds.c.id).where(feeds.c.active).exists(),
            select(subscriptions.c.subscriber).where(ACTIVE).exists(),
        )
        async with self.database.read() as connection:
            return Presence(*map(bool, (await connection.execute(query)).one()))

    async def _rows(self, statement: Select[*tuple[Any, ...]], at: datetime | None = None) -> Sequence[Any]:
        """Return the rows of a statement with the parameter `at`."""

        def work(connection: Connection) -> Sequence[Any]:
            return connection.execute(statement, {} if at is None else {"at": at}).all()

        return await self.database.run_read(work)

    async def _group_sizes(self, numbers: Collection[int]) -> Mapping[int, int]:
        kept = _sizes.get(self.database, None, _GroupSizes)
        now = asyncio.get_running_loop().time()
        if kept.until > now and kept.sizes.keys() >= set(numbers):
            return kept.sizes
        returning = (PAUSED_UNTIL, subscriptions.c.status == Status.PAUSED)
        sizes = dict.fromkeys(numbers, 0)
        async with self.database.read() as connection:
            these = is_in(connection, subscriptions.c.group_number, numbers)
            for conditions in ((ACTIVE,), returning):
                counting = (
                    select(subscriptions.c.group_number, func.count())
                    .where(these, *conditions)
                    .group_by(subscriptions.c.group_number)
                )
                suppressed = await suppressed_by_group(connection, *conditions)
                for number, size in (await connection.execute(counting)).all():
                    sizes[number] += size - suppressed.get(number, 0)
        if sum(sizes.values()) >= MANY:
            kept.sizes, kept.until = sizes, now + KEEP_SECONDS
        return sizes


# --- statements of each minute: building one takes several times as long as running it ----------------


@cache
def _due_groups() -> Select[*tuple[Any, ...]]:
    return (
        select(
            *groups.c["number", "edition_key", "told_through", "next_due_at"],
            *editions.c["newsletter", "schedule", "timezone"],
        )
        .join(editions, editions.c.key == groups.c.edition_key)
        .where(groups.c.next_due_at < AT)
        .order_by(groups.c.next_due_at, editions.c.newsletter)
    )


@cache
def _open_drafts() -> Select[*tuple[Any, ...]]:
    columns = (drafts.c.id, editions.c.newsletter, *drafts.c["due_at", "state", "edition_key", "told_from"])
    return (
        select(*columns)
        .join(editions, editions.c.key == drafts.c.edition_key)
        .where(UNDECIDED)
        .order_by(drafts.c.due_at, drafts.c.id)
    )


@cache
def _troubled_feeds() -> Select[*tuple[Any, ...]]:
    silent = (feeds.c.failures > 0) & (feeds.c.last_success_at < AT)
    return (
        select(
            *feeds.c["id", "name", "failures", "last_success_at"],
            func.coalesce(feeds.c.last_error, ""),
            feeds.c.gone_at,
        )
        .where(feeds.c.active, or_(feeds.c.failures >= FAILURES, silent, feeds.c.gone_at.is_not(None)))
        .order_by(feeds.c.failures.desc(), feeds.c.name)
    )


@cache
def _late_deliveries() -> Select[*tuple[Any, ...]]:
    waiting = select(deliveries.c.due_at).where(OUTBOX, deliveries.c.due_at <= AT)
    counted = waiting.limit(MAX_COUNTED).subquery()
    return select(
        select(func.count()).select_from(counted).scalar_subquery(),
        waiting.with_only_columns(func.min(deliveries.c.due_at)).scalar_subquery(),
    )
