"""Vigil: waits for the moment at which deliveries come due, so that nobody waits for the next sweep.

A retry has its moment, and so has a batch whose worker died: the end of its lease. The sweep asks once a
minute; whoever keeps vigil hints within a second.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime, timedelta

from service.core.errors import CaveatError

MAX_WAIT = timedelta(seconds=15)
"""So often at least, because new leases are made meanwhile; they run for four times as long."""
MIN_WAIT = timedelta(seconds=0.25)
"""So long at least between two hints, however many moments there are."""

NextDue = Callable[[datetime], Awaitable[datetime | None]]
"""The first moment after a given one at which a delivery comes due, or None."""


async def run_due_timer(
    next_due: NextDue,
    hint: Callable[[], Awaitable[None]],
    clock: Callable[[], datetime],
    stopping: asyncio.Event,
) -> None:
    """Call `hint` whenever the moment of a delivery has come, once for each, until `stopping` is set."""
    since = clock()
    while not stopping.is_set():
        try:
            due = await next_due(since)
        except CaveatError:
            # The record is out of reach. The sweep says so, and once it is back this goes on from `since`.
            due = None
        now = clock()
        if due is not None and due <= now:
            since = now
            await hint()
        await _pause(stopping, wait_time(due, now))


def wait_time(due: datetime | None, now: datetime) -> timedelta:
    """Return how long to wait before the next look, when the next moment known is `due`."""
    return MAX_WAIT if due is None else min(max(due - now, MIN_WAIT), MAX_WAIT)


async def _pause(stopping: asyncio.Event, length: timedelta) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(stopping.wait(), length.total_seconds())
