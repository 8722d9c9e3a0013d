"""Transactions: as a block, as one function, cancelled, at the same time, and too many at once."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Awaitable, Callable

import pytest
from sqlalchemy import Connection, select, text, update
from sqlalchemy.exc import IntegrityError, ResourceClosedError

from service.core.errors import StoreError
from service.store import sqlite_connections
from service.store.database import Database
from service.store.schema import counters

ADD_ONE = update(counters).values(value=counters.c.value + 1)
VALUE = select(counters.c.value)


def add_one(connection: Connection) -> int:
    connection.execute(ADD_ONE)
    return connection.execute(VALUE).scalar_one()


async def value(database: Database) -> int:
    return await database.run_read(lambda connection: connection.execute(VALUE).scalar_one())


class Held:
    """A statement that does not end before the test lets it."""

    def __init__(self) -> None:
        self.has_begun, self._may_end = asyncio.Event(), threading.Event()
        self._loop = asyncio.get_running_loop()

    def add_one(self, connection: Connection) -> None:
        add_one(connection)
        self._loop.call_soon_threadsafe(self.has_begun.set)
        self._may_end.wait()

    def let_go(self) -> None:
        self._may_end.set()


@pytest.fixture
async def held() -> Held:
    return Held()


async def in_a_block(database: Database, work: Callable[[Connection], None]) -> None:
    async with database.write() as connection:
        await connection.run_sync(work)


async def test_functions_run_one_after_the_other_and_lose_no_update(database: Database):
    assert sorted(await asyncio.gather(*(database.run_write(add_one) for _ in range(50)))) == [*range(1, 51)]
    assert await value(database) == 50


async def test_a_function_that_fails_changes_nothing(database: Database):
    def fail(connection: Connection) -> None:
        add_one(connection)
        raise KeyError

    with pytest.raises(KeyError):
        await database.run_write(fail)
    assert await value(database) == 0
    assert await database.run_write(add_one) == 1


async def test_a_cancelled_block_waits_for_its_statement_and_changes_nothing(
    sqlite_database: Database, held: Held
):
    task = asyncio.create_task(in_a_block(sqlite_database, held.add_one))
    await held.has_begun.wait()
    for _ in range(3):  # also when it is cancelled again
        task.cancel()
        await asyncio.sleep(0)
    assert not task.done()

    held.let_go()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await value(sqlite_database) == 0
    assert await sqlite_database.run_write(add_one) == 1


async def test_a_cancelled_function_is_finished_before_its_task_ends(sqlite_database: Database, held: Held):
    task = asyncio.create_task(sqlite_database.run_write(held.add_one))
    await held.has_begun.wait()
    task.cancel()
    await asyncio.sleep(0)
    assert not task.done()

    held.let_go()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await value(sqlite_database) == 1


async def test_the_error_of_a_cancelled_function_is_not_reported_as_lost(
    sqlite_database: Database, held: Held
):
    reported: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: reported.append(context))

    def fail(connection: Connection) -> None:
        held.add_one(connection)
        raise KeyError

    task = asyncio.create_task(sqlite_database.run_write(fail))
    await held.has_begun.wait()
    task.cancel()
    await asyncio.sleep(0)
    held.let_go()
    with pytest.raises(asyncio.CancelledError):
        await task
    del task
    gc.collect()
    assert reported == []


def fail_at_commit(connection: Connection) -> None:
    """Leave a row whose foreign key is checked by COMMIT, and refers to nothing."""
    connection.execute(text("PRAGMA defer_foreign_keys = ON"))
    connection.execute(ADD_ONE)
    connection.execute(text("INSERT INTO summaries (position, method, key_points) VALUES (7, '', '')"))


@pytest.mark.parametrize("write", [in_a_block, Database.run_write])
async def test_a_failed_commit_changes_nothing_and_the_next_transaction_is_a_new_one(
    sqlite_database: Database, write: Callable[..., Awaitable[None]]
):
    for _ in range(2):
        with pytest.raises(IntegrityError):
            await write(sqlite_database, fail_at_commit)
    assert await value(sqlite_database) == 0
    assert await sqlite_database.run_write(add_one) == 1


async def test_rows_that_nobody_read_keep_no_old_state_in_use(sqlite_database: Database):
    def read_one_of_many(connection: Connection) -> object:
        return connection.execute(text("SELECT name FROM sqlite_master")).fetchone()

    for _ in range(sqlite_connections.IDLE_CONNECTIONS + 1):
        await sqlite_database.run_read(read_one_of_many)
    await sqlite_database.run_write(add_one)
    assert await value(sqlite_database) == 1
    await sqlite_database.truncate_log()


async def test_a_task_cancelled_while_it_waits_for_its_turn_lets_the_next_one_write(
    sqlite_database: Database, held: Held
):
    writing = asyncio.create_task(in_a_block(sqlite_database, held.add_one))
    await held.has_begun.wait()
    waiting = asyncio.create_task(sqlite_database.run_write(add_one))
    next_one = asyncio.create_task(sqlite_database.run_write(add_one))
    await asyncio.sleep(0)
    waiting.cancel()
    held.let_go()

    assert await next_one == 2
    assert waiting.cancelled()
    await writing


async def test_a_read_does_not_wait_for_a_statement_that_writes(sqlite_database: Database, held: Held):
    writing = asyncio.create_task(in_a_block(sqlite_database, held.add_one))
    await held.has_begun.wait()
    assert await value(sqlite_database) == 0
    held.let_go()
    await writing
    assert await value(sqlite_database) == 1


async def test_a_read_sees_one_state_until_its_block_ends(sqlite_database: Database):
    async with sqlite_database.read() as connection:
        before = await connection.scalar(VALUE)
        await sqlite_database.run_write(add_one)
        assert await connection.scalar(VALUE) == before
    assert await value(sqlite_database) == 1


async def test_rows_can_be_read_after_the_block(database: Database):
    async with database.read() as connection:
        rows = await connection.execute(VALUE)
        numbers = await connection.scalars(VALUE)
    assert (rows.all(), numbers.all()) == ([(0,)], [0])


async def test_a_connection_is_of_no_use_after_its_block(database: Database):
    async with database.write() as connection:
        await connection.execute(ADD_ONE)
    with pytest.raises(ResourceClosedError):
        await connection.execute(ADD_ONE)
    assert await value(database) == 1


async def test_a_block_without_a_statement_begins_no_transaction(database: Database):
    async with database.write(), database.read():
        assert await value(database) == 0


async def test_too_many_reads_at_one_time_are_an_error(sqlite_url: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sqlite_connections, "MAX_READS", 2)
    monkeypatch.setattr(sqlite_connections, "TURN_SECONDS", 0.01)
    database = await Database.open(sqlite_url)
    async with database.read(), database.read():
        with pytest.raises(StoreError, match="is too busy"):
            await value(database)
    assert await value(database) == 0
    await database.close()


async def test_many_reads_share_a_few_connections(sqlite_database: Database):
    async def read() -> int:
        async with sqlite_database.read() as connection:
            return await connection.scalar(VALUE) or 0

    assert await asyncio.gather(*(read() for _ in range(100))) == [0] * 100
    threads = [thread.name for thread in threading.enumerate() if thread.name.startswith("caveat-read")]
    assert len(threads) <= sqlite_connections.READ_THREADS


async def test_a_transaction_still_open_when_the_database_is_closed_changes_nothing(sqlite_url: str):
    database = await Database.open(sqlite_url)

    async def close_inside() -> None:
        async with database.write() as connection:
            await connection.execute(ADD_ONE)
            await database.close()
            raise KeyError

    with pytest.raises(KeyError):
        await close_inside()
    again = await Database.open(sqlite_url)
    assert await value(again) == 0
    await again.close()
