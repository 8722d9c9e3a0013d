"""Background jobs: work that a web request starts and does not wait for, with its progress.

A job has a key: a request with the same key finds the job that runs, or its result, and starts nothing. Jobs
are kept in memory, and a process that ends loses them. So a job changes the database in one transaction, or
it can be repeated.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from service.core.errors import CaveatError, UsageError
from service.core.progress import Progress

MAX_RUNNING = 32  # each holds a connection to the database now and then
MAX_KEPT = 200  # finished jobs, with their results; the oldest is forgotten first
FAILED = "Something went wrong; the log of the service has the details."

log = logging.getLogger("service")


@dataclass(eq=False)
class Job:
    """One piece of work. `step`, `done` and `total` are its latest progress report.

    `about` is what the starter wants to know of it later. `result` is None until it ended without an error;
    `problem` is the sentence of its error, "" without one.
    """

    key: str
    about: object
    user: object
    step: str = ""
    done: int = 0
    total: int = 0
    result: Any = None
    problem: str = ""
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None

    @property
    def is_running(self) -> bool:
        """Whether it has not ended."""
        return not self.ended.is_set()

    async def wait(self, seconds: float) -> bool:
        """Wait until it ends, at most so long; return whether it ended."""
        try:
            await asyncio.wait_for(self.ended.wait(), seconds)
        except TimeoutError:
            return False
        return True

    def report(self, step: str, done: int, total: int) -> None:
        """Store a progress report (a `Progress`)."""
        self.step, self.done, self.total = step, done, total


class BackgroundJobs:
    """The jobs of one process, by key."""

    def __init__(self) -> None:
        self._jobs: dict[str, Job] = {}

    def find(self, key: str) -> Job | None:
        """Return the job with this key, running or ended; None for none and for one that was forgotten."""
        return self._jobs.get(key)

    def running(self) -> list[Job]:
        """Return the jobs that run, in the order of their start."""
        return [job for job in self._jobs.values() if job.is_running]

    def start(
        self, key: str, user: object, work: Callable[[Progress], Awaitable[Any]], *, about: object = None
    ) -> Job:
        """Start a job, or return the one with this key that runs or ended without an error.

        `work` is given the function that it reports its progress to. `user` is the application whose database
        it uses. Raises UsageError while too many jobs run.
        """
        found = self._jobs.get(key)
        if found is not None and not found.problem:
            return found
        if len(self.running()) >= MAX_RUNNING:
            raise UsageError(f"{MAX_RUNNING} other tasks are running; try again when one of them has ended")
        self._forget_oldest()
        self._jobs.pop(key, None)
        job = self._jobs[key] = Job(key, about, user)
        job.task = asyncio.create_task(_run(job, work))
        return job

    def forget(self, key: str) -> None:
        """Forget the job with this key if it has ended, so that it can be started again."""
        if (job := self._jobs.get(key)) is not None and not job.is_running:
            del self._jobs[key]

    async def finished(self, user: object) -> None:
        """Wait until no job of this application runs."""
        while jobs := self._of(user):
            await asyncio.gather(*(job.ended.wait() for job in jobs))

    async def close(self, user: object) -> None:
        """Cancel the jobs of this application, and wait until they have ended."""
        tasks = [job.task for job in self._of(user) if job.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _of(self, user: object) -> list[Job]:
        return [job for job in self.running() if job.user is user]

    def _forget_oldest(self) -> None:
        ended = [key for key, job in self._jobs.items() if not job.is_running]
        for key in ended[: max(0, len(ended) - MAX_KEPT + 1)]:
            del self._jobs[key]


async def _run(job: Job, work: Callable[[Progress], Awaitable[Any]]) -> None:
    try:
        job.result = await work(job.report)
    except CaveatError as error:
        job.problem = error.sentence
    except asyncio.CancelledError:
        job.problem = "The service stopped before this was done."
        raise
    except Exception:
        job.problem = FAILED
        log.exception("job_failed", extra={"job": job.key})
    finally:
        job.ended.set()
