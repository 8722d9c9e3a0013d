"""Signals between processes (EDGE asyncpg): LISTEN, NOTIFY and advisory locks on a separate connection.

A lost connection is opened again without end. Signals sent meanwhile are lost, so a new connection signals
every stage once.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager, suppress
from typing import Any

import structlog

from service.core.stages import STAGES
from service.runtime.waiting import wait_for_any

CHANNEL = "caveat_stages"
STAGE_LOCK = 0x0CA7EA7
"""First key of the advisory locks; the second one is the position of the stage in STAGES."""

TIMEOUT_SECONDS = 10.0  # to connect, and for each statement, which takes milliseconds
RECONNECT_SECONDS = 1.0
CHECK_SECONDS = 30.0
"""Between two checks of an idle connection, which can break without an error."""

log = structlog.get_logger("stages")


class PostgresSignals:
    """Sends signals to every process on the same database; `receive` is called with those that arrive."""

    def __init__(self, storage: str, receive: Callable[[Collection[str]], None]) -> None:
        scheme, _, rest = storage.partition("://")
        self._url = f"{scheme.partition('+')[0]}://{rest}"  # without the driver's name for SQLAlchemy
        self._receive = receive
        self._connection: Any = None  # asyncpg ships no types
        self._turn = asyncio.Lock()  # asyncpg runs one statement of a connection at a time
        self._lost = asyncio.Event()
        self._connected_before = False

    async def send(self, stages: Collection[str]) -> bool:
        """Signal the stages in every process, this one included; return False when that is not possible."""
        try:
            await self._fetch("SELECT pg_notify($1, $2)", CHANNEL, ",".join(stages))
        except _unreachable() as error:
            log.warning("signal_not_sent", stages=list(stages), reason=str(error))
            return False
        return True

    async def stay_connected(self, stopping: asyncio.Event) -> None:
        """Keep the connection open until `stopping` is set."""
        while not stopping.is_set():
            try:
                await self._fetch("SELECT 1")
            except Exception as error:  # noqa: BLE001 - whatever it was, the next attempt may succeed
                log.warning("signals_not_received", reason=str(error), retry_seconds=RECONNECT_SECONDS)
                await self.close()
                await wait_for_any(stopping, seconds=RECONNECT_SECONDS)
            else:
                await wait_for_any(stopping, self._lost, seconds=CHECK_SECONDS)

    @asynccontextmanager
    async def exclusive(self, stage: str) -> AsyncIterator[bool]:
        """Lock a stage for this process during the block; give False when another process has locked it.

        The lock belongs to the connection, so it ends with the process. Gives False while the database is
        unreachable: the new connection signals the stage again.
        """
        keys = STAGE_LOCK, STAGES.index(stage)
        acquired = False
        with suppress(*_unreachable()):
            acquired = bool(await self._fetch("SELECT pg_try_advisory_lock($1, $2)", *keys))
        connection = self._connection
        try:
            yield acquired
        finally:
            if acquired and connection is self._connection:
                with suppress(*_unreachable()):
                    await self._fetch("SELECT pg_advisory_unlock($1, $2)", *keys)

    async def close(self) -> None:
        """Close the connection; the next statement opens another one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            try:
                await connection.close(timeout=TIMEOUT_SECONDS)
            except _unreachable():
                # The connection is lost, or runs a statement whose result is not needed.
                connection.terminate()

    async def _fetch(self, statement: str, *values: object) -> Any:  # noqa: ANN401 - one value of a row
        async with self._turn:
            if self._connection is None or self._connection.is_closed():
                self._connection = await self._connect()
            connection = self._connection
            try:
                return await connection.fetchval(statement, *values, timeout=TIMEOUT_SECONDS)
            except TimeoutError:
                connection.terminate()
                raise

    async def _connect(self) -> Any:  # noqa: ANN401 - asyncpg ships no types
        import asyncpg  # noqa: PLC0415 - 150 ms that SQLite need not pay

        connection = await asyncpg.connect(self._url, timeout=TIMEOUT_SECONDS)
        self._lost.clear()
        connection.add_termination_listener(lambda _: self._lost.set())
        await connection.add_listener(CHANNEL, self._received)
        if self._connected_before:
            self._receive(STAGES)
        self._connected_before = True
        return connection

    def _received(self, _connection: object, _pid: int, _channel: str, payload: object) -> None:
        self._receive(str(payload).split(","))


def _unreachable() -> tuple[type[Exception], ...]:
    """Return the errors of a database that cannot be reached or does not answer."""
    import asyncpg  # noqa: PLC0415 - 150 ms that SQLite need not pay

    return (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
