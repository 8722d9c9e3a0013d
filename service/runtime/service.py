"""The service: scheduler, worker and web server, in one process or in several.

The work of each stage is in the tables. A sweep, at the start and every minute, reads them and signals the
stages; each stage signals the next one when it has made work for it. A saved configuration is applied without
a restart if it is valid; if not, the log says why and the last valid one stays in force.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime

import structlog

from service.app.background_jobs import BackgroundJobs
from service.app.clock import Clock, utc_now
from service.app.config.in_force import last_valid_roster, roster_in_force
from service.app.factories.application import Application, bootstrap
from service.app.process_pool.pool import ProcessPool
from service.app.webhooks.sending import declare_webhooks
from service.core.errors import CaveatError, ConfigError
from service.core.model import HeldChange
from service.core.progress import Progress
from service.core.stages import STAGES
from service.runtime.bounce_server import BounceServer
from service.runtime.config_guard import ConfigGuard, RejectedConfig
from service.runtime.config_watcher import config_changes
from service.runtime.descriptors import raise_descriptor_limit, share_descriptors
from service.runtime.due_timer import run_due_timer
from service.runtime.http.http_server import serve
from service.runtime.http.listeners import WebListener, web_listeners
from service.runtime.reload import ReloadableApp
from service.runtime.scheduler import PeriodicWork, Tick, start_scheduler
from service.runtime.stage_monitor import StageMonitor, log_report
from service.runtime.stage_signals import Handler, StageSignals, stages_with_work
from service.runtime.together import run_together
from service.settings.values import LoadedConfig

log = structlog.get_logger("service")


@dataclass(frozen=True, slots=True)
class Roles:
    """What a process does: the stages that it runs, whether it schedules, whether it serves the web."""

    stages: tuple[str, ...] = STAGES
    schedule: bool = True
    web: bool = True


class Service:
    """A running service. `load` reads the configuration after each change of its files.

    `load_at_start` reads it at the start, by default with `load`; it may return `faults` of roster files, and
    then the last valid roster is in force. `started` is set once everything runs.
    """

    def __init__(
        self,
        load: Callable[[], LoadedConfig],
        roles: Roles | None = None,
        *,
        load_at_start: Callable[[], LoadedConfig] | None = None,
        clock: Clock = utc_now,
    ) -> None:
        self._load, self._load_at_start = load, load_at_start or load
        self._roles, self._clock = roles or Roles(), clock
        self._apps: ReloadableApp
        self._signals: StageSignals
        self._pool: ProcessPool
        self._monitor: StageMonitor
        self._bounce_server: BounceServer
        self._jobs = BackgroundJobs()
        self.started = asyncio.Event()
        self._guard = ConfigGuard()
        self._rejected = RejectedConfig()

    @property
    def app(self) -> Application:
        """The current application, once the service has started."""
        return self._apps.current

    @property
    def config_error(self) -> ConfigError | None:
        """Why the configuration saved last is not in force; None when it is."""
        return self._rejected.error

    @property
    def held_change(self) -> HeldChange | None:
        """The change that the guard keeps out of force; None if there is none."""
        return self._guard.held

    async def run(self, stopping: asyncio.Event) -> None:
        """Run until `stopping` is set, then let work in progress finish, for nine seconds at most.

        Raises ConfigError, StoreError or CaveatError when it cannot start.
        """
        loaded = self._load_at_start()
        settings = loaded.settings
        shares = share_descriptors(raise_descriptor_limit(), settings)
        listeners = web_listeners(lambda: self._apps, settings.web, shares, serves_web=self._roles.web)
        self._pool = ProcessPool(settings.condense.processes or None)
        self._monitor = StageMonitor(lambda: self._pool.problem)
        self._signals = StageSignals(settings.storage)
        try:
            self._apps = ReloadableApp(await self._open_app(loaded))
            self._bounce_server = BounceServer(self._apps, self._clock)
            await self._start_config(loaded)
            try:
                await self._run_roles(listeners, stopping)
            finally:
                await self._apps.close()
        finally:
            for listener, _, _ in listeners:
                listener.close()
            await self._signals.close()
            self._pool.shutdown(wait=False, cancel_futures=True)
            log.info("stopped")

    async def sweep(self) -> None:
        """Signal the stages that have work, as the tables say."""
        try:
            async with self._apps.use() as app:
                stages = stages_with_work(await app.pending_work())
                if self._roles.schedule:
                    app.health.last_tick_at = self._clock()
        except CaveatError as error:
            log.warning("sweep_failed", reason=str(error))
            return
        if not self._signals.is_shared:
            self._monitor.note_waiting(set(stages) & set(self._roles.stages))
        await self._signals.send(stages)

    async def _run_roles(self, listeners: Sequence[WebListener], stopping: asyncio.Event) -> None:
        """Run everything that the roles name, until `stopping` is set or one part fails."""
        await self.sweep()
        if "deliver" in self._roles.stages:
            await self._bounce_server.reconfigure(self._apps.current.settings.mail.bounces.listen)
        parts = [
            self._follow_config(stopping),
            self._bounce_server.run(stopping),
            self._monitor.run(stopping),
        ]
        if self._roles.stages:
            parts.append(self._signals.run(self._handlers(stopping), stopping))
        if "deliver" in self._roles.stages:
            parts.append(run_due_timer(self._next_due, self._wake_deliver, self._clock, stopping))
        trusted = self._apps.current.settings.web.trusted_proxies
        parts += [
            serve(application, listener, stopping, max_connections=limit, trusted_proxies=trusted)
            for listener, application, limit in listeners
        ]
        if self._roles.schedule:
            parts.append(self._run_scheduler(stopping))
        self.started.set()
        addresses = (listener.getsockname()[:2] for listener, _, _ in listeners)
        listening = [f"http://{host}:{port}" for host, port in addresses]
        log.info("started", stages=self._roles.stages, schedule=self._roles.schedule, listening=listening)
        await run_together(parts, stopping)

    async def _run_scheduler(self, stopping: asyncio.Event) -> None:
        periodic = PeriodicWork(self._apps.use, self._clock)
        scheduler = start_scheduler((Tick("sweep", "0", self.sweep), *periodic.ticks()))
        try:
            await stopping.wait()
        finally:
            scheduler.shutdown(wait=False)

    async def _next_due(self, after: datetime) -> datetime | None:
        async with self._apps.use() as app:
            return await app.queries.next_delivery_due(after)

    async def _wake_deliver(self) -> None:
        # Each process that delivers has its own timer, so the others need no signal.
        self._signals.wake(["deliver"])

    # --- the stages ------------------------------------------------------------------------

    def _handlers(self, stopping: asyncio.Event) -> dict[str, Handler]:
        """Return a function per stage: it runs the stage once and returns the stages that then have work."""

        async def gather() -> Collection[str]:
            async with self._run_of("gather") as (app, progress):
                report = log_report("gather", await app.gather(progress=progress))
            return ["condense"] if report.new else []

        async def condense() -> Collection[str]:
            async with self._run_of("condense") as (app, progress):
                report = log_report("condense", await app.condense(progress=progress))
            return ["compose"] if report.condensed else []

        async def compose() -> Collection[str]:
            async with self._run_of("compose") as (app, progress):
                report = log_report("compose", await app.compose(progress=progress))
            return ["deliver"] if report.deliveries else []

        async def deliver() -> Collection[str]:
            async with self._run_of("deliver") as (app, progress):
                log_report("deliver", await app.deliver(stopping=stopping, progress=progress))
            return []

        handlers = {"gather": gather, "condense": condense, "compose": compose, "deliver": deliver}
        return {stage: handlers[stage] for stage in self._roles.stages}

    @asynccontextmanager
    async def _run_of(self, stage: str) -> AsyncIterator[tuple[Application, Progress]]:
        """Give the application for one run of a stage, and the function that the run reports progress to."""
        with self._monitor.track(stage) as progress:
            async with self._apps.use() as app:
                yield app, progress

    # --- the configuration -----------------------------------------------------------------

    async def _start_config(self, loaded: LoadedConfig) -> None:
        """Apply the roster of the start, unless it has faults or the guard holds it back.

        Then the last one stays in force. Raises ConfigError if there is none.
        """
        app = self._apps.current
        if loaded.faults:
            app.roster = await last_valid_roster(app, loaded.faults)
            self._rejected.reject(ConfigError(loaded.faults))
        elif await self._guard.lets_pass(app, loaded.roster):
            await self._apply_roster(loaded)
        else:
            app.roster = await roster_in_force(app, loaded.roster)

    async def _follow_config(self, stopping: asyncio.Event) -> None:
        async for changed in config_changes(self._apps.current.settings.folder, stopping):
            # `caveat config apply --yes` confirms a held change without changing a file.
            if changed or self._guard.held is not None:
                await self._reload()

    async def _reload(self) -> None:
        try:
            # In a thread: thousands of subscribers take seconds, and mails and pages must not wait.
            await self._apply_config(await asyncio.to_thread(self._load))
            self._rejected.accept()
        except CaveatError as error:
            self._rejected.reject(error)

    async def _apply_config(self, loaded: LoadedConfig) -> None:
        """Replace the application by one of the new configuration; storage and listeners stay as they are."""
        app = self._apps.current
        if not await self._guard.lets_pass(app, loaded.roster):
            return
        settings = replace(loaded.settings, storage=app.settings.storage, web=app.settings.web)
        if (loaded.settings.storage, loaded.settings.web) != (settings.storage, settings.web):
            log.warning("config_needs_restart", keys=["storage", "web"])
        if (settings, loaded.roster) == (app.settings, app.roster):
            return
        loaded = replace(loaded, settings=settings)
        app = await self._open_app(loaded)
        try:
            if "deliver" in self._roles.stages:
                await self._bounce_server.reconfigure(settings.mail.bounces.listen)
        except CaveatError:
            await app.close()
            raise
        self._apps.replace(app)
        await self._apply_roster(loaded)
        log.info("config_applied")
        await self.sweep()

    async def _open_app(self, loaded: LoadedConfig) -> Application:
        return await bootstrap(
            loaded.settings,
            loaded.roster,
            clock=self._clock,
            pool=self._pool,
            notify_workers=self._notify_workers,
            stage_problems=self._monitor.problems,
            config_faults=self._rejected.sentences,
            jobs=self._jobs,
        )

    async def _notify_workers(self, stage: str, items: int) -> None:
        if items:
            await self._signals.send([stage])

    async def _apply_roster(self, loaded: LoadedConfig) -> None:
        for warning in loaded.warnings:
            log.warning("config_warning", reason=str(warning))
        if self._roles.schedule:
            await declare_webhooks(self._apps.current)
            report = await self._apps.current.apply_roster()
            for problem in report.problems:
                log.warning("roster_problem", reason=problem)
            log.info("roster_applied", feeds=asdict(report.feeds), subscriptions=asdict(report.subscriptions))
