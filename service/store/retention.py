"""Retention: deletes old rows about people, a limited number in each transaction.

The numbers of an issue stay in `issue_books`, so its books still add up. An issue with a delivery of unknown
outcome keeps its rows: a person may still settle it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, exists, select

from service.core.model import DeliveryState as State
from service.store.database import Database
from service.store.dialect import is_in, lock_groups
from service.store.partitions import drop_finished
from service.store.schema import bounces, deliveries, issue_books

MAX_ROWS = 5_000  # in one transaction, so that other writers do not wait long
MAX_ISSUES = 50  # looked at in one transaction

UNFINISHED = (State.PLANNED, State.ATTEMPTING, State.DEFERRED, State.UNCERTAIN)


@dataclass(frozen=True, slots=True)
class Retention:
    """Deletes from the tables deliveries and bounces."""

    database: Database

    async def delete_deliveries(self, before: datetime) -> int:
        """Delete deliveries of finished issues from before then; return how many.

        A call drops expired partitions (PostgreSQL), or deletes MAX_ROWS rows at most.
        """
        if dropped := await drop_finished(self.database, before):
            return dropped
        has_rows = exists().where(deliveries.c.issue == issue_books.c.issue)
        finished = (
            select(issue_books.c.issue)
            .where(issue_books.c.created_at < before, issue_books.c.uncertain == 0, has_rows)
            .order_by(issue_books.c.created_at)
            .limit(MAX_ISSUES)
        )
        async with self.database.write() as connection:
            await lock_groups(connection)
            deleted = 0
            for number in (await connection.scalars(finished)).all():
                theirs = select(deliveries.c.subscriber).where(
                    deliveries.c.issue == number, deliveries.c.state.not_in(UNFINISHED)
                )
                people = (await connection.scalars(theirs.limit(MAX_ROWS - deleted))).all()
                which = (deliveries.c.issue == number, is_in(connection, deliveries.c.subscriber, people))
                deleted += (await connection.execute(delete(deliveries).where(*which))).rowcount
                if deleted >= MAX_ROWS:
                    break
            return deleted

    async def delete_bounces(self, before: datetime) -> int:
        """Delete bounces from before then; return how many."""
        async with self.database.write() as connection:
            return (await connection.execute(delete(bounces).where(bounces.c.at < before))).rowcount
