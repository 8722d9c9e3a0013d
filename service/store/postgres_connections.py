"""Transactions on PostgreSQL: SQLAlchemy's asyncio engine over asyncpg connections.

A pooled connection can be dead: after a restart of the server, for example. SQLAlchemy's check of it
(`pool_pre_ping`) takes three round trips before each transaction. Here the BEGIN, which is needed anyway, is
sent when the connection leaves the pool; if it fails, another connection takes its place.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from sqlalchemy import Connection, event
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from service.store.postgres_driver import RawPostgres

Result = TypeVar("Result")

POOL_SIZE = 5
POOL_OVERFLOW = 15


class PostgresConnections:
    """A pool of connections."""

    def __init__(self, driver: RawPostgres) -> None:
        async def connect(*_args: object, **_options: object) -> Any:  # noqa: ANN401 - asyncpg ships no types
            return await driver.connect()

        self._engine = create_async_engine(
            "postgresql+asyncpg://",
            async_creator=connect,
            pool_size=POOL_SIZE,
            max_overflow=POOL_OVERFLOW,
        )
        event.listen(self._engine.sync_engine, "checkout", _begin)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """Yield a connection; commit after the block, or roll back after an error."""
        async with self._engine.begin() as connection:
            yield connection

    async def run(self, work: Callable[[Connection], Result]) -> Result:
        """Return the result of `work`, which runs in a transaction of its own."""
        async with self._engine.begin() as connection:
            return await connection.run_sync(work)

    async def close(self) -> None:
        """Close the idle connections."""
        await self._engine.dispose()


def _begin(connection: Any, *_: object) -> None:  # noqa: ANN401 - SQLAlchemy's events are untyped
    """Begin the transaction, which SQLAlchemy's adapter would do with the first statement.

    Raises DisconnectionError, for which the pool opens a new connection.
    """
    try:
        connection.run_async(lambda _driver: connection._start_transaction())  # noqa: SLF001 - no public method
    except Exception as error:
        raise DisconnectionError(str(error)) from error
