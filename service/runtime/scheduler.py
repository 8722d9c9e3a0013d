"""Scheduler (EDGE APScheduler): periodic ticks in UTC, without state.

Due times are in the tables, such as `groups.next_due_at`, so a missed or repeated tick only changes the time
at which they are read. `PeriodicWork` is what is started in addition to the sweep.
What a call needs is imported by it, so that the web server answers earlier.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import structlog

from service.app.clock import Clock
from service.app.factories.application import Application
from service.app.webhooks.sending import run_webhooks
from service.core.errors import CaveatError
from service.runtime.stage_monitor import log_report

if TYPE_CHECKING:
    from apscheduler.schedulers.asyncio import AsyncIOScheduler

log = structlog.get_logger("service")


@dataclass(frozen=True, slots=True)
class Tick:
    """A periodic call: its name, the seconds and minutes (cron syntax, as in `*/15`), and the function."""

    name: str
    seconds: str
    callback: Callable[[], Awaitable[None]]
    minutes: str = "*"


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
            minute=tick.minutes,
            second=tick.seconds,
            id=tick.name,
            name=tick.name,
            coalesce=True,
            max_instances=1,
            misfire_grace_time=None,
        )
    scheduler.start()
    return scheduler


class PeriodicWork:
    """The periodic calls; `use` gives the application for the length of a block."""

    def __init__(self, use: Callable[[], AbstractAsyncContextManager[Application]], clock: Clock) -> None:
        self._use, self._clock = use, clock
        self._bounces_read_at: datetime | None = None

    def ticks(self) -> tuple[Tick, ...]:
        """Return the calls with their times. Nothing that expires needs to go in the minute it expires."""
        return (
            Tick("operator", "10", self.tell_operator),
            Tick("bounces", "20", self.read_bounces),
            Tick("judge", "35", self.ask_judge),
            Tick("books", "50", self.finish_issues),
            Tick("prune", "55", self.prune, minutes="*/10"),
            Tick("webhooks", "*/10", self.send_webhooks),
        )

    async def finish_issues(self) -> None:
        """Store the numbers of finished issues, and cancel what is left of cancelled ones."""
        from service.app import maintenance  # noqa: PLC0415 - see the module's docstring

        async with self._tick("finish_failed") as app:
            await maintenance.finish_issues(app)

    async def prune(self) -> None:
        """Delete rows whose time has passed."""
        from service.app import maintenance  # noqa: PLC0415 - see the module's docstring

        async with self._tick("prune_failed") as app:
            if pruned := await maintenance.prune(app):
                log.info("pruned", rows=pruned)

    async def tell_operator(self) -> None:
        """Note what is wrong, and plan the operator's mail if it is due."""
        from service.app.operator import mail  # noqa: PLC0415 - see the module's docstring

        async with self._tick("operator_failed") as app:
            report = await mail.tell_operator(app)
            if report.mails or report.draft_mails:
                wrong = [one.sentence for one in report.problems]
                log.warning("operator_told", mails=report.mails, drafts=report.draft_mails, wrong=wrong)

    async def send_webhooks(self) -> None:
        """Record what webhooks are called for, and send the messages that are due."""
        async with self._tick("webhooks_failed") as app:
            if report := await run_webhooks(app):
                log.info("webhooks_sent", accepted=report.accepted, failed=report.failed)

    async def ask_judge(self) -> None:
        """Ask the judge, if there is one, about the articles of the next issues."""
        async with self._tick("judge_failed") as app:
            if app.settings.condense.judge is not None:
                log_report("judge", await app.ask_judge())

    async def read_bounces(self) -> None:
        """Read the bounce mailbox, unless it was read a short time ago."""
        async with self._tick("bounce_mailbox_failed") as app:
            imap, now = app.settings.mail.bounces.imap, self._clock()
            if imap is None or (self._bounces_read_at and now < self._bounces_read_at + imap.every):
                return
            from service.app import bounces  # noqa: PLC0415 - see the module's docstring

            self._bounces_read_at = now
            log.info("bounce_mailbox_read", mails=await bounces.read_bounces(app))

    @asynccontextmanager
    async def _tick(self, failed: str) -> AsyncIterator[Application]:
        """Give the application to a periodic task; its error is logged as the event `failed`."""
        try:
            async with self._use() as app:
                yield app
        except asyncio.CancelledError:
            log.info("tick_cancelled")  # by a stop, for which APScheduler would log a traceback
        except CaveatError as error:
            log.warning(failed, reason=str(error))
