"""Partitions of the deliveries on PostgreSQL: opened each month, and dropped when all in them has expired."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select, text

from service.core.model import DeliveryState as State
from service.core.model import Issue
from service.store import partitions
from service.store.backups.backup import back_up, no_page_progress
from service.store.database import Database
from service.store.issue_books import IssueBooks
from service.store.partitions import ISSUES_EACH, drop_finished, open_next
from service.store.retention import Retention
from service.store.schema import deliveries, issues
from tests.builders import NOON
from tests.store.restored import restored
from tests.store.stores import DAY, Stores, an_issue

MONTH = timedelta(days=31)


@pytest.fixture
async def stores(postgres_url: str) -> AsyncIterator[Stores]:
    database = await Database.open(postgres_url)
    yield Stores(database)
    await database.close()


async def planned(stores: Stores, *names: str, at: datetime = NOON) -> Issue:
    """Plan an issue, made at this time, for these people."""
    await stores.subscribe(*names)
    group = await stores.due_group(at)
    issue = replace(an_issue(group, occurrence=at.isoformat()), created_at=at)
    assert await stores.compose.record_issue(group, issue, at + DAY, "file") == len(names)
    return issue


async def send_all(stores: Stores, at: datetime = NOON, last: State = State.SENT) -> int:
    """Send what is due, and let the last mail end in this state; return how many were due."""
    batch = await stores.take_batch("worker", at)
    await stores.record_state("worker", batch.deliveries, State.ATTEMPTING, at)
    await stores.record_state("worker", batch.deliveries[:-1], State.SENT, at)
    await stores.record_state("worker", batch.deliveries[-1:], last, at)
    await IssueBooks(stores.database).store_finished()
    return len(batch.deliveries)


async def rows_by_partition(stores: Stores) -> dict[str, int]:
    query = text("SELECT tableoid::regclass::text, count(*) FROM deliveries GROUP BY 1")
    async with stores.database.read() as connection:
        return {row[0]: row[1] for row in (await connection.execute(query)).all()}


async def test_issues_of_the_next_month_go_to_a_partition_of_their_own(stores):
    await planned(stores, "amina", "ben")
    assert not await open_next(stores.database, NOON + DAY)
    assert await open_next(stores.database, NOON + MONTH)
    assert not await open_next(stores.database, NOON + MONTH)
    await planned(stores, "amina", "ben", at=NOON + MONTH)
    assert await rows_by_partition(stores) == {"deliveries_p0": 2, f"deliveries_p{ISSUES_EACH}": 2}


async def test_a_service_without_issues_opens_no_partition(stores):
    assert not await open_next(stores.database, NOON + MONTH)


async def test_deliveries_of_two_partitions_are_sent_in_one_batch(stores):
    first = await planned(stores, "amina", "ben")
    await open_next(stores.database, NOON + MONTH)
    second = await planned(stores, "amina", "ben", at=NOON + MONTH)
    assert await send_all(stores, NOON + MONTH) == 4
    for issue in (first, second):
        assert await stores.states(issue) == {"amina": "sent", "ben": "sent"}


async def test_a_partition_is_dropped_when_all_its_issues_have_expired(stores):
    issue = await planned(stores, "amina", "ben", "chloe")
    await send_all(stores)
    await open_next(stores.database, NOON + MONTH)
    await planned(stores, "amina", at=NOON + MONTH)
    assert await Retention(stores.database).delete_deliveries(NOON + DAY) == 3
    assert await rows_by_partition(stores) == {f"deliveries_p{ISSUES_EACH}": 1}
    [details] = await stores.queries.issues_by_prefix(issue.id)
    assert (details.books.due, details.books.sent, details.books.closed) == (3, 3, True)


@pytest.mark.parametrize("last", [State.UNCERTAIN, State.ATTEMPTING, State.DEFERRED])
async def test_a_partition_with_a_delivery_that_is_not_finished_stays(stores, last):
    await planned(stores, "amina", "ben")
    await send_all(stores, last=last)
    await open_next(stores.database, NOON + MONTH)
    assert await drop_finished(stores.database, NOON + MONTH) == 0
    assert await rows_by_partition(stores) == {"deliveries_p0": 2}


async def test_a_partition_with_an_issue_that_has_not_expired_stays(stores):
    await planned(stores, "amina", "ben")
    await send_all(stores)
    await planned(stores, "amina", "ben", at=NOON + 2 * DAY)
    await send_all(stores, NOON + 2 * DAY)
    await open_next(stores.database, NOON + MONTH)
    assert await drop_finished(stores.database, NOON + DAY) == 0
    assert await rows_by_partition(stores) == {"deliveries_p0": 4}


async def test_the_last_partition_is_never_dropped(stores):
    await planned(stores, "amina")
    await send_all(stores)
    assert await drop_finished(stores.database, NOON + MONTH) == 0
    # Retention deletes its rows one by one.
    assert await Retention(stores.database).delete_deliveries(NOON + MONTH) == 1


async def test_a_partition_in_use_is_dropped_later(stores, monkeypatch):
    monkeypatch.setattr(partitions, "LOCK_MILLISECONDS", 1)
    await planned(stores, "amina")
    await send_all(stores)
    await open_next(stores.database, NOON + MONTH)
    async with stores.database.read() as sender:
        await sender.execute(select(deliveries))
        assert await drop_finished(stores.database, NOON + DAY) == 0
    assert await drop_finished(stores.database, NOON + DAY) == 1


async def test_a_partition_is_opened_later_while_a_backup_reads_and_nobody_waits_for_it(stores, monkeypatch):
    monkeypatch.setattr(partitions, "LOCK_MILLISECONDS", 1)
    await planned(stores, "amina")
    async with stores.database.read() as backup:
        await backup.execute(select(deliveries))
        assert not await open_next(stores.database, NOON + MONTH)
        assert await send_all(stores) == 1
    assert await open_next(stores.database, NOON + MONTH)


async def test_a_number_given_after_a_jump_that_failed_is_not_given_again(stores):
    await planned(stores, "amina")
    jumped = text("SELECT setval(pg_get_serial_sequence('issues', 'number'), :last)")
    async with stores.database.write() as connection:
        await connection.execute(jumped, {"last": ISSUES_EACH + 7})
    assert await open_next(stores.database, NOON + MONTH)
    await planned(stores, "amina", at=NOON + MONTH)
    async with stores.database.read() as connection:
        assert await connection.scalar(select(func.max(issues.c.number))) == ISSUES_EACH + 8


async def test_processes_that_drop_and_open_at_the_same_time_do_it_once(stores):
    await planned(stores, "amina")
    await send_all(stores)
    opened = await asyncio.gather(*(open_next(stores.database, NOON + MONTH) for _ in range(3)))
    dropped = await asyncio.gather(*(drop_finished(stores.database, NOON + DAY) for _ in range(3)))
    assert (sum(opened), sum(dropped)) == (1, 1)


async def test_a_backup_has_all_partitions(stores, postgres_url, tmp_path: Path):
    await planned(stores, "amina", "ben")
    await open_next(stores.database, NOON + MONTH)
    await planned(stores, "amina", "ben", at=NOON + MONTH)
    await stores.database.close()
    back_up(postgres_url, tmp_path / "backup", no_page_progress)
    await restored(postgres_url, tmp_path / "backup")
    again = Stores(await Database.open(postgres_url))
    try:
        assert await rows_by_partition(again) == {"deliveries_p0": 2, f"deliveries_p{ISSUES_EACH}": 2}
        async with again.database.read() as connection:
            numbers = (await connection.scalars(select(issues.c.number))).all()
        assert sorted(number // ISSUES_EACH for number in numbers) == [0, 1]
        await planned(again, "amina", "ben", at=NOON + 2 * MONTH)
        assert (await rows_by_partition(again))[f"deliveries_p{ISSUES_EACH}"] == 4
    finally:
        await again.database.close()


async def test_sqlite_has_no_partitions(sqlite_database: Database):
    assert not await open_next(sqlite_database, NOON + MONTH)
    assert await drop_finished(sqlite_database, NOON + MONTH) == 0
