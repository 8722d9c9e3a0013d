"""Dispatch (EDGE PgQueuer): hints that a stage may have work, in memory or on PostgreSQL.

A job is a stage's name and nothing else: what there is to do stands in the tables, so a lost job costs a
minute (the next sweep hints again) and a repeated one finds nothing left. A hint carries a dedupe key, so
that at most one of a kind waits or runs; deliver has several, because batches are leased one by one.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import structlog

from service.core.errors import CaveatError
from service.core.read_models import PendingWork
from service.core.stages import STAGES

if TYPE_CHECKING:
    from pgqueuer import PgQueuer

Hints = Mapping[str, int]
"""Stages that may have work, and for how many jobs."""

Handler = Callable[[], Awaitable[Hints]]
"""One pass of a stage; returns what may have work because of it."""

MAX_JOBS = 16
DELIVERIES_PER_JOB = 500
INSTALL_LOCK = 0x0CA7EA7
PAUSE_SECONDS = 1.0
MIN_PAUSE_SECONDS, MAX_PAUSE_SECONDS = 0.15, 5.0
CLOSE_SECONDS = 5.0
POLL_INTERVAL = timedelta(seconds=5)
HEARTBEAT_TIMEOUT = timedelta(seconds=10)
"""A job whose worker was not heard of for so long is anybody's: doing it twice is harmless."""

log = structlog.get_logger("dispatch")


def deliver_jobs(waiting: int) -> int:
    """Return how many deliver jobs `waiting` deliveries are worth: one for each batch they make."""
    return min(-(-waiting // DELIVERIES_PER_JOB), MAX_JOBS)


def hints_of(unfinished: PendingWork) -> Hints:
    """Return the number of jobs for each stage that has work."""
    counts = {
        "gather": unfinished.feeds,
        "condense": unfinished.articles,
        "compose": unfinished.groups,
        "deliver": unfinished.deliveries,
    }
    return {stage: jobs_for(stage, items) for stage, items in counts.items()}


def jobs_for(stage: str, items: int) -> int:
    """Return the number of jobs for this number of items that wait for a stage."""
    return deliver_jobs(items) if stage == "deliver" else min(items, 1)


class JobQueue:
    """The queue of hints: shared between processes on PostgreSQL, else in this one's memory."""

    def __init__(self, storage: str) -> None:
        self._url = _plain(storage) if storage.startswith("postgresql") else None
        self._queue: PgQueuer | None = None
        self._connection: Any = None  # asyncpg ships no types, and it is an optional extra
        self._opening = asyncio.Lock()
        self._kept: dict[str, asyncio.Task[None]] = {}

    @property
    def is_shared(self) -> bool:
        """Whether workers in other processes take jobs from it as well."""
        return self._url is not None

    async def hint(self, hints: Hints) -> None:
        """Say that stages may have work. A lost hint is harmless, so trouble is logged and not raised.

        A stage that is at work may have looked already, so its hint is given again until the queue takes it.
        """
        for stage, count in (await self._hint(hints)).items():
            if stage not in self._kept:
                task = asyncio.create_task(self._hint_later(stage, count))
                self._kept[stage] = task
                task.add_done_callback(partial(self._hinted, stage))

    def _hinted(self, stage: str, _task: asyncio.Task[None]) -> None:
        self._kept.pop(stage, None)

    async def _hint_later(self, stage: str, count: int) -> None:
        pause = MIN_PAUSE_SECONDS
        while count:
            await asyncio.sleep(pause)
            pause = min(2 * pause, MAX_PAUSE_SECONDS)
            count = (await self._hint({stage: count})).get(stage, 0)

    async def _hint(self, hints: Hints) -> Hints:
        """Put the jobs on the queue; return those that wait or run there already."""
        jobs = [
            (stage, f"{stage}:{n}") for stage, count in hints.items() for n in range(min(count, MAX_JOBS))
        ]
        if not jobs:
            return {}
        try:
            queue = await self._open()
            taken = await queue.qm.queries.enqueue(
                [stage for stage, _ in jobs],
                [None] * len(jobs),
                [0] * len(jobs),
                dedupe_key=[key for _, key in jobs],
                on_conflict="skip",
            )
        except _out_of_reach() as error:
            log.warning("hint lost, the next sweep repeats it", stages=list(hints), reason=str(error))
            await self.close()
            return {}
        return Counter(stage for (stage, _), job in zip(jobs, taken, strict=True) if job is None)

    async def work(self, handlers: Mapping[str, Handler], stopping: asyncio.Event) -> None:
        """Take hints and run their handlers until `stopping` is set, then let those in flight finish.

        When the database goes away the queue is built anew, as often as it takes.
        """
        while not stopping.is_set():
            try:
                queue = await self._open()
                for stage, handler in handlers.items():
                    self._register(queue, stage, handler)
                await _run(queue, stopping)
                if not stopping.is_set():
                    log.warning("the line to the job queue broke, it is laid anew")
                    await _pause(stopping)
            except _out_of_reach() as error:
                log.warning("the job queue is out of reach, trying again", reason=str(error))
                await _pause(stopping)
            except Exception as error:
                log.exception("the job queue failed, it is built anew", reason=str(error))
                await _pause(stopping)
            finally:
                await self.close()

    async def tidy(self) -> None:
        """Forget what was done: the engine writes down every job, and nobody here reads that."""
        try:
            queries: Any = (await self._open()).qm.queries  # the port leaves out what both kinds can do
            await queries.clear_queue_log(list(STAGES))
        except _out_of_reach() as error:
            log.warning("the record of finished jobs was not tidied", reason=str(error))
            await self.close()

    async def close(self) -> None:
        """Give the connection back, and forget what waits in memory; the next call opens anew."""
        for task in tuple(self._kept.values()):
            if task is not asyncio.current_task():
                task.cancel()
        connection, self._connection, self._queue = self._connection, None, None
        if connection is not None:
            try:
                await connection.close(timeout=CLOSE_SECONDS)
            except _out_of_reach():
                # It is gone, or in the middle of a question whose answer nobody waits for any more.
                connection.terminate()

    async def _open(self) -> PgQueuer:
        async with self._opening:
            if self._queue is None:
                from pgqueuer import PgQueuer  # noqa: PLC0415 - costs 300 ms that `--help` must not pay

                if self._url is None:
                    self._queue = PgQueuer.in_memory()
                else:
                    self._connection = await _connect(self._url)
                    self._queue = queue = PgQueuer.from_asyncpg_connection(self._connection)
                    # Otherwise a lost connection would be noticed at the next look only.
                    self._connection.add_termination_listener(lambda _: queue.shutdown.set())
            return self._queue

    def _register(self, queue: PgQueuer, stage: str, handler: Handler) -> None:
        async def one_pass(_job: object) -> None:
            try:
                following = await handler()
            except CaveatError as error:
                log.warning("a pass failed, its rows stay unfinished", stage=stage, reason=str(error))
            except Exception as error:
                log.exception("a pass failed, its rows stay unfinished", stage=stage, reason=str(error))
            else:
                await self.hint(following)

        # The policy is `delete` on purpose: what a failed pass left undone stands in the tables.
        queue.entrypoint(stage, on_failure="delete", accepts_context=False)(one_pass)


async def _pause(stopping: asyncio.Event) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(stopping.wait(), PAUSE_SECONDS)


async def _run(queue: PgQueuer, stopping: asyncio.Event) -> None:
    async def leave() -> None:
        await stopping.wait()
        queue.shutdown.set()

    leaving = asyncio.create_task(leave())
    try:
        await queue.qm.run(
            batch_size=len(STAGES),
            dequeue_timeout=POLL_INTERVAL,
            heartbeat_timeout=HEARTBEAT_TIMEOUT,
            shutdown_on_listener_failure=True,
            log_aggregation_interval=timedelta(0),
        )
    finally:
        leaving.cancel()


def _plain(storage: str) -> str:
    """Return the address without the driver that SQLAlchemy reads from it."""
    scheme, _, rest = storage.partition("://")
    return f"{scheme.partition('+')[0]}://{rest}"


async def _connect(url: str) -> Any:  # noqa: ANN401 - asyncpg ships no types
    """Connect, and install PgQueuer's tables when they are missing; one process at a time does so."""
    import asyncpg  # noqa: PLC0415 - an optional extra
    from pgqueuer import Queries  # noqa: PLC0415 - costs 300 ms that `--help` must not pay
    from pgqueuer.db import AsyncpgDriver  # noqa: PLC0415 - as above

    connection = await asyncpg.connect(url, timeout=10)
    await connection.execute("SELECT pg_advisory_lock($1)", INSTALL_LOCK)
    try:
        queries = Queries(AsyncpgDriver(connection))
        if not await queries.schema_is_installed():
            await queries.install()
        else:
            await queries.upgrade()
    finally:
        await connection.execute("SELECT pg_advisory_unlock($1)", INSTALL_LOCK)
    return connection


def _out_of_reach() -> tuple[type[Exception], ...]:
    """Return what is raised when the database, or the line to it, is gone."""
    from pgqueuer.errors import FailingListenerError  # noqa: PLC0415 - costs 300 ms that `--help` must not pay

    try:
        import asyncpg  # noqa: PLC0415 - an optional extra
    except ImportError:
        return (OSError, FailingListenerError)
    told = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
    return (OSError, TimeoutError, FailingListenerError, *told)
