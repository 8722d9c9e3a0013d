"""Bootstrap: builds the application from one configuration and one database.

Stages and services are built at first use, so that a command imports only the libraries that it needs.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from concurrent.futures import Executor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from service.app.background_jobs import BackgroundJobs
from service.app.clock import Clock, utc_now
from service.app.process_pool.pool import ProcessPool
from service.core.model import Roster
from service.core.progress import Progress, no_progress
from service.core.read_models import PendingWork
from service.core.stages import STAGES
from service.settings.values import Settings
from service.store.database import Database
from service.store.queries import Queries
from service.store.sending_hold import SendingHold
from service.store.subscribers import SqlSubscriberStore

if TYPE_CHECKING:
    from service.app.archive.archive import IssueArchive
    from service.app.doctor.health import HealthCheck
    from service.app.judge.asking import JudgeReport
    from service.app.self_service import SelfService
    from service.app.sign_up import SignUp
    from service.compose.ports import PictureSource
    from service.compose.stage import Composer, ComposeReport
    from service.condense.stage import Condenser, CondenseReport
    from service.deliver.stage import Deliverer, DeliverReport
    from service.gather.http.fetcher import HttpFetcher
    from service.gather.poll import Gatherer
    from service.gather.stage import GatherReport
    from service.subscribers.sync import RosterReport


async def notify_nobody(_stage: str, _items: int) -> None:
    """Do nothing: the workers of other processes look for work every minute."""


@asynccontextmanager
async def open_application(
    settings: Settings, roster: Roster, *, clock: Clock = utc_now, pool: Executor | None = None
) -> AsyncIterator[Application]:
    """Build an application for the length of a block. Raises StoreError.

    Without a `pool` it gets its own.
    """
    own = ProcessPool(settings.condense.processes or None)  # starts nothing before its first task
    app = await bootstrap(settings, roster, clock=clock, pool=pool or own)
    try:
        yield app
    finally:
        await app.close()
        own.shutdown(wait=False, cancel_futures=True)


async def bootstrap(
    settings: Settings,
    roster: Roster,
    *,
    pool: Executor,
    clock: Clock = utc_now,
    database: Database | None = None,
    notify_workers: Callable[[str, int], Awaitable[None]] = notify_nobody,
    stage_problems: Callable[[], tuple[str, ...]] = tuple,
    jobs: BackgroundJobs | None = None,
    config_faults: Callable[[], tuple[str, ...]] = tuple,
) -> Application:
    """Return an application, which the caller closes; a `pool` stays the caller's. Raises StoreError."""
    return Application(
        settings,
        roster,
        database or await Database.open(settings.storage),
        clock,
        pool,
        notify_workers,
        stage_problems,
        jobs or BackgroundJobs(),
        config_faults,
    )


@dataclass(eq=False)
class Application:
    """One configuration with its database. Build it with `bootstrap` or `open_application`.

    `notify_workers` tells the workers of the service that a stage has new items: the stage and their number.
    `stage_problems` returns sentences about stages that make no progress, `config_faults` the faults of a
    configuration that was saved and is not in force, each with file and line.
    A stage runs one pass at a time: a second pass waits for the lock in `stage_locks`.
    `jobs` are those of the process, which outlive an application that a reload replaces.
    """

    settings: Settings
    roster: Roster
    database: Database
    clock: Clock
    pool: Executor
    notify_workers: Callable[[str, int], Awaitable[None]] = notify_nobody
    stage_problems: Callable[[], tuple[str, ...]] = tuple
    jobs: BackgroundJobs = field(default_factory=BackgroundJobs)
    config_faults: Callable[[], tuple[str, ...]] = tuple
    stage_locks: dict[str, asyncio.Lock] = field(
        default_factory=lambda: {stage: asyncio.Lock() for stage in STAGES}
    )
    _deliverer: Deliverer | None = None
    _personal_deliverers: dict[str, Deliverer] = field(default_factory=dict)

    async def close(self) -> None:
        """Cancel the jobs of this application, and close all connections."""
        await self.jobs.close(self)
        if self._deliverer is not None:
            await self._deliverer.channel.close()
        for deliverer in self._personal_deliverers.values():
            await deliverer.channel.close()
        if "fetcher" in self.__dict__:
            await self.fetcher.close()
        await self.database.close()

    # --- one pass of a stage ---------------------------------------------------------------

    async def gather(
        self, *, only: Collection[str] | None = None, force: bool = False, progress: Progress = no_progress
    ) -> GatherReport:
        """Poll the feeds that are due, or of `only` (feed ids) those that are; all of them with `force`."""
        from service.gather.stage import gather  # noqa: PLC0415 - see the module's docstring

        async with self.stage_locks["gather"]:
            return await gather(self.gatherer, now=self.clock(), only=only, force=force, progress=progress)

    async def condense(self, *, progress: Progress = no_progress) -> CondenseReport:
        """Condense the articles that have no key points."""
        from service.condense.stage import condense  # noqa: PLC0415 - see the module's docstring

        async with self.stage_locks["condense"]:
            return await condense(self.condenser, now=self.clock(), progress=progress)

    async def ask_judge(
        self, *, ahead: timedelta | None = None, progress: Progress = no_progress
    ) -> JudgeReport:
        """Ask the judge about the articles of the issues that are due within `ahead`, by default soon."""
        from service.app.judge.asking import ASK_AHEAD, ask_judge  # noqa: PLC0415 - see the module's docstring

        return await ask_judge(self, ahead=ahead or ASK_AHEAD, progress=progress)

    async def compose(self, *, progress: Progress = no_progress) -> ComposeReport:
        """Compose the issues that are due."""
        from service.compose.stage import compose  # noqa: PLC0415 - see the module's docstring

        async with self.stage_locks["compose"]:
            return await compose(self.composer, now=self.clock(), progress=progress)

    async def deliver(
        self,
        *,
        stopping: asyncio.Event | None = None,
        progress: Progress = no_progress,
        grace: float | None = None,
    ) -> DeliverReport:
        """Send the deliveries that are due, until none is left or `stopping` is set.

        Deliveries in flight then have `grace` seconds to finish, by default the service's. Raises StoreError
        while sending is held after a restore.
        """
        from service.deliver.stage import deliver_all  # noqa: PLC0415 - see the module's docstring

        await SendingHold(self.database).raise_if_held()
        async with self.stage_locks["deliver"]:
            deliverers = [await self.deliverer(), *await self._personal()]
            if grace is not None:
                deliverers = [replace(deliverer, grace_seconds=grace) for deliverer in deliverers]
            return await deliver_all(deliverers, now=self.clock, stopping=stopping, progress=progress)

    async def pending_work(self) -> PendingWork:
        """Return the number of items that wait for each stage now; drafts to make are items of compose."""
        work = await self.queries.pending_work(self.clock())
        if not any(newsletter.review for newsletter in self.roster.newsletters):
            return work
        from service.app.drafts.editor import count_missing  # noqa: PLC0415 - see the module's docstring

        return replace(work, groups=work.groups + await count_missing(self))

    async def apply_roster(self) -> RosterReport:
        """Store the feeds and subscriptions of the configuration."""
        from service.subscribers.sync import apply_roster  # noqa: PLC0415 - see the module's docstring

        return await apply_roster(self.subscribers, self.roster, self.clock())

    # --- the parts -------------------------------------------------------------------------

    @cached_property
    def subscribers(self) -> SqlSubscriberStore:
        """The subscribers in the database."""
        return SqlSubscriberStore(self.database)

    @cached_property
    def queries(self) -> Queries:
        """Read-only queries for listings."""
        return Queries(self.database)

    @cached_property
    def fetcher(self) -> HttpFetcher:
        """The HTTP client for feeds and pages."""
        from service.app.factories.gather import fetcher_of  # noqa: PLC0415 - see the module's docstring

        return fetcher_of(self.settings.fetch)

    @cached_property
    def gatherer(self) -> Gatherer:
        """The gather stage."""
        from service.app.factories.gather import gatherer_of  # noqa: PLC0415 - see the module's docstring

        return gatherer_of(self.settings, self.database, self.fetcher, self.pool)

    @cached_property
    def condenser(self) -> Condenser:
        """The condense stage."""
        from service.app.factories.condense import condenser_of  # noqa: PLC0415 - see the module's docstring

        return condenser_of(self.settings, self.roster, self.database, self.pool)

    @cached_property
    def composer(self) -> Composer:
        """The compose stage."""
        from service.app.factories.compose import composer_of  # noqa: PLC0415 - see the module's docstring

        return composer_of(self.settings, self.roster, self.database, self._pictures())

    def _pictures(self) -> PictureSource | None:
        """Return the source of pictures if a newsletter shows any."""
        if not any(newsletter.lead_picture for newsletter in self.roster.newsletters):
            return None
        from service.app.articles.pictures import FetchedPictures  # noqa: PLC0415 - see the module's docstring
        from service.app.factories.gather import PooledExecutor  # noqa: PLC0415 - see the module's docstring

        return FetchedPictures(self.fetcher, PooledExecutor(self.pool), self.clock)

    async def deliverer(self) -> Deliverer:
        """Return the deliver stage, whose links are signed with the key in the database."""
        from service.app.factories.deliver import deliverer_of  # noqa: PLC0415 - see the module's docstring

        if self._deliverer is None:
            key = await self.subscribers.signing_key()
            self._deliverer = deliverer_of(self.settings, self.roster, self.database, key, self.pool)
        return self._deliverer

    async def _personal(self) -> list[Deliverer]:
        """Return the deliver stages of the personal channels that a delivery was due on so far."""
        from service.app.factories.deliver import personal_deliverer  # noqa: PLC0415 - see the module's docstring
        from service.store.deliver import SqlDeliverStore  # noqa: PLC0415 - see the module's docstring

        known = self._personal_deliverers
        for name in await SqlDeliverStore(self.database).personal_channels(self.clock()):
            if name not in known:
                key = await self.subscribers.signing_key()
                known[name] = personal_deliverer(name, self.settings, self.roster, self.database, key)
        return list(known.values())

    @cached_property
    def self_service(self) -> SelfService:
        """What subscribers do through the links in their mails."""
        from service.app.self_service import SelfService  # noqa: PLC0415 - see the module's docstring
        from service.subscribers.sign_up import open_newsletters  # noqa: PLC0415 - see the module's docstring

        return SelfService(
            self.settings.site,
            self.roster,
            self.subscribers,
            self.clock,
            open_newsletters(self.roster, self.settings.web.sign_up),
            self.settings.mail.folder,
        )

    @cached_property
    def sign_up(self) -> SignUp:
        """Sign-up by double opt-in."""
        from service.app.sign_up import SignUp  # noqa: PLC0415 - see the module's docstring

        return SignUp(self.settings, self.roster, self.database, self.clock, self.notify_workers)

    @cached_property
    def archive(self) -> IssueArchive:
        """The issues on the web."""
        from service.app.archive.archive import IssueArchive  # noqa: PLC0415 - see the module's docstring

        return IssueArchive(self.settings, self.roster, self.database, self.clock)

    @cached_property
    def health(self) -> HealthCheck:
        """The health check of this process."""
        from service.app.doctor.health import HealthCheck  # noqa: PLC0415 - see the module's docstring

        return HealthCheck(
            self.subscribers, self.queries, self.clock, self.stage_problems, self.config_faults
        )
