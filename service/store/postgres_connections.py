"""Transactions on PostgreSQL: SQLAlchemy's asyncio engine over asyncpg connections."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from service.store.raw_driver import RawPostgres

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
            pool_pre_ping=True,
            pool_size=POOL_SIZE,
            max_overflow=POOL_OVERFLOW,
        )

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
