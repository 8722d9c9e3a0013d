"""Partitions of the deliveries on PostgreSQL: a table for the issues of about a month.

A million subscribers have thirty million deliveries a month. Deleting them row by row writes as much as
sending did, and leaves the space to the vacuum; dropping their table does nothing for a single row. The name
of a partition ends with its first issue number. To open the next one, the sequence of issue numbers jumps to
its first number: an issue that is being recorded keeps the number, and the partition, that it got before.

SQLite has no partitions; the functions do nothing there.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from service.store.columns import to_millis
from service.store.connection import StoreConnection
from service.store.database import Database
from service.store.dialect import lock_groups

ISSUES_EACH = 1_000_000_000
"""Issue numbers of a partition: more than are ever used, so that no issue comes without a partition."""

MIN_AGE = timedelta(days=30)
"""How long issues go to one partition: each statement for a message looks into all partitions, and with 14
of them marks cost a tenth more than with one."""

LOCK_MILLISECONDS = 2_000  # senders wait as long at most; without the lock the next call tries again
IN_USE = ("55P03", "42P01")  # lock_not_available, undefined_table: another process dropped the partition

PARTITION = re.compile(r"deliveries_p(\d+)")
NAME_PATTERN = "deliveries_p*"
"""The names of the partitions, as pg_dump reads patterns."""

NAMES = text(
    "SELECT c.relname FROM pg_inherits JOIN pg_class AS c ON c.oid = inhrelid "
    "WHERE inhparent = 'deliveries'::regclass"
)
FIRST_ISSUE = text(
    "SELECT created_at FROM issues WHERE number >= :first AND number < :end ORDER BY number LIMIT 1"
)
CREATE = "CREATE TABLE deliveries_p{first} PARTITION OF deliveries FOR VALUES FROM ({first}) TO ({end})"
# A sequence is not rolled back: after a jump whose transaction failed, later numbers may have been given.
JUMP = text(
    "SELECT setval(issue_number, greatest(:first, nextval(issue_number)), false) "
    "FROM pg_get_serial_sequence('issues', 'number') AS issue_number"
)
# An issue without numbers in issue_books is not finished. Transactional mails have none: they are deleted
# row by row, soon after they were sent. An uncertain delivery waits for a person's decision.
KEPT = """
    SELECT EXISTS (
        SELECT FROM issues LEFT JOIN issue_books ON issue_books.issue = issues.number
         WHERE number >= :first AND number < :end
           AND (issues.created_at >= :before OR issue_books.issue IS NULL)
    ) OR EXISTS (SELECT FROM deliveries_p{first} WHERE state IN ('planned', 'deferred'))
      OR EXISTS (SELECT FROM deliveries_p{first} WHERE state IN ('attempting', 'uncertain'))
"""
COUNT = text(
    "SELECT coalesce(sum(sent + suppressed + refused + uncertain + cancelled), 0)::bigint FROM issue_books "
    "WHERE issue >= :first AND issue < :end"
)


def is_partition(table: str) -> bool:
    """Return whether this is the name of a partition."""
    return PARTITION.fullmatch(table) is not None


async def open_next(database: Database, now: datetime) -> bool:
    """Open a partition for the next issues if the last one is a month old; return whether it was opened.

    If the deliveries are in use for long, as during a backup, a later call opens it.
    """
    if database.on_sqlite:
        return False
    async with database.read() as connection:
        if await _due_first(connection, now) is None:
            return False
    with _unless_in_use():
        async with _locked(database) as connection:
            first = await _due_first(connection, now)  # None: another process opened it meanwhile
            if first is not None:
                await connection.execute(text(CREATE.format(first=first, end=first + ISSUES_EACH)))
                await connection.execute(JUMP, {"first": first})
                return True
    return False


async def drop_finished(database: Database, before: datetime) -> int:
    """Drop the partitions whose issues were all made before then and are finished; return the number of rows.

    A partition with a delivery that waits or whose outcome is unknown stays, and so does the last one.
    """
    if database.on_sqlite:
        return 0
    dropped = 0
    with _unless_in_use():
        async with database.read() as connection:
            firsts = await _firsts(connection)
            expired = [first for first in firsts[:-1] if not await _is_kept(connection, first, before)]
        for first in expired:
            dropped += await _drop(database, first, before)
    return dropped


async def _drop(database: Database, first: int, before: datetime) -> int:
    async with _locked(database) as connection:
        # Until now a delivery could be sent again.
        if await _is_kept(connection, first, before):
            return 0
        count = await connection.scalar(COUNT, {"first": first, "end": first + ISSUES_EACH})
        await connection.execute(text(f"DROP TABLE deliveries_p{first}"))
        return int(count or 0)


@asynccontextmanager
async def _locked(database: Database) -> AsyncIterator[StoreConnection]:
    """Yield a connection in a transaction that alone uses the deliveries."""
    async with database.write() as connection:
        await connection.execute(text(f"SET LOCAL lock_timeout = {LOCK_MILLISECONDS}"))
        await lock_groups(connection)
        await connection.execute(text("LOCK TABLE deliveries IN ACCESS EXCLUSIVE MODE"))
        yield connection


@contextmanager
def _unless_in_use() -> Iterator[None]:
    """End the block without an error if the lock was not free in time, or another process dropped first."""
    try:
        yield
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", "") not in IN_USE:
            raise


async def _due_first(connection: StoreConnection, now: datetime) -> int | None:
    """Return the first number of the partition to open; None if it is too early for one."""
    last = (await _firsts(connection))[-1]
    began = await connection.scalar(FIRST_ISSUE, {"first": last, "end": last + ISSUES_EACH})
    return None if began is None or began > to_millis(now - MIN_AGE) else last + ISSUES_EACH


async def _is_kept(connection: StoreConnection, first: int, before: datetime) -> bool:
    values = {"first": first, "end": first + ISSUES_EACH, "before": to_millis(before)}
    return bool(await connection.scalar(text(KEPT.format(first=first)), values))


async def _firsts(connection: StoreConnection) -> list[int]:
    """Return the first issue number of each partition, in order."""
    names = (await connection.scalars(NAMES)).all()
    return sorted(int(found[1]) for name in names if (found := PARTITION.fullmatch(name)))
