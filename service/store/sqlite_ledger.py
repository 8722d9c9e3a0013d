"""The ledger on SQLite, past SQLAlchemy (EDGE sqlite3): what every single message needs.

A message is taken once and marked twice, so what that costs decides how many people one machine can serve.
These statements say the same as those in postgres_ledger.py; the same tests hold both to it.
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
from service.store.columns import from_millis, storable, to_millis
from service.subscribers.ports import UNSUBSCRIBED_REASON

LEASE_RAN_OUT = "the worker that sent it was not heard of again"

# A look-up of one row each: a join, or NOT EXISTS over one, costs three times as much.
# Transactional mail needs no subscription, and goes to who unsubscribed from everything as well.
FREE = f"""
    (deliveries.transactional OR
     (SELECT status FROM subscriptions
       WHERE subscriptions.subscriber = deliveries.subscriber
         AND newsletter = (SELECT newsletter FROM issues WHERE number = deliveries.issue)) IS 'active')
    AND (SELECT 1 FROM suppressions
          WHERE address_hash = (SELECT address_hash FROM subscribers WHERE number = deliveries.subscriber)
            AND NOT (deliveries.transactional AND reason = '{UNSUBSCRIBED_REASON}')
        ) IS NULL
"""  # noqa: S608 - a constant
DOUBT = """
    UPDATE deliveries SET state = 'uncertain', doubts = doubts + 1, due_at = :now, at = :now, reply = :reply
    WHERE state IN ('attempting', 'uncertain') AND state = 'attempting' AND due_at <= :now
"""
DUE = f"""
    SELECT deliveries.issue, deliveries.subscriber, deliveries.attempts, deliveries.doubts, {FREE},
        issues.id, issues.delivery_prefix, issues.created_at,
        subscribers.id, subscribers.email, subscribers.name, deliveries.transactional
    FROM deliveries
    JOIN issues ON issues.number = deliveries.issue
    JOIN subscribers ON subscribers.number = deliveries.subscriber
    WHERE deliveries.state IN ('planned', 'deferred') AND deliveries.due_at <= :now
        AND deliveries.channel IS NULL AND issues.channel = :channel AND issues.paused_at IS NULL
    ORDER BY deliveries.due_at LIMIT :limit
"""  # noqa: S608 - constants of this file
# By the index of what goes by a channel of the subscriber's choice, which is almost always short.
DUE_PERSONAL = DUE.replace("deliveries.channel IS NULL AND issues.channel =", "deliveries.channel =", 1)
DUE_TRANSACTIONAL = DUE.replace("deliveries.state IN", "deliveries.transactional AND deliveries.state IN", 1)
LEASE = """
    INSERT INTO deliveries (issue, subscriber, state, attempts, due_at, token)
    SELECT m.column1, m.column2, 'planned', 0, ?1, ?2 FROM (VALUES {rows}) AS m WHERE true
    ON CONFLICT (issue, subscriber) DO UPDATE SET due_at = excluded.due_at, token = excluded.token
"""
BLOCK = """
    UPDATE deliveries SET state = 'suppressed', due_at = NULL, token = NULL, at = ?
    WHERE issue = ? AND subscriber = ?
"""

# All marks in one statement, as the leases above, because every statement takes the GIL anew. They are
# upserts of rows that exist, because there SQLite keeps to the order of CROSS JOIN: mark by mark, each by its
# keys. The id says which delivery it is: the issue's prefix, then the person.
MARKED = """
    INSERT INTO deliveries (issue, subscriber, at, state, attempts, due_at, reply)
    SELECT deliveries.issue, deliveries.subscriber, m.column3, m.column4, 0, m.column5, m.column6
    FROM (VALUES {rows}) AS m
    CROSS JOIN issues ON issues.delivery_prefix = m.column1
    CROSS JOIN subscribers ON subscribers.id = m.column2
    CROSS JOIN deliveries ON deliveries.issue = issues.number AND deliveries.subscriber = subscribers.number
    WHERE true
    ON CONFLICT (issue, subscriber) DO UPDATE SET
"""
COLUMNS = 6
STILL_OURS = "deliveries.token = ?1 AND deliveries.state <> 'uncertain' AND deliveries.due_at > excluded.at"
ATTEMPT = f"""
    {MARKED} attempts = attempts + (deliveries.state <> 'attempting'), state = 'attempting',
        at = excluded.at, reply = ''
    WHERE {STILL_OURS} AND {FREE}
"""
SUPPRESS = f"""
    {MARKED} state = 'suppressed', due_at = NULL, token = NULL, at = excluded.at
    WHERE {STILL_OURS}
"""
# A refusal before the attempt was marked was a try as well: back-off counts it.
OUTCOME = f"""
    {MARKED} attempts = attempts + (deliveries.state IN ('planned', 'deferred')),
        doubts = doubts + (excluded.state = 'uncertain' AND deliveries.state <> 'uncertain'),
        state = excluded.state, due_at = excluded.due_at, token = NULL, at = excluded.at,
        reply = excluded.reply
    WHERE deliveries.token = ?1
"""
BAD_ADDRESS = """
    INSERT INTO suppressions (address_hash, reason, at)
    SELECT address_hash, :reply, :at FROM subscribers WHERE id = :person
    ON CONFLICT DO NOTHING
"""
PREFIX_CHARACTERS = 16
"""So many characters of a delivery's id name the issue; the rest is the subscriber's id."""


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
    connection.execute(DOUBT, {"now": at, "reply": LEASE_RAN_OUT})
    values = {"now": at, "channel": channel, "limit": limit}
    # Go on while everybody found is suppressed: an empty batch says that nothing is due.
    first = DUE_PERSONAL if is_personal else DUE_TRANSACTIONAL
    while found := connection.execute(first, values).fetchall() or (
        [] if only_transactional or is_personal else connection.execute(DUE, values).fetchall()
    ):
        free = [row for row in found if row[4]]
        blocked = [row for row in found if not row[4]]
        if free:
            keys = chain.from_iterable((row[0], row[1]) for row in free)
            connection.execute(_for(LEASE, len(free), 2, first=3), [until, token, *keys])
        connection.executemany(BLOCK, [(at, row[0], row[1]) for row in blocked])
        suppressed += len(blocked)
        if free:
            return Batch(token, lease_until, tuple(_delivery(row, channel) for row in free), suppressed)
    return Batch(token, lease_until, (), suppressed)


def write_changes(connection: sqlite3.Connection, *, token: str, marks: Sequence[StateChange]) -> set[str]:
    """Write the marks in a transaction just begun; return the ids of the deliveries that the token held."""
    outcomes = [mark for mark in marks if mark.state is not State.ATTEMPTING]
    attempts = [mark for mark in marks if mark.state is State.ATTEMPTING]
    all_held = _written(connection, OUTCOME, token, outcomes) == len(outcomes) and _written(
        connection, ATTEMPT, token, attempts
    ) == len(attempts)
    if not all_held:
        # Somebody else holds one of them, or must not be mailed: one by one, to see which.
        connection.execute("ROLLBACK")
        connection.execute("BEGIN IMMEDIATE")
        marks = [mark for mark in marks if _written_alone(connection, token, mark)]
    for mark in marks:
        if mark.suppress:
            person = mark.delivery_id[PREFIX_CHARACTERS:]
            values = {"person": person, "reply": storable(mark.reply), "at": to_millis(mark.at)}
            connection.execute(BAD_ADDRESS, values)
    return {mark.delivery_id for mark in marks}


def _written_alone(connection: sqlite3.Connection, token: str, mark: StateChange) -> bool:
    if mark.state is not State.ATTEMPTING:
        return _written(connection, OUTCOME, token, [mark]) == 1
    if _written(connection, ATTEMPT, token, [mark]):
        return True
    _written(connection, SUPPRESS, token, [mark])
    return False


def _written(connection: sqlite3.Connection, statement: str, token: str, marks: Sequence[StateChange]) -> int:
    """Run the statement for the marks; return how many deliveries it changed."""
    values: list[object] = [token]
    for mark in marks:
        delivery_id = mark.delivery_id
        values += (
            *(delivery_id[:PREFIX_CHARACTERS], delivery_id[PREFIX_CHARACTERS:], to_millis(mark.at)),
            *(mark.state.value, due_at_after(mark), storable(mark.reply)),
        )
    return connection.execute(_for(statement, len(marks), COLUMNS, first=2), values).rowcount if marks else 0


@cache
def _for(statement: str, rows: int, columns: int, *, first: int) -> str:
    """Return the statement with room for so many rows, whose values are numbered from the first on."""
    places = (f"?{first + number}" for number in range(rows * columns))
    return statement.format(
        rows=", ".join(f"({', '.join(row)})" for row in zip(*[places] * columns, strict=True))
    )


def due_at_after(mark: StateChange) -> int | None:
    """Return from when the delivery may be taken up again (milliseconds), once its outcome is written."""
    if mark.state not in (State.DEFERRED, State.UNCERTAIN):
        return None
    if mark.next_attempt_at is not None:
        return to_millis(mark.next_attempt_at)
    return to_millis(mark.at) if mark.state is State.DEFERRED else None


def _delivery(row: Sequence[Any], channel: str) -> Delivery:
    _issue, _subscriber, attempts, doubts, _free, issue_id, prefix, created_at, person, email, name = row[:11]
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
    )
