"""The ledger's statements for each message on SQLite, without SQLAlchemy (EDGE sqlite3).

Each message is taken once and changes its state twice, so these statements limit the sending rate of a
machine. postgres_ledger.py has the same statements for PostgreSQL; the same tests check both.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from itertools import chain
from typing import Any

from service.core.model import Batch, Delivery
from service.core.model import DeliveryState as State
from service.deliver.ports import StateChange
from service.store import webhook_events
from service.store.columns import from_millis, storable, to_millis
from service.subscribers.ports import UNSUBSCRIBED_REASON

LEASE_ENDED = "the worker stopped before it reported an outcome"

# Scalar subqueries of one row each: a join, or NOT EXISTS with a join, costs three times as much.
# Transactional mail needs no subscription, and is also sent to a person who unsubscribed from everything.
MAILABLE = f"""
    (deliveries.transactional OR
     (SELECT status FROM subscriptions
       WHERE subscriptions.subscriber = deliveries.subscriber
         AND newsletter = (SELECT newsletter FROM issues WHERE number = deliveries.issue)) IS 'active')
    AND (SELECT 1 FROM suppressions
          WHERE address_hash = (SELECT address_hash FROM subscribers WHERE number = deliveries.subscriber)
            AND NOT (deliveries.transactional AND reason = '{UNSUBSCRIBED_REASON}')
        ) IS NULL
"""  # noqa: S608 - constants of this file
EXPIRE_LEASES = """
    UPDATE deliveries SET state = 'uncertain', doubts = doubts + 1, due_at = :now, at = :now, reply = :reply
    WHERE state IN ('attempting', 'uncertain') AND state = 'attempting' AND due_at <= :now
"""
DUE = f"""
    SELECT deliveries.issue, deliveries.subscriber, deliveries.attempts, deliveries.doubts, {MAILABLE},
        issues.id, issues.delivery_prefix, issues.created_at,
        subscribers.id, subscribers.email, subscribers.name, deliveries.transactional
    FROM deliveries
    JOIN issues ON issues.number = deliveries.issue
    JOIN subscribers ON subscribers.number = deliveries.subscriber
    WHERE deliveries.state IN ('planned', 'deferred') AND deliveries.due_at <= :now
        AND deliveries.channel IS NULL AND issues.channel = :channel AND issues.paused_at IS NULL
    ORDER BY deliveries.due_at LIMIT :limit
"""  # noqa: S608 - constants of this file
# By the index of deliveries by a subscriber's own channel, which are few.
DUE_PERSONAL = DUE.replace("deliveries.channel IS NULL AND issues.channel =", "deliveries.channel =", 1)
DUE_TRANSACTIONAL = DUE.replace("deliveries.state IN", "deliveries.transactional AND deliveries.state IN", 1)
LEASE = """
    INSERT INTO deliveries (issue, subscriber, state, attempts, due_at, token)
    SELECT m.column1, m.column2, 'planned', 0, ?1, ?2 FROM (VALUES {rows}) AS m WHERE true
    ON CONFLICT (issue, subscriber) DO UPDATE SET due_at = excluded.due_at, token = excluded.token
"""
SUPPRESS_DUE = """
    UPDATE deliveries SET state = 'suppressed', due_at = NULL, token = NULL, at = ?
    WHERE issue = ? AND subscriber = ?
"""

# One statement for all changes, as for the leases, because each statement acquires the GIL. The statements
# are upserts of existing rows, because SQLite keeps the order of CROSS JOIN there: change by change, each by
# its key.
CHANGED = """
    INSERT INTO deliveries (issue, subscriber, at, state, attempts, due_at, reply)
    SELECT deliveries.issue, deliveries.subscriber, m.column3, m.column4, 0, m.column5, m.column6
    FROM (VALUES {rows}) AS m
    CROSS JOIN deliveries ON deliveries.issue = m.column1 AND deliveries.subscriber = m.column2
    WHERE true
    ON CONFLICT (issue, subscriber) DO UPDATE SET
"""
CHANGE_COLUMNS = 6
STILL_LEASED = "deliveries.token = ?1 AND deliveries.state <> 'uncertain' AND deliveries.due_at > excluded.at"
ATTEMPT = f"""
    {CHANGED} attempts = attempts + (deliveries.state <> 'attempting'), state = 'attempting',
        at = excluded.at, reply = ''
    WHERE {STILL_LEASED} AND {MAILABLE}
"""
SUPPRESS = f"""
    {CHANGED} state = 'suppressed', due_at = NULL, token = NULL, at = excluded.at
    WHERE {STILL_LEASED}
"""
# A refusal before the attempt was recorded is an attempt as well, because the back-off counts attempts.
OUTCOME = f"""
    {CHANGED} attempts = attempts + (deliveries.state IN ('planned', 'deferred')),
        doubts = doubts + (excluded.state = 'uncertain' AND deliveries.state <> 'uncertain'),
        state = excluded.state, due_at = excluded.due_at, token = NULL, at = excluded.at,
        reply = excluded.reply
    WHERE deliveries.token = ?1
"""
SUPPRESS_ADDRESS = """
    INSERT INTO suppressions (address_hash, reason, at)
    SELECT address_hash, ?, ? FROM subscribers WHERE number = ?
    ON CONFLICT DO NOTHING
"""
PREFIX_CHARACTERS = 16
"""Length of the issue's part in a delivery's id; the rest is the subscriber's id."""


def take(
    connection: sqlite3.Connection,
    *,
    channel: str,
    token: str,
    now: datetime,
    lease_until: datetime,
    limit: int,
    only_transactional: bool,
    is_personal: bool,
) -> Batch:
    """Lease up to `limit` due deliveries in the open transaction, as DeliverStore.take_batch says."""
    at, until, suppressed = to_millis(now), to_millis(lease_until), 0
    connection.execute(EXPIRE_LEASES, {"now": at, "reply": LEASE_ENDED})
    values = {"now": at, "channel": channel, "limit": limit}
    # Repeat while all found deliveries are suppressed: an empty batch means that no delivery is due.
    first = DUE_PERSONAL if is_personal else DUE_TRANSACTIONAL
    while found := connection.execute(first, values).fetchall() or (
        [] if only_transactional or is_personal else connection.execute(DUE, values).fetchall()
    ):
        mailable = [row for row in found if row[4]]
        blocked = [row for row in found if not row[4]]
        if mailable:
            keys = chain.from_iterable((row[0], row[1]) for row in mailable)
            connection.execute(_for(LEASE, len(mailable), 2, first=3), [until, token, *keys])
        connection.executemany(SUPPRESS_DUE, [(at, row[0], row[1]) for row in blocked])
        suppressed += len(blocked)
        if mailable:
            return Batch(token, lease_until, tuple(_delivery(row, channel) for row in mailable), suppressed)
    return Batch(token, lease_until, (), suppressed)


def write_changes(connection: sqlite3.Connection, *, token: str, changes: Sequence[StateChange]) -> set[str]:
    """Write the changes of deliveries that the token leases; return the ids of these deliveries.

    The open transaction has no other statements, because it may be rolled back and started again.
    """
    outcomes = [change for change in changes if change.state is not State.ATTEMPTING]
    attempts = [change for change in changes if change.state is State.ATTEMPTING]
    all_held = _written(connection, OUTCOME, token, outcomes) == len(outcomes) and _written(
        connection, ATTEMPT, token, attempts
    ) == len(attempts)
    if not all_held:
        # Another worker has one of them, or one is suppressed: find out which, one by one.
        connection.execute("ROLLBACK")
        connection.execute("BEGIN IMMEDIATE")
        changes = [change for change in changes if _written_one(connection, token, change)]
    for change in changes:
        if change.state is State.REFUSED:
            connection.execute(webhook_events.PLAN_REFUSED_SQLITE, webhook_events.refused_values(change))
        if change.suppress:
            values = (storable(change.reply), to_millis(change.at), change.delivery.row[1])
            connection.execute(SUPPRESS_ADDRESS, values)
    return {change.delivery_id for change in changes}


def _written_one(connection: sqlite3.Connection, token: str, change: StateChange) -> bool:
    if change.state is not State.ATTEMPTING:
        return _written(connection, OUTCOME, token, [change]) == 1
    if _written(connection, ATTEMPT, token, [change]):
        return True
    _written(connection, SUPPRESS, token, [change])
    return False


def _written(
    connection: sqlite3.Connection, statement: str, token: str, changes: Sequence[StateChange]
) -> int:
    """Run the statement for these changes; return how many deliveries it changed."""
    values: list[object] = [token]
    for change in changes:
        values += change.delivery.row
        values += to_millis(change.at), change.state.value, due_at_after(change), storable(change.reply)
    if not changes:
        return 0
    return connection.execute(_for(statement, len(changes), CHANGE_COLUMNS, first=2), values).rowcount


@cache
def _for(statement: str, rows: int, columns: int, *, first: int) -> str:
    """Return the statement with placeholders for `rows` rows, numbered from `first`."""
    places = (f"?{first + number}" for number in range(rows * columns))
    return statement.format(
        rows=", ".join(f"({', '.join(row)})" for row in zip(*[places] * columns, strict=True))
    )


def due_at_after(change: StateChange) -> int | None:
    """Return the time of the next attempt after this change, in UTC milliseconds; None: no attempt."""
    if change.state not in (State.DEFERRED, State.UNCERTAIN):
        return None
    if change.next_attempt_at is not None:
        return to_millis(change.next_attempt_at)
    return to_millis(change.at) if change.state is State.DEFERRED else None


def _delivery(row: Sequence[Any], channel: str) -> Delivery:
    issue, subscriber, attempts, doubts, _free, issue_id, prefix, created_at, person, email, name = row[:11]
    return Delivery(
        id=prefix + person,
        issue_id=issue_id,
        subscriber_id=person,
        channel=channel,
        address=email,
        name=name,
        attempts=attempts,
        uncertain_attempts=doubts,
        planned_at=from_millis(created_at),
        transactional=bool(row[11]),
        row=(issue, subscriber),
    )
