"""Attempt limits in the database hold across workers and restarts."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta
from pathlib import Path

import pytest

import service
from service.store.database import Database
from service.store.limits import SqlAttemptStore
from service.subscribers.ports import AttemptLimit
from tests.builders import NOON

HOUR = timedelta(hours=1)


def a_limit(name: str = "a", times: int = 2) -> AttemptLimit:
    return AttemptLimit(name, times, HOUR)


@pytest.fixture
def limits(database: Database) -> SqlAttemptStore:
    return SqlAttemptStore(database)


async def test_a_limit_counts_attempts_within_its_period(limits: SqlAttemptStore):
    assert [await limits.allows([a_limit()], NOON) for _ in range(3)] == [True, True, False]
    assert await limits.allows([a_limit("b")], NOON)
    assert not await limits.allows([a_limit()], NOON + HOUR - timedelta(seconds=1))
    assert await limits.allows([a_limit()], NOON + HOUR)


async def test_an_attempt_that_one_limit_refuses_counts_for_no_limit(limits: SqlAttemptStore):
    assert await limits.allows([a_limit("a", 1)], NOON)
    assert not await limits.allows([a_limit("b", 1), a_limit("a", 1)], NOON)
    assert await limits.allows([a_limit("b", 1)], NOON)


async def test_concurrent_workers_share_one_limit(database_url: str):
    workers = [await Database.open(database_url) for _ in range(3)]
    attempts = [
        SqlAttemptStore(worker).allows([a_limit(times=5)], NOON) for worker in workers for _ in range(7)
    ]
    assert sum(await asyncio.gather(*attempts)) == 5
    for worker in workers:
        await worker.close()


def test_every_advisory_lock_has_its_own_number():
    """Two locks with one number caused a deadlock in PostgreSQL."""
    found = [
        number
        for path in Path(service.__file__).parent.rglob("*.py")
        for number in re.findall(
            r"^[A-Z_]+_LOCK = (0x[0-9A-F]+)", path.read_text(encoding="utf-8"), re.MULTILINE
        )
    ]
    assert len(found) == len(set(found)) >= 6


async def test_a_limit_survives_a_restart(database_url: str):
    for allowed in (True, False):
        database = await Database.open(database_url)
        assert await SqlAttemptStore(database).allows([a_limit(times=1)], NOON) is allowed
        await database.close()


async def test_attempts_older_than_every_limit_are_pruned(limits: SqlAttemptStore):
    for minutes in (0, 10):
        await limits.allows([a_limit()], NOON + timedelta(minutes=minutes))
    assert await limits.prune(NOON + HOUR, HOUR) == 1
    assert await limits.prune(NOON + HOUR, HOUR) == 0
