"""Stage signals: start the stages that have work, in this process and, on PostgreSQL, in all of them.

A signal names a stage and carries nothing else, because the work itself is in the tables. Signals that arrive
before a stage starts count as one; a signal that arrives while it runs starts it once more. A lost signal
costs a minute: the next sweep reads the tables and sends it again.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import asynccontextmanager

import structlog

from service.core.errors import CaveatError
from service.core.read_models import PendingWork
from service.core.stages import STAGES
from service.runtime.postgres_signals import PostgresSignals
from service.runtime.waiting import wait_for_any

Handler = Callable[[], Awaitable[Collection[str]]]
"""Runs a stage once; returns the stages that may have work because of it."""

PARALLEL_STAGES = frozenset({"deliver"})
"""Stages that several processes may run at once: each leases its own batches. The others run in one process
at a time, because a second one would find the same work."""

log = structlog.get_logger("stages")


def stages_with_work(pending: PendingWork) -> list[str]:
    """Return the stages that have work."""
    counts = (pending.feeds, pending.articles, pending.groups, pending.deliveries)
    return [stage for stage, count in zip(STAGES, counts, strict=True) if count]


class StageSignals:
    """Sends and receives the signals of one process; `storage` is the URL of the database."""

    def __init__(self, storage: str) -> None:
        self._pending = {stage: asyncio.Event() for stage in STAGES}
        shared = storage.startswith("postgresql")
        self._postgres = PostgresSignals(storage, self.wake) if shared else None

    @property
    def is_shared(self) -> bool:
        """Whether other processes receive the signals as well."""
        return self._postgres is not None

    def wake(self, stages: Collection[str]) -> None:
        """Signal stages of this process alone."""
        for stage in stages:
            if stage in self._pending:
                self._pending[stage].set()

    async def send(self, stages: Collection[str]) -> None:
        """Signal stages in every process; in this one alone while the database is unreachable."""
        if stages and not (self._postgres and await self._postgres.send(stages)):
            self.wake(stages)

    async def run(self, handlers: Mapping[str, Handler], stopping: asyncio.Event) -> None:
        """Run the handlers of signalled stages until `stopping` is set, then let those in progress finish.

        A handler that fails is logged: the rows that it left unfinished are found by the next sweep.
        """
        async with asyncio.TaskGroup() as tasks:
            if self._postgres:
                tasks.create_task(self._postgres.stay_connected(stopping))
            for stage, handler in handlers.items():
                tasks.create_task(self._serve(stage, handler, stopping))
        # Other processes dropped these signals when this one held the stage.
        await self.send([stage for stage in handlers if self._pending[stage].is_set()])
        await self.close()

    async def close(self) -> None:
        """Close the connection; the next signal opens another one."""
        if self._postgres:
            await self._postgres.close()

    async def _serve(self, stage: str, handler: Handler, stopping: asyncio.Event) -> None:
        pending = self._pending[stage]
        while not stopping.is_set():
            await wait_for_any(pending, stopping)
            async with self._exclusive(stage) as acquired:
                if not acquired:
                    # The process that runs the stage got the same signal and runs it once more.
                    pending.clear()
                while acquired and pending.is_set() and not stopping.is_set():
                    pending.clear()
                    await self.send(await _run(stage, handler))

    @asynccontextmanager
    async def _exclusive(self, stage: str) -> AsyncIterator[bool]:
        """Give whether this process may run the stage now."""
        if self._postgres is None or stage in PARALLEL_STAGES:
            yield True
        else:
            async with self._postgres.exclusive(stage) as acquired:
                yield acquired


async def _run(stage: str, handler: Handler) -> Collection[str]:
    try:
        return await handler()
    except CaveatError as error:
        log.warning("stage_failed", stage=stage, reason=str(error))
    except Exception as error:
        log.exception("stage_failed", stage=stage, reason=str(error))
    return ()
