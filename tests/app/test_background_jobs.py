"""Background jobs: started once for a key, with progress, and ended with their application."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from service.app.background_jobs import FAILED, MAX_KEPT, MAX_RUNNING, BackgroundJobs
from service.core.errors import UsageError
from service.core.progress import Progress

APP = object()


def work_until(
    event: asyncio.Event, started: list[str], name: str = "x"
) -> Callable[[Progress], Awaitable[str]]:
    async def work(progress: Progress) -> str:
        started.append(name)
        progress("step", 1, 2)
        await event.wait()
        return name

    return work


async def test_a_key_is_started_once_and_its_result_is_kept():
    jobs, event, started = BackgroundJobs(), asyncio.Event(), list[str]()
    first, *others = (jobs.start("key", APP, work_until(event, started)) for _ in range(20))
    assert all(one is first for one in others)
    assert not await first.wait(0)
    assert (first.is_running, first.step, first.done, first.total) == (True, "step", 1, 2)
    event.set()
    await jobs.finished(APP)
    assert (jobs.start("key", APP, work_until(event, started)).result, started) == ("x", ["x"])


async def test_a_job_that_failed_has_a_sentence_and_may_be_started_again():
    jobs = BackgroundJobs()

    async def fail(_progress: Progress) -> None:
        raise UsageError("nobody gets it")

    async def crash(_progress: Progress) -> None:
        raise RuntimeError("secret")

    failed, crashed = jobs.start("a", APP, fail), jobs.start("b", APP, crash)
    await jobs.finished(APP)
    assert (failed.problem, crashed.problem) == ("Nobody gets it", FAILED)
    assert jobs.start("a", APP, fail) is not failed
    await jobs.finished(APP)


async def test_closing_an_application_ends_its_jobs_and_no_others():
    jobs, event, started = BackgroundJobs(), asyncio.Event(), list[str]()
    mine = jobs.start("mine", APP, work_until(event, started))
    other = jobs.start("other", object(), work_until(event, started))
    await asyncio.sleep(0)
    await jobs.close(APP)
    assert (mine.is_running, mine.problem) == (False, "The service stopped before this was done.")
    assert other.is_running
    event.set()
    await other.wait(5)


async def test_the_numbers_of_running_and_kept_jobs_are_bounded():
    jobs, event, started = BackgroundJobs(), asyncio.Event(), list[str]()
    for number in range(MAX_RUNNING):
        jobs.start(f"{number}", APP, work_until(event, started))
    with pytest.raises(UsageError):
        jobs.start("more", APP, work_until(event, started))
    event.set()
    await jobs.finished(APP)
    for number in range(MAX_KEPT + 50):
        await jobs.start(f"later {number}", APP, work_until(event, started)).wait(5)
    assert jobs.find("later 0") is None
    assert jobs.find(f"later {MAX_KEPT + 49}") is not None
    assert sum(jobs.find(f"later {number}") is not None for number in range(MAX_KEPT + 50)) == MAX_KEPT
