"""The ledger: the states of a delivery from planned to final.

    planned, deferred  --take_batch-->       leased with a token until `due_at`
    leased             --record_changes-->   attempting: durable before the receiver can be responsible
    attempting         --record_changes-->   sent, deferred, refused, uncertain
    attempting         --lease ends-->       uncertain --settle_uncertain-> deferred, or it stays uncertain

Each transition checks the token, so a worker that was suspended cannot overwrite the work of its successor.
`take_batch` and `record_changes` run for each message; they are in sqlite_ledger.py and postgres_ledger.py.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from sqlalchemy import ColumnElement, Update, and_, case, exists, or_, select, tuple_, update
from typing_extensions import override

from service.core.model import Batch, Issue
from service.core.model import DeliveryState as State
from service.deliver.ports import DeliverStore, ResendPolicy, StateChange
from service.store import issue_books, issue_pictures, postgres_ledger, sqlite_ledger
from service.store.connection import StoreConnection
from service.store.database import Database
from service.store.dialect import is_in
from service.store.mappers import issue_of
from service.store.schema import IN_DOUBT, OUTBOX, PERSONAL_OUTBOX, deliveries, issues
from service.store.schema import subscribers as people
from service.store.sqlite_ledger import LEASE_ENDED

WRITER_SECONDS = 0.05
"""Seconds between two checks if another worker has finished its transaction."""


@dataclass(frozen=True, slots=True)
class SqlDeliverStore(DeliverStore):
    """DeliverStore on the tables issues and deliveries."""

    database: Database

    @override
    async def take_batch(
        self,
        channel: str,
        token: str,
        now: datetime,
        lease_until: datetime,
        limit: int,
        *,
        only_transactional: bool = False,
        is_personal: bool = False,
    ) -> Batch:
        take = sqlite_ledger.take if self.database.on_sqlite else postgres_ledger.take
        batch: Batch = await self.database.run_raw(
            partial(
                take,
                channel=channel,
                token=token,
                now=now,
                lease_until=lease_until,
                limit=limit,
                only_transactional=only_transactional,
                is_personal=is_personal,
            )
        )
        return batch

    @override
    async def personal_channels(self, now: datetime) -> Collection[str]:
        due = select(deliveries.c.channel).where(PERSONAL_OUTBOX, deliveries.c.due_at <= now).distinct()
        async with self.database.read() as connection:
            return (await connection.scalars(due)).all()

    @override
    async def extend(self, token: str, lease_until: datetime) -> None:
        held = and_(deliveries.c.token == token, deliveries.c.state != State.UNCERTAIN)
        async with self.database.write() as connection:
            await connection.execute(_unlocked(connection, held).values(due_at=lease_until))

    @override
    async def settle_uncertain(self, now: datetime, resend: ResendPolicy | None) -> int:
        over = and_(IN_DOUBT, deliveries.c.state == State.ATTEMPTING, deliveries.c.due_at <= now)
        uncertain = and_(IN_DOUBT, deliveries.c.state == State.UNCERTAIN)
        come = deliveries.c.due_at <= now
        async with self.database.write() as connection:
            # The token stays: if its worker still reports an outcome before another worker takes the
            # delivery, the outcome replaces the uncertain state.
            uncertain_now = {"state": State.UNCERTAIN, "due_at": now, "at": now, "reply": LEASE_ENDED}
            expired = _unlocked(connection, over).values(**uncertain_now, doubts=deliveries.c.doubts + 1)
            turned = (await connection.execute(expired)).rowcount
            if resend is not None:
                waiting = and_(uncertain, or_(come, deliveries.c.due_at.is_(None)), _may_resend(resend))
                repeating = _unlocked(connection, waiting).values(state=State.DEFERRED, due_at=now)
                await connection.execute(repeating)
            await connection.execute(_unlocked(connection, and_(uncertain, come)).values(due_at=None))
        return turned

    @override
    async def issue(self, issue_id: str) -> Issue | None:
        async with self.database.read() as connection:
            found = await connection.execute(select(issues).where(issues.c.id == issue_id))
            row = found.mappings().one_or_none()
            picture = None if row is None else await issue_pictures.of_issue(connection, issue_id)
        return None if row is None else replace(issue_of(row), picture=picture)

    @override
    async def record_changes(self, token: str, changes: Sequence[StateChange]) -> set[str]:
        write = sqlite_ledger.write_changes if self.database.on_sqlite else postgres_ledger.write_changes
        written: set[str] = await self.database.run_raw(partial(write, token=token, changes=changes))
        return written

    @override
    async def release(self, token: str) -> None:
        idle = and_(deliveries.c.token == token, OUTBOX)
        planned_at = select(issues.c.created_at).where(issues.c.number == deliveries.c.issue)
        async with self.database.write() as connection:
            await connection.execute(
                update(deliveries).where(idle).values(due_at=planned_at.scalar_subquery(), token=None)
            )

    @override
    async def resend(
        self,
        issue_id: str,
        states: Collection[State],
        now: datetime,
        *,
        subscribers: Collection[str] | None = None,
    ) -> int:
        this = and_(issues.c.id == issue_id, issues.c.cancelled_at.is_(None))
        of_issue = select(issues.c.number).where(this).scalar_subquery()
        # The token of an uncertain delivery belongs to a worker whose lease has ended.
        free = or_(deliveries.c.token.is_(None), deliveries.c.state == State.UNCERTAIN)
        these = update(deliveries).where(deliveries.c.issue == of_issue, deliveries.c.state.in_(states), free)
        async with self.database.write() as connection:
            if subscribers is not None:
                named = select(people.c.number).where(is_in(connection, people.c.id, subscribers))
                these = these.where(deliveries.c.subscriber.in_(named))
            # A mail that arrived may not count as one that did not, if this attempt is cancelled.
            arrived = and_(deliveries.c.state == State.SENT, deliveries.c.doubts == 0)
            doubts = case((arrived, 1), else_=deliveries.c.doubts)
            due = these.values(state=State.DEFERRED, due_at=now, token=None, doubts=doubts)
            await issue_books.forget(connection, issue_id)
            return (await connection.execute(due)).rowcount

    @override
    async def pause(self, issue_id: str, now: datetime) -> None:
        await self.pause_issues([issue_id], now)

    async def pause_issues(self, issue_ids: Collection[str], now: datetime) -> None:
        """Pause several issues, and wait for transactions of workers that write their deliveries.

        Leases of deliveries without an attempt are revoked. Attempts in progress may finish; a deferred one
        waits like the others.
        """
        await self.mark_paused(issue_ids, now)
        while True:
            if await self.revoke_leases(issue_ids):
                return
            await asyncio.sleep(WRITER_SECONDS)

    async def mark_paused(self, issue_ids: Collection[str], now: datetime) -> None:
        """Mark these issues as paused and revoke leases, in one transaction.

        A delivery whose row another transaction has locked keeps its lease.
        """
        async with self.database.write() as connection:
            of_these = is_in(connection, issues.c.id, issue_ids)
            flag = update(issues).where(of_these, issues.c.paused_at.is_(None))
            await connection.execute(flag.values(paused_at=now))
            pending = _leased_or_due(connection, issue_ids)
            await connection.execute(_unlocked(connection, pending).values(due_at=None, token=None))

    async def revoke_leases(self, issue_ids: Collection[str]) -> bool:
        """Revoke the leases of these issues' deliveries; return whether none is left."""
        async with self.database.write() as connection:
            pending = _leased_or_due(connection, issue_ids)
            await connection.execute(_unlocked(connection, pending).values(due_at=None, token=None))
            return not await connection.scalar(select(exists().where(pending)))

    async def resume(self, issue_id: str, now: datetime) -> int:
        """Resume a paused issue: its waiting deliveries are due at once. Return how many.

        A cancelled issue stays as it is.
        """
        this = and_(issues.c.id == issue_id, issues.c.cancelled_at.is_(None))
        of_issue = select(issues.c.number).where(this).scalar_subquery()
        resting = and_(deliveries.c.issue == of_issue, OUTBOX, deliveries.c.due_at.is_(None))
        async with self.database.write() as connection:
            await connection.execute(update(issues).where(this).values(paused_at=None))
            return (await connection.execute(update(deliveries).where(resting).values(due_at=now))).rowcount


def _may_resend(policy: ResendPolicy) -> ColumnElement[bool]:
    # A look-up for each of the few uncertain deliveries instead of a list of issues.
    planned_at = select(issues.c.created_at).where(issues.c.number == deliveries.c.issue).scalar_subquery()
    return and_(deliveries.c.doubts < policy.max_uncertain_attempts, planned_at > policy.planned_after)


def _leased_or_due(connection: StoreConnection, issue_ids: Collection[str]) -> ColumnElement[bool]:
    """Return the condition for the deliveries of these issues that are leased or can be taken."""
    of_these = select(issues.c.number).where(is_in(connection, issues.c.id, issue_ids))
    return and_(deliveries.c.issue.in_(of_these), OUTBOX, deliveries.c.due_at.is_not(None))


def _unlocked(connection: StoreConnection, which: ColumnElement[bool]) -> Update:
    """Return an UPDATE of these deliveries that skips the rows another transaction has locked.

    So no transaction waits, and none can deadlock. SQLite has one writer anyway.
    """
    if connection.dialect.name == "sqlite":
        return update(deliveries).where(which)
    key = (deliveries.c.issue, deliveries.c.subscriber)
    return update(deliveries).where(
        tuple_(*key).in_(select(*key).where(which).with_for_update(skip_locked=True))
    )
