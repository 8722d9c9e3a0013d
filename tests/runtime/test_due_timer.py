"""The due timer wakes the deliver stage once for each due time."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.errors import StoreError
from service.runtime import due_timer as vigil
from service.runtime.due_timer import MAX_WAIT, MIN_WAIT, run_due_timer, wait_time
from tests.builders import NOON

SECOND = timedelta(seconds=1)


class Night:
    """A clock that every look moves on by a second, and the moments at which deliveries come due in it."""

    def __init__(self, moments: list[datetime], *, ends: datetime) -> None:
        self.now, self.moments, self.ends = NOON, moments, ends
        self.hinted: list[datetime] = []
        self.stopping = asyncio.Event()

    def clock(self) -> datetime:
        return self.now

    async def next_due(self, since: datetime) -> datetime | None:
        self.now += SECOND
        if self.now >= self.ends:
            self.stopping.set()
        return min((moment for moment in self.moments if moment > since), default=None)

    async def hint(self) -> None:
        self.hinted.append(self.now)

    async def watched(self) -> list[datetime]:
        await run_due_timer(self.next_due, self.hint, self.clock, self.stopping)
        return self.hinted


@pytest.fixture
def _briefly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vigil, "MAX_WAIT", timedelta(0))
    monkeypatch.setattr(vigil, "MIN_WAIT", timedelta(0))


@pytest.mark.usefixtures("_briefly")
async def test_a_due_time_wakes_at_once():
    night = Night([NOON + 5 * SECOND], ends=NOON + 20 * SECOND)

    assert await night.watched() == [NOON + 5 * SECOND]


@pytest.mark.usefixtures("_briefly")
async def test_earlier_due_times_are_left_to_the_sweep():
    assert await Night([NOON - SECOND, NOON], ends=NOON + 20 * SECOND).watched() == []


@pytest.mark.usefixtures("_briefly")
async def test_simultaneous_due_times_wake_once():
    moments = [NOON + timedelta(seconds=4, milliseconds=n) for n in range(1, 900)]

    assert await Night(moments, ends=NOON + 20 * SECOND).watched() == [NOON + 5 * SECOND]


@pytest.mark.usefixtures("_briefly")
async def test_a_new_lease_is_found():
    night = Night([NOON + 60 * SECOND], ends=NOON + 20 * SECOND)
    night.moments.append(NOON + 10 * SECOND)

    assert await night.watched() == [NOON + 10 * SECOND]


@pytest.mark.usefixtures("_briefly")
async def test_an_unreachable_database_loses_no_due_time():
    night = Night([NOON + 2 * SECOND], ends=NOON + 20 * SECOND)
    answers = night.next_due

    async def out_of_reach_at_first(since: datetime) -> datetime | None:
        due = await answers(since)
        if night.now < NOON + 9 * SECOND:
            raise StoreError("the record is away")
        return due

    night.next_due = out_of_reach_at_first

    assert await night.watched() == [NOON + 9 * SECOND]


@given(st.none() | st.timedeltas(timedelta(days=-9), timedelta(days=9)))
def test_the_wait_has_a_minimum_and_a_maximum(until: timedelta | None):
    length = wait_time(None if until is None else NOON + until, NOON)

    assert MIN_WAIT <= length <= MAX_WAIT
    if until is not None and MIN_WAIT <= until <= MAX_WAIT:
        assert length == until
