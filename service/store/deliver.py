"""What deliver asks of the record: the ledger, from planned to its end.

    planned, deferred  --take_batch-->    held by a token until the lease runs out
    held               --record_marks-->  attempting: durable before the receiver can be responsible
    attempting         --record_marks-->  sent, deferred, refused, uncertain
    attempting         --lease runs out-> uncertain --settle_uncertain-> deferred, or it rests

Every transition names the token, so a worker that was paused and came back writes nothing over its successor.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Join,
    Select,
    Text,
    Update,
    and_,
    bindparam,
    func,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from service.core.contracts import Mark
from service.core.model import Batch, Delivery, Issue
from service.core.model import DeliveryState as State
from service.store.database import Database
from service.store.marks import write_marks
from service.store.rows import Row, Values, issue_of
from service.store.schema import (
    IN_DOUBT,
    OUTBOX,
    deliveries,
    issues,
    subscriptions,
    suppressions,
)
from service.store.schema import (
    subscribers as people,
)
from service.store.sql import among, listed

LEASE_RAN_OUT = "the worker that sent it was not heard of again"

KEY = (deliveries.c.issue, deliveries.c.subscriber)

WRITTEN = ("state", "attempts", "due_at", "token", "at", "reply")

WRITE = (
    update(deliveries)
    .where(deliveries.c.issue == bindparam("of_issue"), deliveries.c.subscriber == bindparam("of_subscriber"))
    .values({name: bindparam(f"new_{name}") for name in WRITTEN})
)
"""Write one delivery's line anew."""

PREFIX = 16
"""So many characters of a delivery's id name the issue; the rest is the subscriber's id."""


@dataclass(frozen=True, slots=True)
class DeliverRecords:
    """The DeliverStore of core/contracts.py."""

    database: Database

    async def take_batch(
        self, channel: str, token: str, now: datetime, lease_until: datetime, limit: int
    ) -> Batch:
        """Lease up to `limit` deliveries that are due, marking those to suppressed people as such.

        Due are: planned; deferred with `next_attempt_at <= now`; both only while no other lease holds them.
        A delivery left `attempting` by a lease that ran out becomes `uncertain` first.
        """
        suppressed = 0
        async with self.database.write() as connection:
            await connection.execute(_doubted(now))
            # Go on while everybody found is suppressed: an empty batch says that nothing is due.
            while found := (await connection.execute(_due(channel, now, limit))).mappings().all():
                free = [row for row in found if not row["blocked"]]
                blocked = [row for row in found if row["blocked"]]
                lines = [
                    *(_line(row, row["state"], due_at=lease_until, token=token) for row in free),
                    *(_line(row, State.SUPPRESSED, at=now) for row in blocked),
                ]
                await connection.execute(WRITE, lines)
                suppressed += len(blocked)
                if free:
                    return Batch(token, lease_until, tuple(map(_delivery_of, free)), suppressed)
        return Batch(token, lease_until, (), suppressed)

    async def extend(self, token: str, lease_until: datetime) -> None:
        """Prolong the lease of what this token still holds; a sender that is alive says so."""
        held = and_(deliveries.c.token == token, deliveries.c.state != State.UNCERTAIN)
        async with self.database.write() as connection:
            await connection.execute(_locked(held).values(due_at=lease_until))

    async def settle_uncertain(self, now: datetime, *, resend: bool) -> int:
        """Turn attempts of leases that ran out into `uncertain`; return how many.

        With `resend`, every uncertain delivery that has no `next_attempt_at`, or one that has come, is due
        again (as deferred, at once); without, they rest until somebody decides.
        """
        uncertain = and_(IN_DOUBT, deliveries.c.state == State.UNCERTAIN)
        come = deliveries.c.due_at <= now
        async with self.database.write() as connection:
            turned = (await connection.execute(_doubted(now))).rowcount
            if resend:
                again = _skipping(and_(uncertain, or_(come, deliveries.c.due_at.is_(None))))
                await connection.execute(again.values(state=State.DEFERRED, due_at=now))
            else:
                await connection.execute(_skipping(and_(uncertain, come)).values(due_at=None))
        return turned

    async def issue(self, issue_id: str) -> Issue | None:
        """Return the issue."""
        async with self.database.read() as connection:
            found = await connection.execute(select(issues).where(issues.c.id == issue_id))
            row = found.mappings().one_or_none()
        return None if row is None else issue_of(row)

    async def record_marks(self, token: str, marks: Sequence[Mark]) -> set[str]:
        """Write the marks in one durable commit, for deliveries that this token still holds.

        Return the ids of the deliveries that were written; the rest belong to somebody else by now.
        A mark with `suppress` also suppresses the delivery's address. A person who was suppressed or
        unsubscribed since the batch was taken is not marked `attempting`: the delivery becomes `suppressed`
        and its id is not returned.
        """
        if self.database.on_sqlite:
            return await self.database.at_once(partial(write_marks, token=token, marks=marks))
        written: set[str] = set()
        changed: dict[str, Values] = {}
        bad_addresses: dict[str, Values] = {}
        async with self.database.write() as connection:
            held = await _held(connection, token, {mark.delivery_id for mark in marks})
            for mark in marks:
                row = held.get(mark.delivery_id)
                line = None if row is None else _after(changed.get(mark.delivery_id, row), mark)
                if row is None or line is None:
                    continue
                changed[mark.delivery_id] = line
                if line["state"] == mark.state:
                    written.add(mark.delivery_id)
                    if mark.suppress:
                        bad_addresses[row["address_hash"]] = {"reason": mark.reply, "at": mark.at}
            if changed:
                await connection.execute(WRITE, [_bound(line) for line in changed.values()])
            if bad_addresses:
                rows = [{"address_hash": key, **row} for key, row in sorted(bad_addresses.items())]
                await connection.execute(self.database.insert(suppressions).on_conflict_do_nothing(), rows)
        return written

    async def release(self, token: str) -> None:
        """Give back what this token holds and did not attempt."""
        idle = and_(deliveries.c.token == token, OUTBOX)
        planned_at = (
            select(issues.c.created_at).where(issues.c.number == deliveries.c.issue).scalar_subquery()
        )
        async with self.database.write() as connection:
            await connection.execute(_locked(idle).values(due_at=planned_at.scalar_subquery(), token=None))

    async def resend(
        self,
        issue_id: str,
        states: Collection[State],
        now: datetime,
        *,
        subscribers: Collection[str] | None = None,
    ) -> int:
        """Make an issue's deliveries in these states due again, on purpose; return how many.

        With `subscribers` (ids), only theirs. The Message-ID stays the same. What a worker holds is left
        alone, and who is suppressed or unsubscribed is not mailed all the same.
        """
        of_issue = select(issues.c.number).where(issues.c.id == issue_id).scalar_subquery()
        # A token on an uncertain one is of a worker that was given up.
        free = or_(deliveries.c.token.is_(None), deliveries.c.state == State.UNCERTAIN)
        which = and_(deliveries.c.issue == of_issue, deliveries.c.state.in_(states), free)
        async with self.database.write() as connection:
            if subscribers is not None:
                named = select(people.c.number).where(among(connection, people.c.id, subscribers))
                which = and_(which, deliveries.c.subscriber.in_(named))
            again = _locked(which).values(state=State.DEFERRED, due_at=now, token=None)
            return (await connection.execute(again)).rowcount


def _after(line: Values, mark: Mark) -> Values | None:
    """Return the delivery's line once the mark is written; None when the mark comes too late.

    `line` is what stands in the ledger, or what an earlier mark of the same commit made of it.
    """
    before = State(line["state"])
    if line["token"] is None:
        return None
    if mark.state is State.ATTEMPTING:
        if before is State.UNCERTAIN or line["due_at"] is None or line["due_at"] <= mark.at:
            return None
        if line["blocked"]:
            return {**line, "state": State.SUPPRESSED, "due_at": None, "token": None, "at": mark.at}
        attempts = line["attempts"] + (before is not State.ATTEMPTING)
        return {**line, "state": State.ATTEMPTING, "attempts": attempts, "at": mark.at, "reply": ""}
    again = mark.next_attempt_at if mark.state in (State.DEFERRED, State.UNCERTAIN) else None
    return {
        **line,
        "state": mark.state,
        # A refusal before the attempt was marked was a try as well: back-off counts it.
        "attempts": line["attempts"] + (before in (State.PLANNED, State.DEFERRED)),
        "due_at": mark.at if mark.state is State.DEFERRED and again is None else again,
        "token": None,
        "at": mark.at,
        "reply": mark.reply,
    }


def _line(row: Row, state: str, **changes: Any) -> Values:  # noqa: ANN401 - any column's value
    """Return the parameters of WRITE for a row that was read, with these changes."""
    empty = {"due_at": None, "token": None, "at": row["at"], "reply": row["reply"]}
    return _bound({**row, **empty, "state": state, **changes})


def _bound(line: Values) -> Values:
    new = {f"new_{name}": line[name] for name in WRITTEN}
    return {"of_issue": line["issue"], "of_subscriber": line["subscriber"], **new}


def _delivery_of(row: Row) -> Delivery:
    return Delivery(
        id=row["delivery_prefix"] + row["subscriber_id"],
        issue_id=row["issue_id"],
        subscriber_id=row["subscriber_id"],
        channel=row["channel"],
        address=row["email"],
        name=row["name"],
        attempts=row["attempts"],
        planned_at=row["created_at"],
    )


def _with_people(these: FromClause) -> Join:
    """Return the deliveries joined to issue, person, subscription and suppression, for BLOCKED."""
    return (
        these.join(issues, issues.c.number == these.c.issue)
        .join(people, people.c.number == these.c.subscriber)
        .outerjoin(
            subscriptions,
            and_(
                subscriptions.c.subscriber == these.c.subscriber,
                subscriptions.c.newsletter == issues.c.newsletter,
            ),
        )
        .outerjoin(suppressions, suppressions.c.address_hash == people.c.address_hash)
    )


BLOCKED = or_(
    subscriptions.c.status.is_distinct_from("active"), suppressions.c.address_hash.is_not(None)
).label("blocked")
"""Whether a person must not be mailed: suppressed, or not an active subscriber of the issue's newsletter."""


def _due(channel: str, now: datetime, limit: int) -> Select[*tuple[Any, ...]]:
    """Return the query for deliveries that are due, longest waiting first; other workers' are passed over."""
    by_channel = select(issues.c.number).where(issues.c.channel == channel)
    due = (
        select(deliveries)
        .where(OUTBOX, deliveries.c.due_at <= now, deliveries.c.issue.in_(by_channel))
        # By nothing else: PostgreSQL would sort a million that became due together to take five hundred.
        .order_by(deliveries.c.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .subquery("due")
    )
    return select(
        due,
        issues.c.id.label("issue_id"),
        issues.c.delivery_prefix,
        issues.c.channel,
        issues.c.created_at,
        people.c.id.label("subscriber_id"),
        people.c.email,
        people.c.name,
        BLOCKED,
    ).select_from(_with_people(due))


async def _held(connection: AsyncConnection, token: str, ids: Collection[str]) -> dict[str, Values]:
    """Return those of the deliveries that the token still holds, by id, locked until the commit."""
    asked = listed(connection, ids, Text)
    # The id says which delivery it is: the issue's prefix, then the person.
    named = (
        select(deliveries, asked.c.value.label("id"))
        .join(issues, issues.c.number == deliveries.c.issue)
        .join(people, people.c.number == deliveries.c.subscriber)
        .join(
            asked,
            and_(
                issues.c.delivery_prefix == func.substr(asked.c.value, 1, PREFIX),
                people.c.id == func.substr(asked.c.value, PREFIX + 1),
            ),
        )
        .where(deliveries.c.token == token)
        # In one order, so that two statements of one worker never wait for each other.
        .order_by(*KEY)
        .with_for_update(of=deliveries)
        .subquery("named")
    )
    query = select(named, people.c.address_hash, BLOCKED).select_from(_with_people(named))
    return {row["id"]: dict(row) for row in (await connection.execute(query)).mappings()}


def _doubted(now: datetime) -> Update:
    """Return the statement that puts attempts whose lease ran out in doubt.

    The token stays: should its worker come back with news before anybody else took the delivery, that news
    is worth more than the doubt.
    """
    over = and_(IN_DOUBT, deliveries.c.state == State.ATTEMPTING, deliveries.c.due_at <= now)
    return _skipping(over).values(state=State.UNCERTAIN, due_at=now, at=now, reply=LEASE_RAN_OUT)


def _skipping(which: ColumnElement[bool]) -> Update:
    """Return an update of these deliveries, but not of those that somebody is writing at this moment."""
    return _locked(which, skip_locked=True)


def _locked(which: ColumnElement[bool], *, skip_locked: bool = False) -> Update:
    """Return an update of these deliveries that locks them in one order (PostgreSQL)."""
    keys = select(*KEY).where(which).order_by(*KEY).with_for_update(skip_locked=skip_locked)
    return update(deliveries).where(tuple_(*KEY).in_(keys))
