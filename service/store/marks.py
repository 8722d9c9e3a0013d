"""Marks on SQLite, past SQLAlchemy (EDGE sqlite3): the two statements that every single message needs.

A message costs two marks, so what a mark costs decides how many people one machine can serve. These say the
same as `record_marks` in deliver.py says on PostgreSQL; the same tests hold both to it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from service.core.contracts import Mark
from service.core.model import DeliveryState as State
from service.store.columns import storable, to_millis

# The id says which delivery it is: the prefix, then the person.
KEY = """
    issue = (SELECT number FROM issues WHERE delivery_prefix = substr(:id, 1, 16))
    AND subscriber = (SELECT number FROM subscribers WHERE id = substr(:id, 17))
    AND token = :token
"""
STILL_OURS = f"{KEY} AND state <> 'uncertain' AND due_at > :at"
# Written as a look-up of one row each: NOT EXISTS over joins costs three times as much.
FREE = """
    (SELECT status FROM subscriptions
      WHERE subscriptions.subscriber = deliveries.subscriber
        AND newsletter = (SELECT newsletter FROM issues WHERE number = deliveries.issue)) IS 'active'
    AND (SELECT 1 FROM suppressions
          WHERE address_hash = (SELECT address_hash FROM subscribers WHERE number = deliveries.subscriber)
        ) IS NULL
"""
ATTEMPT = f"""
    UPDATE deliveries SET attempts = attempts + (state <> 'attempting'), state = 'attempting',
        at = :at, reply = ''
    WHERE {STILL_OURS} AND {FREE}
"""  # noqa: S608 - constants of this file
SUPPRESS = f"""
    UPDATE deliveries SET state = 'suppressed', due_at = NULL, token = NULL, at = :at
    WHERE {STILL_OURS}
"""  # noqa: S608 - as above
# A refusal before the attempt was marked was a try as well: back-off counts it.
OUTCOME = f"""
    UPDATE deliveries SET attempts = attempts + (state IN ('planned', 'deferred')), state = :state,
        due_at = :due_at, token = NULL, at = :at, reply = :reply
    WHERE {KEY}
"""  # noqa: S608 - as above
BAD_ADDRESS = """
    INSERT INTO suppressions (address_hash, reason, at)
    SELECT address_hash, :reply, :at FROM subscribers WHERE id = substr(:id, 17)
    ON CONFLICT DO NOTHING
"""


def write_marks(connection: sqlite3.Connection, token: str, marks: Sequence[Mark]) -> set[str]:
    """Write the marks in the open transaction; return the ids of the deliveries that the token still held."""
    written: set[str] = set()
    for mark in marks:
        values = {"id": mark.delivery_id, "token": token, "at": to_millis(mark.at)}
        if mark.state is State.ATTEMPTING:
            done = connection.execute(ATTEMPT, values).rowcount
            if not done:
                connection.execute(SUPPRESS, values)
        else:
            values |= {"state": mark.state.value, "due_at": _due_at(mark), "reply": storable(mark.reply)}
            done = connection.execute(OUTCOME, values).rowcount
            if done and mark.suppress:
                connection.execute(BAD_ADDRESS, values)
        if done:
            written.add(mark.delivery_id)
    return written


def _due_at(mark: Mark) -> int | None:
    if mark.state not in (State.DEFERRED, State.UNCERTAIN):
        return None
    if mark.next_attempt_at is not None:
        return to_millis(mark.next_attempt_at)
    return to_millis(mark.at) if mark.state is State.DEFERRED else None
