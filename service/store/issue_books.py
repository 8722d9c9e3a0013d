"""The numbers of an issue's deliveries by state, stored once the issue is finished.

Counting the deliveries of a million subscribers takes more than a tenth of a second, and a page lists many
issues. An issue is finished when no delivery waits or is attempted. What changes a finished delivery makes
the stored numbers invalid: a resend deletes them (`forget`), and an uncertain delivery that gets another
outcome is seen, because the few uncertain ones are counted at each read.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from sqlalchemy import (
    ColumnElement,
    Subquery,
    and_,
    delete,
    exists,
    func,
    select,
    text,
)

from service.core.identity_cache import IdentityCache
from service.core.model import DeliveryState as State
from service.store.columns import Instant, to_millis
from service.store.connection import StoreConnection
from service.store.database import Database
from service.store.dialect import Query, is_in
from service.store.schema import ISSUED, UNDELIVERED, deliveries, issue_books, issues

ENDED = (State.SENT, State.SUPPRESSED, State.REFUSED, State.UNCERTAIN, State.CANCELLED)
"""The states that a finished issue has; each is a column."""

OPEN = (State.PLANNED, State.ATTEMPTING, State.DEFERRED)
MANY = 10_000  # deliveries: fewer are counted in a few milliseconds, at each read
KEEP_SECONDS = 5.0
"""How long the numbers of an issue of MANY deliveries that is being sent are kept for pages."""

Counts = Mapping[State, int]


async def counts_of(
    connection: StoreConnection, numbers: Collection[int], kept: _KeptCounts | None = None
) -> Mapping[int, Counts]:
    """Return the deliveries by state of each issue (number); from `kept`, those of a large one being sent."""
    rows = (
        await connection.execute(select(issue_books).where(is_in(connection, issue_books.c.issue, numbers)))
    ).all()
    uncertain = await _uncertain(connection, numbers) if rows else {}
    found: dict[int, Counts] = {}
    for row in rows:
        counts = {state: getattr(row, state.value) for state in ENDED}
        if uncertain.get(row.issue, 0) == counts[State.UNCERTAIN]:
            found[row.issue] = counts
    if kept is not None:
        found |= kept.fresh(numbers)
    unknown = [number for number in numbers if number not in found]
    if unknown:
        counted = await _count(connection, unknown)
        if kept is not None:
            kept.keep(counted)
        found |= counted
    return found


def day_table(bounds: Sequence[datetime]) -> Subquery:
    """Return a table of days, with the columns `begins` and `ends`, to join rows by their instant.

    It is text with our own numbers: building thirty SELECT objects would take longer than the query.
    """
    rows = (f"SELECT {to_millis(one)} AS begins, {to_millis(two)} AS ends" for one, two in pairwise(bounds))
    return text(" UNION ALL ".join(rows)).columns(begins=Instant(), ends=Instant()).subquery("day")


def kept_counts(database: Database) -> _KeptCounts:
    """Return the numbers that this process keeps for a few seconds, for pages."""
    return _kept.get(database, None, _KeptCounts)


async def forget(connection: StoreConnection, issue_id: str) -> None:
    """Delete the stored numbers of an issue, in the transaction that changes finished deliveries of it."""
    number = await _lock(connection, issues.c.id == issue_id)
    await connection.execute(delete(issue_books).where(issue_books.c.issue == number))


@dataclass(frozen=True, slots=True)
class IssueBooks:
    """The stored numbers, on the table issue_books."""

    database: Database

    async def store_finished(self, seconds: float = 2.0) -> int:
        """Store the numbers of finished issues that have none yet; return how many.

        Ends after about `seconds`; the next call continues.
        """
        now, stored = asyncio.get_running_loop().time, 0
        until = now() + seconds
        async with self.database.read() as connection:
            numbers = (await connection.scalars(_without_books())).all()
        for number in numbers:
            if now() > until:
                break
            stored += await self._store(number)
        return stored

    async def by_day(self, bounds: Sequence[datetime]) -> Sequence[tuple[int, int, int]]:
        """Return the numbers of sent, refused and suppressed mails of the issues made on each day.

        `bounds` are the starts of the days, and the end of the last. Only finished issues count.
        """
        day = day_table(bounds)
        sums = (func.coalesce(func.sum(issue_books.c[name]), 0) for name in ("sent", "refused", "suppressed"))
        within = and_(issue_books.c.created_at >= day.c.begins, issue_books.c.created_at < day.c.ends)
        query = (
            select(*sums)
            .select_from(day.outerjoin(issue_books, within))
            .group_by(day.c.begins)
            .order_by(day.c.begins)
        )
        async with self.database.read() as connection:
            return [
                (int(row[0]), int(row[1]), int(row[2])) for row in (await connection.execute(query)).all()
            ]

    async def _store(self, number: int) -> int:
        async with self.database.read() as connection:
            counts = (await _count(connection, [number])).get(number, {})
            if any(counts.get(state) for state in OPEN):
                return 0
        async with self.database.write() as connection:
            # The row of the issue is locked, as `forget` does: a resend between count and insert would
            # otherwise leave old numbers.
            await _lock(connection, issues.c.number == number)
            counts = (await _count(connection, [number])).get(number, {})
            if any(counts.get(state) for state in OPEN):
                return 0
            created_at = await connection.scalar(select(issues.c.created_at).where(issues.c.number == number))
            stored = {state.value: counts.get(state, 0) for state in ENDED}
            fresh = self.database.insert(issue_books).values(issue=number, created_at=created_at, **stored)
            replacing = fresh.on_conflict_do_update(index_elements=["issue"], set_=stored)
            await connection.execute(replacing)
        return 1


class _KeptCounts:
    """Numbers that were counted a few seconds ago, of issues with many deliveries."""

    def __init__(self) -> None:
        self._kept: dict[int, tuple[float, Counts]] = {}

    def fresh(self, numbers: Collection[int]) -> dict[int, Counts]:
        """Return the kept numbers of these issues that are not too old."""
        now = asyncio.get_running_loop().time()
        self._kept = {key: one for key, one in self._kept.items() if one[0] > now}
        return {number: self._kept[number][1] for number in numbers if number in self._kept}

    def keep(self, counted: Mapping[int, Counts]) -> None:
        """Keep the numbers of large issues."""
        until = asyncio.get_running_loop().time() + KEEP_SECONDS
        large = {number: counts for number, counts in counted.items() if sum(counts.values()) >= MANY}
        self._kept |= {number: (until, counts) for number, counts in large.items()}


_kept: IdentityCache[Database, _KeptCounts] = IdentityCache(limit=16)


async def _count(connection: StoreConnection, numbers: Collection[int]) -> dict[int, Counts]:
    counting = (
        select(deliveries.c.issue, deliveries.c.state, func.count())
        .where(is_in(connection, deliveries.c.issue, numbers))
        .group_by(deliveries.c.issue, deliveries.c.state)
    )
    found: dict[int, Counter[State]] = defaultdict(Counter)
    for issue, state, count in (await connection.execute(counting)).all():
        found[issue][State(state)] = count
    return {number: found[number] for number in numbers}


async def _uncertain(connection: StoreConnection, numbers: Collection[int]) -> dict[int, int]:
    """Return the number of uncertain deliveries of each of these issues, by the index of UNDELIVERED."""
    query = (
        select(deliveries.c.issue, func.count())
        .where(
            is_in(connection, deliveries.c.issue, numbers), deliveries.c.state == State.UNCERTAIN, UNDELIVERED
        )
        .group_by(deliveries.c.issue)
    )
    return {row[0]: row[1] for row in (await connection.execute(query)).all()}


async def _lock(connection: StoreConnection, which: ColumnElement[bool]) -> int | None:
    found: int | None = await connection.scalar(select(issues.c.number).where(which).with_for_update())
    return found


def _without_books() -> Query:
    known = exists().where(issue_books.c.issue == issues.c.number)
    return select(issues.c.number).where(ISSUED, ~known).order_by(issues.c.number.desc())
