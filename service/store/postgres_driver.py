"""Connections to PostgreSQL without SQLAlchemy (EDGE asyncpg).

For the few statements that run for each message: without SQLAlchemy they cost a tenth.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from service.core.errors import StoreError
from service.store.database_lock import USE_LOCK, busy_error
from service.store.errors import TRANSACTION_POOLING

Result = TypeVar("Result")

CONNECT_SECONDS = 10
# No JIT: our statements are short, and compiling one took 100 times as long as running it.
SESSION = {"application_name": "caveat", "synchronous_commit": "on", "jit": "off"}
# These statements read a few rows by index. Without fresh statistics, for example just after an issue for a
# million subscribers was planned, the planner would read and sort a million rows for each batch.
BY_INDEX = {f"enable_{way}": "off" for way in ("seqscan", "bitmapscan", "sort", "hashjoin", "mergejoin")}

POOLER_CHECKS = 5
"""Number of comparisons: a busy pooler may give two connections different sessions by chance, not 5 times."""


class RawPostgres:
    """A pool of asyncpg connections, with one connection for each concurrent transaction."""

    def __init__(self, dsn: str, name: str) -> None:
        self._dsn, self._name = dsn, name
        self._idle: list[Any] = []  # asyncpg ships no types

    async def connect(self, **settings: str) -> Any:  # noqa: ANN401 - asyncpg ships no types
        """Return a new asyncpg connection that holds the shared database lock.

        Raises StoreError for a URL with unknown options, and during a restore or upgrade of the database.
        """
        connection = await self.open_connection()
        try:
            # Not as start-up parameters, which PgBouncer refuses.
            values = "; ".join(f"SET {name} = '{value}'" for name, value in (SESSION | settings).items())
            await connection.execute(values)
            if not await connection.fetchval("SELECT pg_try_advisory_lock_shared($1)", USE_LOCK):
                raise busy_error(self._name)  # noqa: TRY301 - the connection is terminated below
        except BaseException:
            connection.terminate()
            raise
        return connection

    async def require_sessions(self) -> None:
        """Raise StoreError behind a connection pooler that gives each transaction another session.

        We need a session for settings, advisory locks, and LISTEN, by which workers notify each other.
        """
        connection = await self.open_connection(statement_cache_size=0)
        try:
            if not await _is_pooled(connection):
                return
            other = await self.open_connection(statement_cache_size=0)
            try:
                for _ in range(POOLER_CHECKS):
                    if await _backend(connection) == await _backend(other):
                        raise StoreError(f"the database {self._name} {TRANSACTION_POOLING}")
            finally:
                await other.close()
        finally:
            await connection.close()

    async def open_connection(self, **options: Any) -> Any:  # noqa: ANN401 - asyncpg ships no types
        """Return a new asyncpg connection without our settings and lock."""
        import asyncpg  # noqa: PLC0415 - 150 ms that SQLite need not pay

        try:
            return await asyncpg.connect(self._dsn, timeout=CONNECT_SECONDS, **options)
        except ValueError as error:
            raise StoreError(f"storage cannot be read: {error}") from error

    async def run(self, work: Callable[[Any], Awaitable[Result]]) -> Result:
        """Run `work` in one durable transaction."""
        connection, transaction = await self._start_transaction()
        try:
            result = await work(connection)
            await transaction.commit()
        except BaseException:
            connection.terminate()
            raise
        self._idle.append(connection)
        return result

    async def _start_transaction(self) -> tuple[Any, Any]:
        """Return a connection and a transaction started on it; a dead idle connection is replaced."""
        while self._idle:
            connection = self._idle.pop()
            transaction = connection.transaction()
            try:
                await transaction.start()
            except BaseException as error:
                connection.terminate()
                if not isinstance(error, Exception):
                    raise
                # The dead connection had no transaction, so another connection can take its place.
            else:
                return connection, transaction
        connection = await self.connect(**BY_INDEX)
        transaction = connection.transaction()
        await transaction.start()
        return connection, transaction

    def close(self) -> None:
        """Close the idle connections."""
        while self._idle:
            self._idle.pop().terminate()


async def _is_pooled(connection: Any) -> bool:  # noqa: ANN401 - asyncpg ships no types
    """Return whether the connection goes through a pooler, which makes up the client's backend process id."""
    return bool(await _backend(connection) != connection.get_server_pid())


async def _backend(connection: Any) -> int:  # noqa: ANN401 - asyncpg ships no types
    """Return the id of the server process that runs this connection's transaction."""
    async with connection.transaction():
        return int(await connection.fetchval("SELECT pg_backend_pid()"))
