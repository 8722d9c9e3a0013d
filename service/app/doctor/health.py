"""Health: whether the database, the scheduler and the stages work, and the numbers of /metrics."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from service.app.clock import Clock
from service.core.errors import CaveatError
from service.core.read_models import DeliveryBacklog, PendingWork, RecordCounts
from service.store.queries import Queries
from service.store.subscribers import SqlSubscriberStore

DATABASE_SECONDS = 3.0
"""How long the database may take to answer a health check."""

PROBE_SECONDS = 3.0
"""How long a health check waits for its test write; another process's lock can delay it by half a minute."""

WRITE_PROBE_INTERVAL = timedelta(seconds=30)
"""Minimum time between two test writes: health checks are public, and each write takes the write lock."""


@dataclass(frozen=True, slots=True)
class ServiceHealth:
    """Result of a health check. `last_tick_at` is the scheduler's last sweep, None in other processes.

    `problems` are sentences about stages that make no progress and about the process pool. `configuration`
    says why the saved configuration is not in force; "" if it is. That is no reason to restart.
    """

    reachable: bool
    last_tick_at: datetime | None = None
    writable: bool = True
    problems: tuple[str, ...] = ()
    configuration: str = ""


def rejected_sentence(faults: Sequence[str]) -> str:
    """Return a sentence about faults of the saved configuration; "" if there are none."""
    if not faults:
        return ""
    more = f"; {len(faults)} faults, see config check" if faults[1:] else ""
    return f"the files are not in force, the last valid ones are: {faults[0]}{more}"


@dataclass(frozen=True, slots=True)
class MetricsSnapshot:
    """Numbers of stored rows, of rows that wait for each stage, and of deliveries that are late."""

    counts: RecordCounts
    pending_work: PendingWork
    backlog: DeliveryBacklog


class HealthCheck:
    """Checks the health of one process. The scheduler's process sets `last_tick_at` at each sweep."""

    def __init__(
        self,
        subscribers: SqlSubscriberStore,
        queries: Queries,
        clock: Clock,
        stage_problems: Callable[[], tuple[str, ...]] = tuple,
        config_faults: Callable[[], tuple[str, ...]] = tuple,
    ) -> None:
        self._subscribers, self._queries, self.clock = subscribers, queries, clock
        self.stage_problems, self._config_faults = stage_problems, config_faults
        self.last_tick_at: datetime | None = None
        self._probed_at: datetime | None = None
        self._probe: asyncio.Task[None] | None = None
        self._writable = True

    async def health(self) -> ServiceHealth:
        """Return the health; never raises."""
        try:
            async with asyncio.timeout(DATABASE_SECONDS):
                await self._subscribers.signing_key()
                held = await self._subscribers.roster_state.held()
        except (CaveatError, TimeoutError):
            return ServiceHealth(
                reachable=False, last_tick_at=self.last_tick_at, problems=self.stage_problems()
            )
        return ServiceHealth(
            reachable=True,
            last_tick_at=self.last_tick_at,
            writable=await self._is_writable(),
            problems=self.stage_problems(),
            configuration=rejected_sentence(self._config_faults()) or (held.sentence if held else ""),
        )

    async def metrics(self) -> MetricsSnapshot:
        """Return the numbers of this moment. Raises StoreError."""
        queries, now = self._queries, self.clock()
        return MetricsSnapshot(
            await queries.counts(), await queries.pending_work(now), await queries.backlog(now)
        )

    async def _is_writable(self) -> bool:
        """Return whether the last test write succeeded, begun at most `WRITE_PROBE_INTERVAL` ago."""
        if self._probe is None:
            if self._probed_at is not None and self.clock() < self._probed_at + WRITE_PROBE_INTERVAL:
                return self._writable
            self._probed_at = self.clock()
            self._probe = asyncio.create_task(self._write())
        # Not cancelled: a write that waits for the lock of another process ends when SQLite gives up. The
        # earlier result stays for as long.
        probe = self._probe
        await asyncio.wait([probe], timeout=PROBE_SECONDS)
        if probe.done():
            self._probe = None
            probe.result()
        return self._writable

    async def _write(self) -> None:
        try:
            await self._subscribers.database.probe_write()
        except CaveatError:
            self._writable = False
        else:
            self._writable = True
