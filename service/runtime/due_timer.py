"""Due timer: wakes the deliver stage when a delivery comes due.

A retry has a due time; the batch of a worker that died is due at the end of its lease. A sweep would find
them within a minute; the timer takes less than a second.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from service.core.errors import CaveatError
from service.runtime.waiting import wait_for_any

MAX_WAIT = timedelta(seconds=15)
"""Between two queries, because new leases are added meanwhile; a lease lasts four times as long."""
MIN_WAIT = timedelta(seconds=0.25)
"""Between two wake-ups, even if many deliveries come due."""

NextDue = Callable[[datetime], Awaitable[datetime | None]]
"""Returns the first time after a given one at which a delivery comes due, or None."""


async def run_due_timer(
    next_due: NextDue,
    wake: Callable[[], Awaitable[None]],
    clock: Callable[[], datetime],
    stopping: asyncio.Event,
) -> None:
    """Call `wake` once for each due time that has come, until `stopping` is set."""
    since = clock()
    while not stopping.is_set():
        try:
            due = await next_due(since)
        except CaveatError:
            # The database is unreachable, which the sweep logs. The next query starts at `since` again.
            due = None
        now = clock()
        if due is not None and due <= now:
            since = now
            await wake()
        await wait_for_any(stopping, seconds=wait_time(due, now).total_seconds())


def wait_time(due: datetime | None, now: datetime) -> timedelta:
    """Return how long to wait before the next query, when the next known due time is `due`."""
    return MAX_WAIT if due is None else min(max(due - now, MIN_WAIT), MAX_WAIT)
