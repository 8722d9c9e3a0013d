"""The scheduler: ticks in UTC; late ones are not dropped."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from service.core.errors import StoreError
from service.runtime.scheduler import PeriodicWork, Tick, start_scheduler
from tests.deliver.fakes import Clock


async def nothing() -> None:
    """Do nothing."""


@pytest.fixture
async def scheduler():
    started = start_scheduler([Tick("compose", "0", nothing), Tick("gather", "*/20", nothing)])
    yield started
    started.shutdown(wait=False)


async def test_ticks_run_at_their_seconds_of_every_minute_in_utc(scheduler):
    moment = datetime(2026, 10, 25, 0, 59, 59, tzinfo=UTC)
    for name, seconds in (("compose", [0, 0, 0]), ("gather", [0, 20, 40])):
        trigger, at, found = scheduler.get_job(name).trigger, moment, []
        for _ in range(3):
            at = trigger.get_next_fire_time(None, at)
            found.append(at)
            at += timedelta(microseconds=1)
        assert [fire.second for fire in found] == seconds
        assert {fire.utcoffset() for fire in found} == {timedelta(0)}


async def test_the_end_of_summer_time_adds_no_tick(scheduler):
    trigger = scheduler.get_job("compose").trigger
    before = datetime(2026, 10, 25, 0, 58, 30, tzinfo=UTC)  # Berlin repeats an hour at 01:00 UTC
    fires = []
    for _ in range(3):
        before = trigger.get_next_fire_time(None, before)
        fires.append(before.isoformat())
        before += timedelta(microseconds=1)

    assert fires == [
        "2026-10-25T00:59:00+00:00",
        "2026-10-25T01:00:00+00:00",
        "2026-10-25T01:01:00+00:00",
    ]


async def test_a_late_tick_runs_once(scheduler):
    for job in scheduler.get_jobs():
        assert (job.misfire_grace_time, job.coalesce, job.max_instances) == (None, True, 1)


async def test_a_tick_runs_on_the_running_loop():
    beaten = asyncio.Event()

    async def beat() -> None:
        beaten.set()

    scheduler = start_scheduler([Tick("now", "*", beat)])
    try:
        scheduler.get_job("now").modify(next_run_time=datetime.now(UTC))
        async with asyncio.timeout(5):
            await beaten.wait()
    finally:
        scheduler.shutdown(wait=False)


@pytest.mark.parametrize(
    "error",
    [StoreError("the disk is full"), OSError("no space"), KeyError("a bug"), asyncio.CancelledError()],
)
async def test_a_periodic_call_that_fails_ends_no_other_and_comes_again(error: BaseException):
    class Broken:
        def __getattr__(self, _name: str) -> object:
            raise error

    used: asyncio.Queue[None] = asyncio.Queue()

    @asynccontextmanager
    async def use() -> AsyncIterator[Any]:
        used.put_nowait(None)
        yield Broken()

    ticks = PeriodicWork(use, Clock()).ticks()
    scheduler = start_scheduler(ticks)
    try:
        for tick in ticks:
            scheduler.get_job(tick.name).modify(next_run_time=datetime.now(UTC))
        async with asyncio.timeout(30):
            for _ in ticks:
                await used.get()
        assert all(scheduler.get_job(tick.name).next_run_time is not None for tick in ticks)
    finally:
        scheduler.shutdown(wait=False)
