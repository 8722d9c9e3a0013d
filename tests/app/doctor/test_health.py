"""Health when the database fails while the service runs: read-only, locked, deleted, replaced, restarted."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from service.app.doctor import health as health_check
from service.app.doctor.health import WRITE_PROBE_INTERVAL, HealthCheck, ServiceHealth
from service.core.errors import StoreError
from service.store.database import Database
from service.store.queries import Queries
from service.store.subscribers import SqlSubscriberStore
from tests.deliver.fakes import Clock

CUT_OFF = text(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


@pytest.fixture
def clock() -> Clock:
    return Clock()


async def a_check(database: Database, clock: Clock) -> HealthCheck:
    """Return the health check of a service that works."""
    check = HealthCheck(SqlSubscriberStore(database), Queries(database), clock)
    assert await check.health() == ServiceHealth(reachable=True)
    clock.now += WRITE_PROBE_INTERVAL
    return check


async def make_read_only(database: Database) -> None:
    """Let all writes be refused, as by a disk that was mounted read-only, or by a standby server."""
    query_only = "PRAGMA query_only = ON"
    session = "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY"
    async with database.write() as connection:  # the only one that writes, on PostgreSQL the only one
        await connection.execute(text(query_only if database.on_sqlite else session))


async def test_a_database_that_became_read_only_cannot_be_written(database: Database, clock: Clock):
    check = await a_check(database, clock)
    await make_read_only(database)
    assert await check.health() == ServiceHealth(reachable=True, writable=False)


async def test_a_postgresql_server_that_was_restarted_is_reached_again(postgres_url: str, clock: Clock):
    database, other = await Database.open(postgres_url), await Database.open(postgres_url)
    check = await a_check(database, clock)
    async with other.write() as connection:
        await connection.execute(CUT_OFF)
    assert await check.health() == ServiceHealth(reachable=True)
    await other.close()
    await database.close()


# --- the file of an SQLite database ------------------------------------------------------------


@pytest.fixture
def path(sqlite_url: str) -> Path:
    return Path(sqlite_url.removeprefix("sqlite:///"))


@pytest.fixture
def writer(path: Path) -> Iterator[sqlite3.Connection]:
    """Give another process's connection."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        yield connection


def replace(path: Path) -> None:
    """Put a copy there, as a restore by hand would."""
    shutil.copy(path, path.with_name("copy.db"))
    path.with_name("copy.db").rename(path)


def move_folder(path: Path) -> None:
    path.parent.rename(path.parent.with_name("elsewhere"))


@pytest.mark.parametrize("lose", [Path.unlink, replace, move_folder])
async def test_a_file_that_is_gone_is_noticed_although_writes_to_it_succeed(
    sqlite_database: Database, clock: Clock, path: Path, lose: Callable[[Path], None]
):
    check = await a_check(sqlite_database, clock)
    lose(path)
    assert not (await check.health()).writable
    with pytest.raises(StoreError, match=r"was deleted or replaced while it was in use"):
        await sqlite_database.probe_write()


@pytest.fixture
def deleted(sqlite_database: Database, path: Path) -> Database:
    path.unlink()
    return sqlite_database


async def test_a_deleted_file_is_not_created_again_without_its_content(deleted: Database, path: Path):
    async with deleted.read() as one, deleted.read() as other:
        await one.execute(text("SELECT 1"))  # on the connection that was open
        with pytest.raises(StoreError, match="cannot be opened"):
            await deleted.run_read(lambda connection: connection.execute(text("SELECT 1")))
        with pytest.raises(OperationalError):
            await other.execute(text("SELECT 1"))
    assert not os.access(path, os.F_OK)


async def test_a_lock_of_another_process_delays_no_health_check(
    sqlite_database: Database, clock: Clock, writer: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
):
    check = await a_check(sqlite_database, clock)
    writer.execute("BEGIN IMMEDIATE")
    with monkeypatch.context() as patched:
        patched.setattr(health_check, "PROBE_SECONDS", 0)
        for _ in range(3):
            assert await check.health() == ServiceHealth(reachable=True)
    writer.execute("ROLLBACK")
    await make_read_only(sqlite_database)
    assert await check.health() == ServiceHealth(reachable=True)  # of the write that waited
    clock.now += WRITE_PROBE_INTERVAL
    assert not (await check.health()).writable
