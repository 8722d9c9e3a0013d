"""The ledger on PostgreSQL, past SQLAlchemy (EDGE asyncpg): what every single message needs.

The same statements as in sqlite_ledger.py, each of which is one round trip for a whole batch or commit; the
same tests hold both to the contract. Rows that another worker is writing are passed over, so nobody waits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from service.core.model import Batch, Delivery
from service.core.model import DeliveryState as State
from service.deliver.ports import StateChange
from service.store.columns import from_millis, storable, to_millis
from service.store.sqlite_ledger import LEASE_RAN_OUT, PREFIX_CHARACTERS, due_at_after
from service.subscribers.ports import UNSUBSCRIBED_REASON

Connection = Any
"""An asyncpg connection in a transaction; asyncpg ships no types, and is an optional extra."""

# One after the other is what makes it cheap: a person is looked up where the delivery was found.
FREE = f"""
    (issues.edition_key = '' OR
     EXISTS (SELECT FROM subscriptions
              WHERE subscriptions.subscriber = people.number AND subscriptions.newsletter = issues.newsletter
                AND subscriptions.status = 'active'))
    AND NOT EXISTS (SELECT FROM suppressions WHERE suppressions.address_hash = people.address_hash
                     AND NOT (issues.edition_key = '' AND suppressions.reason = '{UNSUBSCRIBED_REASON}'))
"""  # noqa: S608 - a constant
DOUBT = """
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
        -- By nothing else: a million that became due together would be sorted to take five hundred.
        ORDER BY due_at LIMIT $3 FOR UPDATE SKIP LOCKED
    ), found AS MATERIALIZED (
        SELECT due.*, issues.id AS issue_id, delivery_prefix, created_at, people.id AS person, email, name,
            {FREE} AS free
        FROM due
        JOIN issues ON issues.number = due.issue
        JOIN subscribers AS people ON people.number = due.subscriber
    )
    UPDATE deliveries
    SET state = CASE WHEN free THEN state ELSE 'suppressed' END,
        due_at = CASE WHEN free THEN $4::bigint END,
        token = CASE WHEN free THEN $5 END,
        at = CASE WHEN free THEN at ELSE $1 END
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

# The id says which delivery it is: the issue's prefix, then the person.
MARKED = f"""
    WITH marked AS MATERIALIZED (
        SELECT mark.*, issues.number AS issue, people.number AS subscriber, {FREE} AS free
        FROM unnest($2::text[], $3::text[], $4::bigint[], $5::text[], $6::bigint[], $7::text[])
            AS mark (prefix, person, at, state, due_at, reply)
        JOIN issues ON issues.delivery_prefix = mark.prefix
        JOIN subscribers AS people ON people.id = mark.person
    )
"""  # noqa: S608 - as above
# "IS TRUE" keeps the planner from the index of tokens: it would read the whole batch again for every mark.
OURS = """
    deliveries.issue = marked.issue AND deliveries.subscriber = marked.subscriber
    AND (deliveries.token = $1) IS TRUE
"""
ATTEMPT = f"""
    {MARKED}
    UPDATE deliveries
    SET attempts = attempts + (free AND deliveries.state <> 'attempting')::int,
        state = CASE WHEN free THEN 'attempting' ELSE 'suppressed' END,
        due_at = CASE WHEN free THEN deliveries.due_at END,
        token = CASE WHEN free THEN token END,
        at = marked.at, reply = ''
    FROM marked
    WHERE {OURS} AND deliveries.state <> 'uncertain' AND deliveries.due_at > marked.at
    RETURNING prefix || person AS id, free
"""  # noqa: S608 - as above
# A refusal before the attempt was marked was a try as well: back-off counts it.
OUTCOME = f"""
    {MARKED}
    UPDATE deliveries
    SET attempts = attempts + (deliveries.state IN ('planned', 'deferred'))::int,
        doubts = doubts + (marked.state = 'uncertain' AND deliveries.state <> 'uncertain')::int,
        state = marked.state, due_at = marked.due_at, token = NULL, at = marked.at, reply = marked.reply
    FROM marked
    WHERE {OURS}
    RETURNING prefix || person AS id, TRUE AS free
"""  # noqa: S608 - as above
BAD_ADDRESS = """
    INSERT INTO suppressions (address_hash, reason, at)
    SELECT address_hash, $2, $3 FROM subscribers WHERE id = $1
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
    await connection.execute(DOUBT, at, LEASE_RAN_OUT)
    # Go on while everybody found is suppressed: an empty batch says that nothing is due.
    values = (at, channel, limit, until, token)
    take_first = TAKE_PERSONAL if is_personal else TAKE_TRANSACTIONAL
    while found := await connection.fetch(take_first, *values) or (
        [] if only_transactional or is_personal else await connection.fetch(TAKE, *values)
    ):
        free = tuple(_delivery(row, channel) for row in found if row["free"])
        suppressed += len(found) - len(free)
        if free:
            return Batch(token, lease_until, free, suppressed)
    return Batch(token, lease_until, (), suppressed)


async def write_changes(connection: Connection, *, token: str, marks: Sequence[StateChange]) -> set[str]:
    """Write the marks in the open transaction; return the ids of the deliveries that the token still held."""
    written: set[str] = set()
    for statement, some in _steps(marks):
        rows = [
            (
                mark.delivery_id[:PREFIX_CHARACTERS],
                mark.delivery_id[PREFIX_CHARACTERS:],
                to_millis(mark.at),
                mark.state.value,
                due_at_after(mark),
                storable(mark.reply),
            )
            for mark in some
        ]
        done = await connection.fetch(statement, token, *map(list, zip(*rows, strict=True)))
        ids = {row["id"] for row in done if row["free"]}
        written |= ids
        for mark in some:
            if mark.suppress and mark.delivery_id in ids:
                person, reply = mark.delivery_id[PREFIX_CHARACTERS:], storable(mark.reply)
                await connection.execute(BAD_ADDRESS, person, reply, to_millis(mark.at))
    return written


def _steps(marks: Sequence[StateChange]) -> list[tuple[str, list[StateChange]]]:
    """Return the marks as statements with theirs, in order; a statement marks a delivery once."""
    steps: list[tuple[str, list[StateChange]]] = []
    places: dict[str, int] = {}
    for mark in marks:
        statement = ATTEMPT if mark.state is State.ATTEMPTING else OUTCOME
        after = places.get(mark.delivery_id, -1) + 1
        step = next((n for n in range(after, len(steps)) if steps[n][0] is statement), len(steps))
        if step == len(steps):
            steps.append((statement, []))
        steps[step][1].append(mark)
        places[mark.delivery_id] = step
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
    )
