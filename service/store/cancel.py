"""Cancellation of issues: deliveries that were not attempted end, and their subscribers get the news later.

Each transaction cancels up to MAX_CANCELLED deliveries and moves back the cursors of the same subscribers, so
that a crash leaves no subscriber with one and without the other. `core/cursors.py` has the rule for cursors.
Every function that writes holds `dialect.lock_groups`.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, and_, case, exists, func, literal, or_, select, update

from service.core.cursors import IssueRange, cursor_after_cancel
from service.core.model import DeliveryState as State
from service.core.read_models import CancelCounts
from service.store import groups as group_rows
from service.store.columns import Instant
from service.store.connection import StoreConnection
from service.store.database import Database
from service.store.dialect import is_in, lock_groups
from service.store.groups import ACTIVE
from service.store.schema import CANCELLED, OUTBOX, deliveries, groups, issues, subscriptions

MAX_CANCELLED = 10_000  # deliveries a transaction
WRITER_SECONDS = 0.05  # between two attempts to lock rows that a worker is writing
REST_PERIOD = timedelta(days=7)  # after it, no delivery of a cancelled issue is in transfer any more

NOT_SENT = and_(deliveries.c.state == State.CANCELLED, deliveries.c.doubts == 0)
"""The condition that a cancelled delivery has certainly not arrived."""


class _Place(NamedTuple):
    """A subscription's group, and how the group is found."""

    group: int
    edition_key: str
    served_through: int
    next_due_at: datetime


@dataclass(frozen=True, slots=True)
class SqlCancellation:
    """Cancels issues, on the tables issues, deliveries and groups."""

    database: Database

    async def preview(self, issue_id: str) -> CancelCounts:
        """Return what `cancel` would do now; change nothing."""
        counts, last = CancelCounts(), -1
        async with self.database.read() as connection:
            issue = await _issue(connection, issue_id)
            while rows := await _waiting(connection, issue.number, after=last):
                _, part = await _returns(connection, issue, rows)
                counts, last = counts + part, rows[-1].subscriber
            return replace(counts, in_transfer=await _in_transfer(connection, issue.number))

    async def cancel(self, issue_id: str, now: datetime) -> CancelCounts:
        """Cancel the deliveries of the issue that wait for an attempt; idempotent.

        No worker attempts one of them afterwards. A delivery whose attempt a worker is writing down is waited
        for: it is cancelled, or it is in transfer. The issue stays cancelled: a delivery in transfer that the
        server defers is cancelled by `cancel_rest`.
        """
        async with self.database.write() as connection:
            this = issues.c.id == issue_id
            paused_at = func.coalesce(issues.c.paused_at, literal(now, Instant))
            marked = {"paused_at": paused_at, "cancelled_at": now}
            marking = update(issues).where(this, issues.c.cancelled_at.is_(None))
            await connection.execute(marking.values(marked))
        counts = CancelCounts()
        while True:
            async with self.database.write() as connection:
                await lock_groups(connection)
                issue = await _issue(connection, issue_id)
                part = await _cancel_some(connection, issue, now)
                counts += part
                rest = exists().where(deliveries.c.issue == issue.number, OUTBOX)
                if not part.cancelled and not await connection.scalar(select(rest)):
                    return replace(counts, in_transfer=await _in_transfer(connection, issue.number))
            if not part.cancelled:
                await asyncio.sleep(WRITER_SECONDS)

    async def cancel_rest(self, now: datetime) -> int:
        """Cancel deliveries that were in transfer when their issue was cancelled, and are deferred now.

        Return their number.
        """
        waiting = exists().where(deliveries.c.issue == issues.c.number, OUTBOX)
        recent = issues.c.cancelled_at > now - REST_PERIOD
        async with self.database.read() as connection:
            found = (await connection.scalars(select(issues.c.id).where(CANCELLED, recent, waiting))).all()
        return sum([(await self.cancel(issue_id, now)).cancelled for issue_id in found])


async def _issue(connection: StoreConnection, issue_id: str) -> Any:  # noqa: ANN401 - a row
    columns = issues.c["number", "newsletter", "told_from", "told_through"]
    return (await connection.execute(select(*columns).where(issues.c.id == issue_id))).one()


async def _waiting(
    connection: StoreConnection, issue: int, *, after: int = -1, lock: bool = False
) -> Sequence[Any]:
    """Return up to MAX_CANCELLED deliveries in the outbox, by subscriber; with `lock`, those not locked."""
    query = (
        select(deliveries.c.subscriber, deliveries.c.doubts)
        .where(deliveries.c.issue == issue, deliveries.c.subscriber > after, OUTBOX)
        .order_by(deliveries.c.subscriber)
        .limit(MAX_CANCELLED)
    )
    return (await connection.execute(query.with_for_update(skip_locked=True) if lock else query)).all()


async def _in_transfer(connection: StoreConnection, issue: int) -> int:
    attempting = and_(deliveries.c.issue == issue, deliveries.c.state == State.ATTEMPTING)
    return await connection.scalar(select(func.count()).select_from(deliveries).where(attempting)) or 0


async def _cancel_some(connection: StoreConnection, issue: Any, now: datetime) -> CancelCounts:  # noqa: ANN401 - a row
    """Cancel up to MAX_CANCELLED waiting deliveries that no other transaction has locked."""
    rows = await _waiting(connection, issue.number, lock=True)
    if not rows:
        return CancelCounts()
    moves, counts = await _returns(connection, issue, rows)
    these = is_in(connection, deliveries.c.subscriber, [row.subscriber for row in rows])
    # The token goes as well: a worker that holds the lease cannot attempt the delivery any more.
    ended = {"state": State.CANCELLED, "due_at": None, "token": None, "at": now}
    await connection.execute(
        update(deliveries).where(deliveries.c.issue == issue.number, these, OUTBOX).values(ended)
    )
    left = set()
    for (place, cursor), people in moves.items():
        target = await group_rows.find_or_create(connection, place.edition_key, cursor, place.next_due_at)
        theirs = and_(
            subscriptions.c.newsletter == issue.newsletter,
            is_in(connection, subscriptions.c.subscriber, people),
        )
        await connection.execute(update(subscriptions).where(theirs).values(group_number=target))
        left.add(place.group)
    await group_rows.remove_if_empty(connection, left)
    return counts


async def _returns(
    connection: StoreConnection,
    issue: Any,  # noqa: ANN401 - a row
    rows: Sequence[Any],
) -> tuple[dict[tuple[_Place, int], list[int]], CancelCounts]:
    """Return the subscribers (numbers) whose cursor goes back, by place and new cursor; and the counts."""
    fresh = [row.subscriber for row in rows if row.doubts == 0]
    places = await _places(connection, issue.newsletter, fresh)
    ranges = await _other_ranges(connection, issue, places)
    own = IssueRange(issue.told_from, issue.told_through, is_cancelled=True)
    moves: dict[tuple[_Place, int], list[int]] = defaultdict(list)
    returned = 0
    for subscriber, place in places.items():
        cursor = cursor_after_cancel(own, ranges.get(subscriber, ()))
        returned += cursor < issue.told_through
        if cursor < min(place.served_through, issue.told_through):
            moves[place, cursor].append(subscriber)
    return moves, CancelCounts(
        returned=returned,
        in_later_issue=len(places) - returned,
        maybe_arrived=len(rows) - len(fresh),
        inactive=len(fresh) - len(places),
    )


async def _places(connection: StoreConnection, newsletter: str, people: Collection[int]) -> dict[int, _Place]:
    """Return the places of the active subscriptions of these subscribers."""
    columns = groups.c["number", "edition_key", "told_through", "next_due_at"]
    query = (
        select(subscriptions.c.subscriber, *columns)
        .join(groups, groups.c.number == subscriptions.c.group_number)
        .where(
            subscriptions.c.newsletter == newsletter,
            ACTIVE,
            is_in(connection, subscriptions.c.subscriber, people),
        )
    )
    return {row[0]: _Place(*row[1:]) for row in (await connection.execute(query)).all()}


async def _other_ranges(
    connection: StoreConnection,
    issue: Any,  # noqa: ANN401 - a row
    people: Collection[int],
) -> dict[int, list[IssueRange]]:
    """Return the subscribers' other issues of the newsletter that the rule for cursors needs."""
    ranges = issues.c["told_from", "told_through"]
    of_newsletter = select(*ranges).where(CANCELLED, issues.c.newsletter == issue.newsletter)
    cancelled = [
        IssueRange(row[0], row[1], is_cancelled=True)
        for row in (await connection.execute(of_newsletter)).all()
    ]
    first = cursor_after_cancel(IssueRange(issue.told_from, issue.told_through), cancelled)
    query = (
        select(
            deliveries.c.subscriber, issues.c.told_from, issues.c.told_through, case((NOT_SENT, 1), else_=0)
        )
        .join(issues, issues.c.number == deliveries.c.issue)
        .where(
            issues.c.newsletter == issue.newsletter,
            issues.c.edition_key != "",  # not a transactional mail
            issues.c.told_through > first,
            issues.c.number != issue.number,
            is_in(connection, deliveries.c.subscriber, people),
        )
    )
    found: dict[int, list[IssueRange]] = defaultdict(list)
    for subscriber, start, end, is_cancelled in (await connection.execute(query)).all():
        found[subscriber].append(IssueRange(start, end, bool(is_cancelled)))
    return found


def was_kept() -> ColumnElement[bool]:
    """Return the condition that a delivery was not cancelled, or may have arrived before it was."""
    return or_(deliveries.c.state != State.CANCELLED, deliveries.c.doubts > 0)
