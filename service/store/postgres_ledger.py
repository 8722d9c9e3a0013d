"""The ledger's statements for each message on PostgreSQL, without SQLAlchemy (EDGE asyncpg).

sqlite_ledger.py has the same statements for SQLite; the same tests check both. Each statement is one round
trip for a whole batch or commit. Rows that another worker has locked are skipped, so no worker waits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from service.core.model import Batch, Delivery
from service.core.model import DeliveryState as State
from service.deliver.ports import StateChange
from service.store import webhook_events
from service.store.columns import from_millis, storable, to_millis
from service.store.sqlite_ledger import LEASE_ENDED, due_at_after
from service.subscribers.ports import UNSUBSCRIBED_REASON

Connection = Any
"""An asyncpg connection in a transaction; asyncpg ships no types, and is an optional extra."""

# Cheap because each subscriber is looked up for the found deliveries only.
MAILABLE = f"""
    (issues.edition_key = '' OR
     EXISTS (SELECT FROM subscriptions
              WHERE subscriptions.subscriber = people.number AND subscriptions.newsletter = issues.newsletter
                AND subscriptions.status = 'active'))
    AND NOT EXISTS (SELECT FROM suppressions WHERE suppressions.address_hash = people.address_hash
                     AND NOT (issues.edition_key = '' AND suppressions.reason = '{UNSUBSCRIBED_REASON}'))
"""  # noqa: S608 - constants of this file
EXPIRE_LEASES = """
    UPDATE deliveries SET state = 'uncertain', doubts = doubts + 1, due_at = $1, at = $1, reply = $2
    WHERE (issue, subscriber) IN (
        SELECT issue, subscriber FROM deliveries
        WHERE state IN ('attempting', 'uncertain') AND state = 'attempting' AND due_at <= $1
        FOR UPDATE SKIP LOCKED)
"""
TAKE = f"""
    WITH due AS MATERIALIZED (
        SELECT issue, subscriber FROM deliveries
        WHERE state IN ('planned', 'deferred') AND due_at <= $1
            AND deliveries.channel IS NULL
            AND (SELECT channel FROM issues WHERE number = issue AND paused_at IS NULL) = $2
        -- No further sort key: it would sort a million deliveries with the same due time to take 500.
        ORDER BY due_at LIMIT $3 FOR UPDATE SKIP LOCKED
    ), found AS MATERIALIZED (
        SELECT due.*, issues.id AS issue_id, delivery_prefix, created_at, people.id AS person, email, name,
            {MAILABLE} AS mailable
        FROM due
        JOIN issues ON issues.number = due.issue
        JOIN subscribers AS people ON people.number = due.subscriber
    )
    UPDATE deliveries
    SET state = CASE WHEN mailable THEN state ELSE 'suppressed' END,
        due_at = CASE WHEN mailable THEN $4::bigint END,
        token = CASE WHEN mailable THEN $5 END,
        at = CASE WHEN mailable THEN at ELSE $1 END
    FROM found
    WHERE deliveries.issue = found.issue AND deliveries.subscriber = found.subscriber
    RETURNING found.*, attempts, doubts, transactional
"""  # noqa: S608 - constants of this file
# By the index of what goes by a channel of the subscriber's choice, which is almost always short.
TAKE_PERSONAL = TAKE.replace(
    """deliveries.channel IS NULL
            AND (SELECT channel FROM issues WHERE number = issue AND paused_at IS NULL) = $2""",
    "deliveries.channel = $2 AND EXISTS (SELECT FROM issues WHERE number = issue AND paused_at IS NULL)",
    1,
)
TAKE_TRANSACTIONAL = TAKE.replace("state IN ('planned'", "transactional AND state IN ('planned'", 1)

CHANGES = "unnest($4::bigint[], $5::bigint[], $6::bigint[], $7::text[], $8::bigint[], $9::text[])"
CHANGE_COLUMNS = "(issue, subscriber, at, state, due_at, reply)"
# BETWEEN lets PostgreSQL leave out the other partitions before it starts. "IS TRUE" prevents the use of the
# index of tokens, which would read the whole batch for each change.
STILL_LEASED = """
    deliveries.issue = changed.issue AND deliveries.subscriber = changed.subscriber
    AND deliveries.issue BETWEEN $2 AND $3 AND (deliveries.token = $1) IS TRUE
"""
ATTEMPT = f"""
    WITH changed AS MATERIALIZED (
        SELECT change.*, {MAILABLE} AS mailable
        FROM {CHANGES} AS change {CHANGE_COLUMNS}
        JOIN issues ON issues.number = change.issue
        JOIN subscribers AS people ON people.number = change.subscriber
    )
    UPDATE deliveries
    SET attempts = attempts + (mailable AND deliveries.state <> 'attempting')::int,
        state = CASE WHEN mailable THEN 'attempting' ELSE 'suppressed' END,
        due_at = CASE WHEN mailable THEN deliveries.due_at END,
        token = CASE WHEN mailable THEN token END,
        at = changed.at, reply = ''
    FROM changed
    WHERE {STILL_LEASED} AND deliveries.state <> 'uncertain' AND deliveries.due_at > changed.at
    RETURNING deliveries.issue, deliveries.subscriber, mailable
"""  # noqa: S608 - constants of this file
# A refusal before the attempt was recorded is an attempt as well, because the back-off counts attempts.
OUTCOME = f"""
    UPDATE deliveries
    SET attempts = attempts + (deliveries.state IN ('planned', 'deferred'))::int,
        doubts = doubts + (changed.state = 'uncertain' AND deliveries.state <> 'uncertain')::int,
        state = changed.state, due_at = changed.due_at, token = NULL, at = changed.at, reply = changed.reply
    FROM {CHANGES} AS changed {CHANGE_COLUMNS}
    WHERE {STILL_LEASED}
    RETURNING deliveries.issue, deliveries.subscriber, TRUE AS mailable
"""  # noqa: S608 - constants of this file
SUPPRESS_ADDRESS = """
    INSERT INTO suppressions (address_hash, reason, at)
    SELECT address_hash, $2, $3 FROM subscribers WHERE number = $1
    ON CONFLICT DO NOTHING
"""


async def take(
    connection: Connection,
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
    await connection.execute(EXPIRE_LEASES, at, LEASE_ENDED)
    # Repeat while all found deliveries are suppressed: an empty batch means that no delivery is due.
    values = (at, channel, limit, until, token)
    take_first = TAKE_PERSONAL if is_personal else TAKE_TRANSACTIONAL
    while found := await connection.fetch(take_first, *values) or (
        [] if only_transactional or is_personal else await connection.fetch(TAKE, *values)
    ):
        mailable = tuple(_delivery(row, channel) for row in found if row["mailable"])
        suppressed += len(found) - len(mailable)
        if mailable:
            return Batch(token, lease_until, mailable, suppressed)
    return Batch(token, lease_until, (), suppressed)


async def write_changes(connection: Connection, *, token: str, changes: Sequence[StateChange]) -> set[str]:
    """Write the changes in the open transaction; return the ids of the deliveries that the token leases."""
    written: set[str] = set()
    for statement, some in _statements(changes):
        columns = list(map(list, zip(*map(_values, some), strict=True)))
        issues = columns[0]
        done = await connection.fetch(statement, token, min(issues), max(issues), *columns)
        rows = {(row["issue"], row["subscriber"]) for row in done if row["mailable"]}
        for change in some:
            if change.delivery.row in rows:
                written.add(change.delivery_id)
                await _write_consequences(connection, change)
    return written


def _values(change: StateChange) -> tuple[int | str | None, ...]:
    """Return the values of CHANGE_COLUMNS."""
    at, reply = to_millis(change.at), storable(change.reply)
    return *change.delivery.row, at, change.state.value, due_at_after(change), reply


async def _write_consequences(connection: Connection, change: StateChange) -> None:
    """Plan the webhook messages of a refusal, and suppress the address where the change says so."""
    if change.state is State.REFUSED:
        values = webhook_events.refused_values(change)
        await connection.execute(webhook_events.PLAN_REFUSED_POSTGRES, *values)
    if change.suppress:
        reply, at = storable(change.reply), to_millis(change.at)
        await connection.execute(SUPPRESS_ADDRESS, change.delivery.row[1], reply, at)


def _statements(changes: Sequence[StateChange]) -> list[tuple[str, list[StateChange]]]:
    """Return statements with their changes, in order; one statement changes a delivery at most once."""
    steps: list[tuple[str, list[StateChange]]] = []
    places: dict[str, int] = {}
    for change in changes:
        statement = ATTEMPT if change.state is State.ATTEMPTING else OUTCOME
        after = places.get(change.delivery_id, -1) + 1
        step = next((n for n in range(after, len(steps)) if steps[n][0] is statement), len(steps))
        if step == len(steps):
            steps.append((statement, []))
        steps[step][1].append(change)
        places[change.delivery_id] = step
    return steps


def _delivery(row: Mapping[str, Any], channel: str) -> Delivery:
    return Delivery(
        id=row["delivery_prefix"] + row["person"],
        issue_id=row["issue_id"],
        subscriber_id=row["person"],
        channel=channel,
        address=row["email"],
        name=row["name"],
        attempts=row["attempts"],
        uncertain_attempts=row["doubts"],
        planned_at=from_millis(row["created_at"]),
        transactional=row["transactional"],
        row=(row["issue"], row["subscriber"]),
    )
