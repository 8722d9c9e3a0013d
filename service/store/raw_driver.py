"""Direct: a transaction on the driver itself, past SQLAlchemy (EDGE sqlite3, asyncpg).

For the few statements that are run for every single message, which cost a tenth this way.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from service.core.errors import StoreError
from service.store.database_lock import USE_LOCK, busy_error
from service.store.errors import TRANSACTION_POOLING

Result = TypeVar("Result")

CONNECT_SECONDS = 10
# No compilation: our statements are short, and compiling one took 100 times as long as running it.
SESSION = {"application_name": "caveat", "synchronous_commit": "on", "jit": "off"}
# What runs here looks up a few rows by index. A planner that has no statistics yet, as after an issue for a
# million was planned, would rather read and sort that million for each batch.
BY_INDEX = {f"enable_{way}": "off" for way in ("seqscan", "bitmapscan", "sort", "hashjoin", "mergejoin")}


POOLER_LOOKS = 5
"""A busy pooler may give two connections different sessions by chance; five times in a row it does not."""


class RawSqlite:
    """One connection on a thread of its own; made when it is used first."""

    def __init__(self, path: str, pragmas: Sequence[str]) -> None:
        self._path, self._pragmas = path, pragmas
        self._thread = ThreadPoolExecutor(1, "caveat-ledger")
        self._connection: sqlite3.Connection | None = None

    async def run(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        """Run `work` in one durable transaction."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._transaction, work)

    def _transaction(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        if self._connection is None:
            self._connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
            for pragma in self._pragmas:
                self._connection.execute(f"PRAGMA {pragma}")
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            result = work(self._connection)
            self._connection.execute("COMMIT")
        except BaseException:
            # A COMMIT that failed may have ended the transaction itself.
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise
        return result

    def close(self) -> None:
        """Wait for what is under way and give the connection back."""
        self._thread.shutdown()
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class RawPostgres:
    """Connections that rest between transactions; as many as there are transactions at once."""

    def __init__(self, dsn: str, name: str) -> None:
        self._dsn, self._name = dsn, name
        self._resting: list[Any] = []  # asyncpg ships no types

    async def connect(self, **settings: str) -> Any:  # noqa: ANN401 - as above
        """Return a new asyncpg connection, which holds the database lock together with others.

        Raises StoreError for a URL with options that are unknown, and while the database is being restored
        or upgraded.
        """
        connection = await self.open_connection()
        try:
            # Not as start-up parameters: PgBouncer refuses a connection that brings some.
            values = "; ".join(f"SET {name} = '{value}'" for name, value in (SESSION | settings).items())
            await connection.execute(values)
            if not await connection.fetchval("SELECT pg_try_advisory_lock_shared($1)", USE_LOCK):
                raise busy_error(self._name)  # noqa: TRY301 - the connection ends below, whatever happened
        except BaseException:
            connection.terminate()
            raise
        return connection

    async def require_sessions(self) -> None:
        """Refuse a connection pooler that gives each transaction another session. Raises StoreError.

        What is needed of a session: settings, locks, and LISTEN, by which workers hear of each other.
        """
        connection = await self.open_connection(statement_cache_size=0)
        try:
            if not await _is_pooled(connection):
                return
            other = await self.open_connection(statement_cache_size=0)
            try:
                for _ in range(POOLER_LOOKS):
                    if await _backend(connection) == await _backend(other):
                        raise StoreError(f"the database {self._name} {TRANSACTION_POOLING}")
            finally:
                await other.close()
        finally:
            await connection.close()

    async def open_connection(self, **options: Any) -> Any:  # noqa: ANN401 - as above
        """Return a new asyncpg connection as the server gives it, without our settings or lock."""
        import asyncpg  # noqa: PLC0415 - 150 ms that SQLite need not pay

        try:
            return await asyncpg.connect(self._dsn, timeout=CONNECT_SECONDS, **options)
        except ValueError as error:
            raise StoreError(f"storage cannot be read: {error}") from error

    async def run(self, work: Callable[[Any], Awaitable[Result]]) -> Result:
        """Run `work` in one durable transaction."""
        connection, transaction = await self._begun()
        try:
            result = await work(connection)
            await transaction.commit()
        except BaseException:
            connection.terminate()
            raise
        self._resting.append(connection)
        return result

    async def _begun(self) -> tuple[Any, Any]:
        """Return a connection and the transaction begun on it; one that died while it rested is replaced."""
        while self._resting:
            connection = self._resting.pop()
            transaction = connection.transaction()
            try:
                await transaction.start()
            except BaseException as error:
                connection.terminate()
                if not isinstance(error, Exception):
                    raise
                # However it died, nothing was done on it yet: the next one, or a new one.
            else:
                return connection, transaction
        connection = await self.connect(**BY_INDEX)
        transaction = connection.transaction()
        await transaction.start()
        return connection, transaction

    def close(self) -> None:
        """Give the connections back."""
        while self._resting:
            self._resting.pop().terminate()


async def _is_pooled(connection: Any) -> bool:  # noqa: ANN401 - asyncpg ships no types
    """Tell whether a pooler stands between: it invents the process id that a client is told at the start."""
    return bool(await _backend(connection) != connection.get_server_pid())


async def _backend(connection: Any) -> int:  # noqa: ANN401 - as above
    """Return the id of the server's process that this connection's transaction runs in."""
    async with connection.transaction():
        return int(await connection.fetchval("SELECT pg_backend_pid()"))
