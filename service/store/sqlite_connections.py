"""Transactions on a SQLite file beside the event loop (EDGE sqlite3).

SQLAlchemy's synchronous connections, whose work runs on threads of their own. A call on another thread costs
more than most statements, so BEGIN runs in the call of the first statement, a statement's rows are fetched in
the same call, and a whole transaction can be one call (`SqliteConnections.run`).
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import (
    Connection,
    CursorResult,
    Dialect,
    Engine,
    Executable,
    NullPool,
    ScalarResult,
    create_engine,
    event,
)
from sqlalchemy.engine.cursor import FullyBufferedCursorFetchStrategy
from sqlalchemy.exc import ResourceClosedError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

Given = ParamSpec("Given")
Result = TypeVar("Result")

IDLE_CONNECTIONS = 3
"""Number of connections that stay open after use; each has a cache of pages."""

MAX_READS = 20
"""Number of transactions that read at one time."""

READ_THREADS = 3
"""Number of threads for reading. Each costs memory, and the machine has few cores for them."""

TURN_SECONDS = 30
"""How long a transaction waits for one of MAX_READS."""


def sqlite_engine(path: Path, pragmas: Sequence[str]) -> Engine:
    """Return an engine whose connections have these settings, and leave BEGIN to the caller.

    A file that was deleted meanwhile is not created again: an empty one would hide the loss.
    """

    def connect() -> sqlite3.Connection:
        # One thread at a time uses a connection, but not always the same one.
        return sqlite3.connect(f"{path.as_uri()}?mode=rw", uri=True, check_same_thread=False)

    def set_up(connection: Any, _record: object) -> None:  # noqa: ANN401 - SQLAlchemy's event is untyped
        connection.isolation_level = None  # the driver's own BEGIN comes too late and is never IMMEDIATE
        try:
            for pragma in pragmas:
                connection.execute(f"PRAGMA {pragma}").close()
        except BaseException:
            connection.close()
            raise

    engine = create_engine("sqlite://", poolclass=NullPool, creator=connect)
    event.listen(engine, "connect", set_up)
    return engine


class SqliteConnections:
    """The connections for reading, or the one for writing: with MAX_READS or one transaction at a time.

    Writers of this process wait here in order instead of polling the file's lock.
    """

    def __init__(self, engine: Engine, *, writing: bool) -> None:
        self.engine = engine
        self._begin = "BEGIN IMMEDIATE" if writing else "BEGIN"
        self._commit_blocks = writing
        self._turns = asyncio.Semaphore(1 if writing else MAX_READS)
        self._patience = None if writing else TURN_SECONDS
        name = "caveat-write" if writing else "caveat-read"
        self._threads = ThreadPoolExecutor(1 if writing else READ_THREADS, name)
        self._idle: list[Connection] = []
        self._is_closed = False

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[SqliteConnection]:
        """Yield a connection; commit after the block, or roll back after an error."""
        async with self._turn():
            connection = SqliteConnection(self)
            try:
                yield connection
            except BaseException:
                await self._end(connection, self._roll_back)
                raise
            await self._end(connection, self._commit)

    async def run(self, work: Callable[[Connection], Result]) -> Result:
        """Return the result of `work`, which runs on a thread in a transaction of its own."""

        def transact() -> Result:
            connection = self.begin()
            try:
                result = work(connection)
            except BaseException:
                self._roll_back(connection)
                raise
            self._commit(connection)
            return result

        async with self._turn():
            return await self.call(transact)

    async def call(self, work: Callable[[], Result]) -> Result:
        """Return the result of `work`, which runs on a thread; a cancelled caller waits for its end."""
        if self._is_closed:
            return work()  # an unfinished transaction rolls back
        result = asyncio.get_running_loop().run_in_executor(self._threads, work)
        try:
            return await asyncio.shield(result)
        except asyncio.CancelledError:
            while not result.done():
                with suppress(asyncio.CancelledError):
                    await asyncio.wait([result])
            if not result.cancelled():
                result.exception()  # its error goes with the caller; asyncio would log one that nobody read
            raise

    def begin(self) -> Connection:
        """Return a connection with a new transaction."""
        connection = self._unused()
        try:
            connection.begin()
            connection.connection.cursor().execute(self._begin)  # past SQLAlchemy: a tenth of the cost
        except BaseException:
            connection.close()
            raise
        return connection

    def _unused(self) -> Connection:
        with suppress(IndexError):  # several threads take connections, so a check before would prove nothing
            return self._idle.pop()
        return self.engine.connect()

    async def close(self) -> None:
        """Wait for the statements that run, and close the connections."""
        self._is_closed = True
        await asyncio.to_thread(self._close)

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(self._patience):
                await self._turns.acquire()
        except TimeoutError:
            raise PoolTimeout from None
        try:
            yield
        finally:
            self._turns.release()

    async def _end(self, connection: SqliteConnection, how: Callable[[Connection], None]) -> None:
        begun = connection.leave()
        if begun is None:
            return
        if self._commit_blocks:
            await self.call(partial(how, begun))
        else:
            how(begun)  # the end of a transaction that only read touches no disk

    def _commit(self, connection: Connection) -> None:
        try:
            connection.commit()
        except BaseException:
            connection.close()
            raise
        self._keep(connection)

    def _roll_back(self, connection: Connection) -> None:
        try:
            connection.rollback()
        except SQLAlchemyError:
            connection.close()
        else:
            self._keep(connection)

    def _keep(self, connection: Connection) -> None:
        if self._is_closed or len(self._idle) >= IDLE_CONNECTIONS:
            connection.close()
        else:
            self._idle.append(connection)

    def _close(self) -> None:
        self._threads.shutdown()
        while self._idle:
            self._idle.pop().close()


class SqliteConnection:
    """A StoreConnection, valid until the block of its transaction ends."""

    def __init__(self, connections: SqliteConnections) -> None:
        self._connections = connections
        self._begun: Connection | None = None
        self._has_ended = False

    @property
    def dialect(self) -> Dialect:
        """SQLite's dialect."""
        return self._connections.engine.dialect

    async def execute(self, statement: Executable, parameters: Any = None) -> CursorResult[Any]:  # noqa: ANN401 - see StoreConnection
        """Return the complete result of a statement."""
        return await self.run_sync(_execute, statement, parameters)

    async def scalar(self, statement: Executable, parameters: Any = None) -> Any:  # noqa: ANN401 - see StoreConnection
        """Return the first column of the first row, or None without a row."""
        return await self.run_sync(Connection.scalar, statement, parameters)

    async def scalars(self, statement: Executable, parameters: Any = None) -> ScalarResult[Any]:  # noqa: ANN401 - see StoreConnection
        """Return the first column of each row."""
        return (await self.execute(statement, parameters)).scalars()

    async def run_sync(
        self,
        fn: Callable[Concatenate[Connection, Given], Result],
        *arg: Given.args,
        **kw: Given.kwargs,
    ) -> Result:
        """Return the result of `fn`, called on a thread with the synchronous connection and the rest."""

        def run() -> Result:
            if self._has_ended:
                raise ResourceClosedError("the transaction has ended")
            if self._begun is None:
                self._begun = self._connections.begin()
            return fn(self._begun, *arg, **kw)

        return await self._connections.call(run)

    def leave(self) -> Connection | None:
        """End the use of this object; return the connection if a transaction was begun."""
        self._has_ended = True
        return self._begun


def _execute(connection: Connection, statement: Executable, parameters: Any) -> CursorResult[Any]:  # noqa: ANN401 - see StoreConnection
    result = connection.execute(statement, parameters)
    if result.returns_rows and result.cursor is not None:
        # The event loop must not read from the file when it takes the rows.
        rows = result.cursor.fetchall()
        result.cursor_strategy = FullyBufferedCursorFetchStrategy(result.cursor, initial_buffer=rows)
    return result
