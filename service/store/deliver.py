"""What deliver asks of the record: the ledger, from planned to its end.

    planned, deferred  --take_batch-->    held by a token until the lease runs out
    held               --record_marks-->  attempting: durable before the receiver can be responsible
    attempting         --record_marks-->  sent, deferred, refused, uncertain
    attempting         --lease runs out-> uncertain --settle_uncertain-> deferred, or it rests for good

Every transition names the token, so a worker that was paused and came back writes nothing over its successor.
Taking and marking are what every single message needs; they lie in sqlite_ledger.py
and postgres_ledger.py.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from sqlalchemy import ColumnElement, Update, and_, exists, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection
from typing_extensions import override

from service.core.model import Batch, Issue
from service.core.model import DeliveryState as State
from service.deliver.ports import DeliverStore, ResendPolicy, StateChange
from service.store import postgres_ledger, sqlite_ledger
from service.store.database import Database
from service.store.dialect import is_in
from service.store.mappers import issue_of
from service.store.schema import IN_DOUBT, OUTBOX, PERSONAL_OUTBOX, deliveries, issues
from service.store.schema import subscribers as people
from service.store.sqlite_ledger import LEASE_RAN_OUT

WRITER_SECONDS = 0.05
"""Seconds until another worker has finished writing what it is at."""


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
            await connection.execute(_unwritten(connection, held).values(due_at=lease_until))

    @override
    async def settle_uncertain(self, now: datetime, resend: ResendPolicy | None) -> int:
        over = and_(IN_DOUBT, deliveries.c.state == State.ATTEMPTING, deliveries.c.due_at <= now)
        uncertain = and_(IN_DOUBT, deliveries.c.state == State.UNCERTAIN)
        come = deliveries.c.due_at <= now
        async with self.database.write() as connection:
            # The token stays: should its worker come back with news before anybody else took the delivery,
            # that news is worth more than the doubt.
            doubt = {"state": State.UNCERTAIN, "due_at": now, "at": now, "reply": LEASE_RAN_OUT}
            turning = _unwritten(connection, over).values(**doubt, doubts=deliveries.c.doubts + 1)
            turned = (await connection.execute(turning)).rowcount
            if resend is not None:
                waiting = and_(uncertain, or_(come, deliveries.c.due_at.is_(None)), _within(resend))
                repeating = _unwritten(connection, waiting).values(state=State.DEFERRED, due_at=now)
                await connection.execute(repeating)
            await connection.execute(_unwritten(connection, and_(uncertain, come)).values(due_at=None))
        return turned

    @override
    async def issue(self, issue_id: str) -> Issue | None:
        async with self.database.read() as connection:
            found = await connection.execute(select(issues).where(issues.c.id == issue_id))
            row = found.mappings().one_or_none()
        return None if row is None else issue_of(row)

    @override
    async def record_changes(self, token: str, changes: Sequence[StateChange]) -> set[str]:
        write = sqlite_ledger.write_changes if self.database.on_sqlite else postgres_ledger.write_changes
        written: set[str] = await self.database.run_raw(partial(write, token=token, marks=changes))
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
        of_issue = select(issues.c.number).where(issues.c.id == issue_id).scalar_subquery()
        # A token on an uncertain one is of a worker that was given up.
        free = or_(deliveries.c.token.is_(None), deliveries.c.state == State.UNCERTAIN)
        again = update(deliveries).where(deliveries.c.issue == of_issue, deliveries.c.state.in_(states), free)
        async with self.database.write() as connection:
            if subscribers is not None:
                named = select(people.c.number).where(is_in(connection, people.c.id, subscribers))
                again = again.where(deliveries.c.subscriber.in_(named))
            due = again.values(state=State.DEFERRED, due_at=now, token=None)
            return (await connection.execute(due)).rowcount

    @override
    async def pause(self, issue_id: str, now: datetime) -> None:
        await self.pause_issues([issue_id], now)

    async def pause_issues(self, issue_ids: Collection[str], now: datetime) -> None:
        """Pause several issues: all of them first, then wait for what somebody is writing.

        What workers hold and did not attempt is taken out of their hands. What is under way may end; should
        it be put off, it waits like the rest.
        """
        await self.mark_paused(issue_ids, now)
        while True:
            if await self.revoke_leases(issue_ids):
                return
            await asyncio.sleep(WRITER_SECONDS)

    async def mark_paused(self, issue_ids: Collection[str], now: datetime) -> None:
        """Pause all of these issues in one transaction: whatever ends the caller, it is all of them or none.

        A delivery that somebody is writing at this moment may be left in their hands.
        """
        async with self.database.write() as connection:
            of_these = is_in(connection, issues.c.id, issue_ids)
            flag = update(issues).where(of_these, issues.c.paused_at.is_(None))
            await connection.execute(flag.values(paused_at=now))
            going = _going(connection, issue_ids)
            await connection.execute(_unwritten(connection, going).values(due_at=None, token=None))

    async def revoke_leases(self, issue_ids: Collection[str]) -> bool:
        """Take the deliveries of these issues out of their workers' hands; return whether that is all."""
        async with self.database.write() as connection:
            going = _going(connection, issue_ids)
            await connection.execute(_unwritten(connection, going).values(due_at=None, token=None))
            return not await connection.scalar(select(exists().where(going)))

    async def resume(self, issue_id: str, now: datetime) -> int:
        """Let a paused issue go on: what waits is due at once. Return how many deliveries that is."""
        of_issue = select(issues.c.number).where(issues.c.id == issue_id).scalar_subquery()
        resting = and_(deliveries.c.issue == of_issue, OUTBOX, deliveries.c.due_at.is_(None))
        async with self.database.write() as connection:
            await connection.execute(update(issues).where(issues.c.id == issue_id).values(paused_at=None))
            return (await connection.execute(update(deliveries).where(resting).values(due_at=now))).rowcount


def _within(again: ResendPolicy) -> ColumnElement[bool]:
    # One look-up for each of the few that are in doubt, rather than a list of the issues.
    planned_at = select(issues.c.created_at).where(issues.c.number == deliveries.c.issue).scalar_subquery()
    return and_(deliveries.c.doubts < again.max_uncertain_attempts, planned_at > again.planned_after)


def _going(connection: AsyncConnection, issue_ids: Collection[str]) -> ColumnElement[bool]:
    """Select the deliveries of these issues that somebody holds or may take."""
    of_these = select(issues.c.number).where(is_in(connection, issues.c.id, issue_ids))
    return and_(deliveries.c.issue.in_(of_these), OUTBOX, deliveries.c.due_at.is_not(None))


def _unwritten(connection: AsyncConnection, which: ColumnElement[bool]) -> Update:
    """Return an update of these deliveries, but not of those that somebody is writing at this moment.

    So nobody waits for anybody, and no two can wait for each other. SQLite has one writer anyway.
    """
    if connection.dialect.name == "sqlite":
        return update(deliveries).where(which)
    key = (deliveries.c.issue, deliveries.c.subscriber)
    return update(deliveries).where(
        tuple_(*key).in_(select(*key).where(which).with_for_update(skip_locked=True))
    )
