"""Scheduler (EDGE APScheduler): periodic ticks in UTC, without state.

Due times are in the tables, such as `groups.next_due_at`, so a missed or repeated tick only changes the time
at which they are read.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from apscheduler.schedulers.asyncio import AsyncIOScheduler


@dataclass(frozen=True, slots=True)
class Tick:
    """A periodic call: its name, the seconds of each minute (cron syntax, as in `*/15`), and the function."""

    name: str
    seconds: str
    callback: Callable[[], Awaitable[None]]


def start_scheduler(ticks: Sequence[Tick]) -> AsyncIOScheduler:
    """Start the ticks on the running event loop; return the scheduler, for `shutdown`.

    UTC, because cron in a local zone fires twice when summer time ends. `coalesce` and one instance, because
    several late ticks need only one run. No grace time, because the default drops ticks that are more than a
    second late.
    """
    from apscheduler.schedulers.asyncio import (  # noqa: PLC0415 - not for `--help`
        AsyncIOScheduler,
    )

    scheduler = AsyncIOScheduler(timezone="UTC")
    for tick in ticks:
        scheduler.add_job(
            tick.callback,
            "cron",
            second=tick.seconds,
            id=tick.name,
            name=tick.name,
            coalesce=True,
            max_instances=1,
            misfire_grace_time=None,
        )
    scheduler.start()
    return scheduler
