"""The service: what runs for years. Scheduler, worker and web door in one process, or each apart.

What there is to do stands in the tables. At the start and every minute a sweep asks them and hints the
stages; a handler does one pass and hints the next. A configuration that is saved and whole is taken over
without a stop; one that is broken is told in the log, and the last good one stays.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

import structlog

from service.app.bounces import read_bounces
from service.app.clock import Clock, utc_now
from service.app.factories.application import Application, bootstrap
from service.app.maintenance import prune
from service.app.process_pool.pool import ProcessPool
from service.core.errors import CaveatError, ConfigError
from service.core.progress import Progress
from service.core.stages import STAGES
from service.runtime.bounce_server import BounceServer
from service.runtime.config_watcher import config_changes
from service.runtime.descriptors import DescriptorShares, raise_descriptor_limit, share_descriptors
from service.runtime.due_timer import run_due_timer
from service.runtime.http_server import ASGIApp, listen, serve
from service.runtime.job_queue import Handler, Hints, JobQueue, hints_of, jobs_for
from service.runtime.reload import ReloadableApp
from service.runtime.scheduler import Tick, start_scheduler
from service.runtime.stage_monitor import StageMonitor, log_report
from service.settings.values import LoadedConfig, WebSettings

STOP_GRACE_SECONDS = 9.0
"""Seconds that what is in flight has to finish after a stop; the service is gone within ten."""

WebListener = tuple[socket.socket, ASGIApp, int]
"""Where we listen, what answers there, and how many connections may be open at once."""

log = structlog.get_logger("service")


@dataclass(frozen=True, slots=True)
class Roles:
    """What a process does: which stages it works on, whether it keeps time, whether it serves the web."""

    stages: tuple[str, ...] = STAGES
    schedule: bool = True
    web: bool = True


class Service:
    """A running service. `load` reads the configuration, at the start and after every save.

    `started` is set once everything runs. `fault` says why the configuration that was saved last is not the
    one in force; None when it is.
    """

    def __init__(
        self, load: Callable[[], LoadedConfig], roles: Roles | None = None, *, clock: Clock = utc_now
    ) -> None:
        self._load, self._roles, self._clock = load, roles or Roles(), clock
        self._tenancy: ReloadableApp
        self._dispatch: JobQueue
        self._pool: ProcessPool
        self._watch: StageMonitor
        self._reception: BounceServer
        self.started = asyncio.Event()
        self._bounces_read_at: datetime | None = None
        self.config_error: ConfigError | None = None

    @property
    def app(self) -> Application:
        """The house that is lived in, once the service has started."""
        return self._tenancy.current

    async def run(self, stopping: asyncio.Event) -> None:
        """Run until `stopping` is set, then let what is in flight finish, for nine seconds at most.

        Raises ConfigError, StoreError or CaveatError when it cannot start.
        """
        loaded = self._load()
        settings = loaded.settings
        doors = self._doors(settings.web, share_descriptors(raise_descriptor_limit(), settings))
        self._pool = ProcessPool(settings.condense.processes or None)
        self._watch = StageMonitor(lambda: self._pool.problem)
        self._dispatch = JobQueue(settings.storage)
        try:
            self._tenancy = ReloadableApp(await self._opened(loaded))
            self._reception = BounceServer(self._tenancy, self._clock)
            await self._move_in(loaded)
            try:
                await self._work(doors, stopping)
            finally:
                await self._tenancy.close()
        finally:
            for door, _, _ in doors:
                door.close()
            await self._dispatch.close()
            self._pool.shutdown(wait=False, cancel_futures=True)
            log.info("stopped")

    async def sweep(self) -> None:
        """Hint the stages at whatever the tables call unfinished."""
        try:
            async with self._tenancy.use() as house:
                unfinished = await house.unfinished()
                if self._roles.schedule:
                    house.health.last_tick_at = self._clock()
        except CaveatError as error:
            log.warning("the sweep could not ask the record, the next one will", reason=str(error))
            return
        hints = hints_of(unfinished)
        if not self._dispatch.is_shared:
            self._watch.note_waiting(stage for stage in self._roles.stages if hints[stage])
        await self._dispatch.hint(hints)

    async def _work(self, doors: Sequence[WebListener], stopping: asyncio.Event) -> None:
        """Do everything that the roles ask for, side by side, until the end or until one of them fails."""
        await self.sweep()
        if "deliver" in self._roles.stages:
            await self._reception.reconfigure(self._tenancy.current.settings)
        duties = [self._follow_saves(stopping), self._reception.run(stopping), self._watch.run(stopping)]
        if self._roles.stages:
            duties.append(self._dispatch.work(self._handlers(stopping), stopping))
        if "deliver" in self._roles.stages:
            duties.append(run_due_timer(self._next_due, self._hint_deliver, self._clock, stopping))
        trusted = self._tenancy.current.settings.web.trusted_proxies
        duties += [
            serve(application, door, stopping, max_connections=most, trusted_proxies=trusted)
            for door, application, most in doors
        ]
        if self._roles.schedule:
            duties.append(self._keep_time(stopping))
        self.started.set()
        listening = [f"http://{host}:{port}" for host, port in (door[0].getsockname()[:2] for door in doors)]
        log.info("started", stages=self._roles.stages, schedule=self._roles.schedule, listening=listening)
        await run_together(duties, stopping)

    async def _keep_time(self, stopping: asyncio.Event) -> None:
        ticks = (
            Tick("sweep", "0", self.sweep),
            Tick("bounces", "20", self._read_bounces),
            Tick("tidy", "40", self._dispatch.tidy),
            Tick("prune", "50", self._prune),
        )
        scheduler = start_scheduler(ticks)
        try:
            await stopping.wait()
        finally:
            scheduler.shutdown(wait=False)

    async def _prune(self) -> None:
        """Forget what has had its time in the record."""
        try:
            async with self._tenancy.use() as house:
                pruned = await prune(house)
        except CaveatError as error:
            log.warning("prune_failed", reason=str(error))
        else:
            if pruned:
                log.info("pruned", rows=pruned)

    async def _next_due(self, after: datetime) -> datetime | None:
        async with self._tenancy.use() as house:
            return await house.overview.next_delivery_due(after)

    async def _hint_deliver(self) -> None:
        await self._dispatch.hint({"deliver": 1})

    async def _read_bounces(self) -> None:
        """Read the bounce mailbox, when it is time to."""
        async with self._tenancy.use() as house:
            imap, now = house.settings.mail.bounces.imap, self._clock()
            if imap is None or (self._bounces_read_at and now < self._bounces_read_at + imap.every):
                return
            self._bounces_read_at = now
            try:
                letters = await read_bounces(house)
            except CaveatError as error:
                log.warning("the bounce mailbox was not read, it is tried again", reason=str(error))
            else:
                log.info("the bounce mailbox is read", letters=letters)

    # --- the passes ------------------------------------------------------------------------

    def _handlers(self, stopping: asyncio.Event) -> dict[str, Handler]:
        """Return one pass of each stage that this process works on."""

        async def gather() -> Hints:
            async with self._passing("gather") as (house, step):
                report = log_report("gather", await house.gather(progress=step))
            return {"condense": 1} if report.new else {}

        async def condense() -> Hints:
            async with self._passing("condense") as (house, step):
                report = log_report("condense", await house.condense(progress=step))
            return {"compose": 1} if report.condensed else {}

        async def compose() -> Hints:
            async with self._passing("compose") as (house, step):
                report = log_report("compose", await house.compose(progress=step))
            return {"deliver": jobs_for("deliver", report.deliveries)}

        async def deliver() -> Hints:
            async with self._passing("deliver") as (house, step):
                log_report("deliver", await house.deliver(stopping=stopping, progress=step))
            return {}

        handlers = {"gather": gather, "condense": condense, "compose": compose, "deliver": deliver}
        return {stage: handlers[stage] for stage in self._roles.stages}

    @asynccontextmanager
    async def _passing(self, stage: str) -> AsyncIterator[tuple[Application, Progress]]:
        """Give the house for a pass, and what the pass calls at each step."""
        with self._watch.track(stage) as step:
            async with self._tenancy.use() as house:
                yield house, step

    # --- the configuration -----------------------------------------------------------------

    async def _follow_saves(self, stopping: asyncio.Event) -> None:
        async for _ in config_changes(self._tenancy.current.settings.folder, stopping):
            try:
                await self._take_over(self._load())
                self.config_error = None
            except ConfigError as error:
                self.config_error = error
                faults = [str(fault) for fault in error.faults]
                log.warning("the configuration is not taken over, the last good one stays", faults=faults)
            except CaveatError as error:
                log.warning("the configuration is not taken over, the last good one stays", reason=str(error))

    async def _take_over(self, loaded: LoadedConfig) -> None:
        """Move into a house of the new configuration; where we listen and what we store in stays as it is."""
        house = self._tenancy.current
        settings = replace(loaded.settings, storage=house.settings.storage, web=house.settings.web)
        if (loaded.settings.storage, loaded.settings.web) != (settings.storage, settings.web):
            log.warning("storage and web take effect at the next start")
        if (settings, loaded.roster) == (house.settings, house.roster):
            return
        loaded = replace(loaded, settings=settings)
        house = await self._opened(loaded)
        try:
            if "deliver" in self._roles.stages:
                await self._reception.reconfigure(settings)
        except CaveatError:
            await house.close()
            raise
        self._tenancy.replace(house)
        await self._move_in(loaded)
        log.info("the configuration is taken over")
        await self.sweep()

    async def _opened(self, loaded: LoadedConfig) -> Application:
        return await bootstrap(
            loaded.settings,
            loaded.roster,
            clock=self._clock,
            pool=self._pool,
            notify_workers=self._notify_workers,
            stage_problems=self._watch.problems,
        )

    async def _notify_workers(self, stage: str, items: int) -> None:
        await self._dispatch.hint({stage: jobs_for(stage, items)})

    async def _move_in(self, loaded: LoadedConfig) -> None:
        for warning in loaded.warnings:
            log.warning("odd in the configuration", where=str(warning))
        if self._roles.schedule:
            report = await self._tenancy.current.apply_roster()
            for problem in report.problems:
                log.warning("odd in the roster", what=problem)
            log.info("roster applied", feeds=asdict(report.feeds), subscriptions=asdict(report.subscriptions))

    # --- the web door ----------------------------------------------------------------------

    def _doors(self, web: WebSettings, shares: DescriptorShares) -> list[WebListener]:
        """Return where we listen, and what answers there: the house that is lived in at that moment."""

        async def pages(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI's shape
            from service.runtime.web_pages import web_application  # noqa: PLC0415 - workers have no pages

            async with self._tenancy.use() as house:
                await web_application(house)(scope, receive, send)

        async def metrics(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - as above
            from service.runtime.web_pages import metrics_pages  # noqa: PLC0415 - workers have no pages

            async with self._tenancy.use() as house:
                await metrics_pages(house)(scope, receive, send)

        doors: list[WebListener] = []
        if self._roles.web:
            doors.append((listen(web.listen_host, web.listen_port), pages, shares.web))
        if web.metrics_listen is not None:
            try:
                doors.append((listen(*web.metrics_listen), metrics, shares.metrics))
            except CaveatError as error:
                # Another process of the same configuration has it, and mail matters more than figures.
                log.warning(
                    "no figures of this process; CAVEAT_WEB__METRICS_LISTEN gives it an address of its own",
                    reason=str(error),
                )
        return doors


async def run_together(duties: Sequence[Coroutine[Any, Any, None]], stopping: asyncio.Event) -> None:
    """Run the duties until they end; the first that fails stops the others, and its error is raised.

    Once `stopping` is set they have `GRACE` seconds to come to an end by themselves.
    """
    tasks = [asyncio.create_task(duty) for duty in duties]
    stop = asyncio.create_task(stopping.wait())
    try:
        left = set(tasks)
        while left and not stopping.is_set():
            done, _ = await asyncio.wait({*left, stop}, return_when=asyncio.FIRST_COMPLETED)
            left -= done
            if any(not task.cancelled() and task.exception() for task in done):
                stopping.set()
        if left:
            await asyncio.wait(left, timeout=STOP_GRACE_SECONDS)
    finally:
        for task in (*tasks, stop):
            task.cancel()
        await asyncio.gather(*tasks, stop, return_exceptions=True)
    for task in tasks:
        if not task.cancelled():
            task.result()
