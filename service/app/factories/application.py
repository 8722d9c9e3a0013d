"""The house: one database and one configuration, with every part in its place.

A part is put together when it is first asked for, so that a command pays for no library that it does not use.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from concurrent.futures import Executor
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

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
    from service.app.readers import PreviewReader
    from service.app.self_service import SelfService
    from service.app.sign_up import SignUp
    from service.compose.stage import Composer, ComposeReport, Preview
    from service.condense.stage import Condenser, CondenseReport
    from service.deliver.stage import Deliverer, DeliverReport
    from service.gather.http.fetcher import HttpFetcher
    from service.gather.poll import Gatherer
    from service.gather.stage import GatherReport
    from service.runtime.http_server import ASGIApp
    from service.runtime.job_queue import Hints
    from service.subscribers.sync import RosterReport

FIRST_ISSUE_LOOKBACK = timedelta(days=1)
"""How far back the first issue of a new reader tells."""


class Application:
    """A house to work in, until `close`. Made by `House.open`, or by `open_house` for the length of a block.

    Every stage does one pass at a time here: a second one waits for its `turn`, and finds little left to do.
    `hint` tells whoever works off the queue that a stage may have work.
    """

    def __init__(
        self, settings: Settings, roster: Roster, database: Database, *, clock: Clock, pool: Executor
    ) -> None:
        self.settings, self.roster, self.database = settings, roster, database
        self.clock, self.pool = clock, pool
        self.subscribers, self.overview = SqlSubscriberStore(database), Queries(database)
        self.stage_locks = {stage: asyncio.Lock() for stage in STAGES}
        self._deliverer: Deliverer | None = None
        self.hint: Callable[[Hints], Awaitable[None]] = _nobody_listens
        self.stage_problems: Callable[[], tuple[str, ...]] = tuple

    @classmethod
    async def open(cls, settings: Settings, roster: Roster, *, clock: Clock, pool: Executor) -> Application:
        """Open the database and return the house on it. Raises StoreError."""
        return cls(settings, roster, await Database.open(settings.storage), clock=clock, pool=pool)

    async def close(self) -> None:
        """Give every connection back."""
        if self._deliverer is not None:
            await self._deliverer.channel.close()
        if "fetcher" in self.__dict__:
            await self.fetcher.close()
        await self.database.close()

    # --- one pass of a stage ---------------------------------------------------------------

    async def gather(
        self, *, only: Collection[str] | None = None, force: bool = False, progress: Progress = no_progress
    ) -> GatherReport:
        """Look at the feeds that are due, or at `only` these (ids); `force`: due or not."""
        from service.gather.stage import gather  # noqa: PLC0415 - see the module's docstring

        async with self.stage_locks["gather"]:
            return await gather(self.gatherer, now=self.clock(), only=only, force=force, progress=progress)

    async def condense(self, *, progress: Progress = no_progress) -> CondenseReport:
        """Make key points of the articles that have none."""
        from service.condense.stage import condense  # noqa: PLC0415 - as above

        async with self.stage_locks["condense"]:
            return await condense(self.condenser, now=self.clock(), progress=progress)

    async def compose(self, *, progress: Progress = no_progress) -> ComposeReport:
        """Make the issues that are due."""
        from service.compose.stage import compose  # noqa: PLC0415 - as above

        async with self.stage_locks["compose"]:
            return await compose(self.composer, now=self.clock(), progress=progress)

    async def deliver(
        self,
        *,
        stopping: asyncio.Event | None = None,
        progress: Progress = no_progress,
        grace: float | None = None,
    ) -> DeliverReport:
        """Send what is due, until nothing is or `stopping` is set.

        What is in flight then has `grace` seconds, the service's own when left out. Raises StoreError while
        sending is held after a restore.
        """
        from service.deliver.stage import deliver  # noqa: PLC0415 - as above

        await SendingHold(self.database).raise_if_held()
        deliverer = await self.deliverer()
        if grace is not None:
            deliverer = replace(deliverer, grace_seconds=grace)
        async with self.stage_locks["deliver"]:
            return await deliver(deliverer, now=self.clock, stopping=stopping, progress=progress)

    async def read_bounces(self) -> int:
        """Work off the letters that came back, where a mailbox is set for them; return how many."""
        imap = self.settings.mail.bounces.imap
        if imap is None:
            return 0
        from service.app.bounces import bounce_handler, mailbox_of, read_mailbox  # noqa: PLC0415 - as above

        returns = bounce_handler(self, await self.subscribers.signing_key())
        return await read_mailbox(mailbox_of(imap), returns, self.clock())

    async def prune(self) -> int:
        """Forget what has had its time: sign-ups, transactional mails, counted attempts; return how many."""
        from service.store.limits import SqlAttemptStore  # noqa: PLC0415 - as above
        from service.store.transactional import SqlSignUpStore  # noqa: PLC0415 - as above
        from service.subscribers.sign_up import LINK_LIFETIME, MAX_LIMIT_PERIOD  # noqa: PLC0415 - as above

        now = self.clock()
        pruned = await SqlSignUpStore(self.database).prune(now, LINK_LIFETIME)
        return pruned + await SqlAttemptStore(self.database).prune(now, MAX_LIMIT_PERIOD)

    async def unfinished(self) -> PendingWork:
        """Return how much waits for each stage at this moment."""
        return await self.overview.pending_work(self.clock())

    async def apply_roster(self) -> RosterReport:
        """Make the record agree with what the configuration declares."""
        from service.subscribers.sync import apply_roster  # noqa: PLC0415 - as above

        now = self.clock()
        return await apply_roster(self.subscribers, self.roster, now, starts_after=now - FIRST_ISSUE_LOOKBACK)

    async def preview(self, reader: PreviewReader, *, at: datetime | None = None) -> Preview:
        """Return what the reader would get at that moment (None: now); nothing is recorded."""
        from service.compose.stage import preview  # noqa: PLC0415 - as above

        now = at or self.clock()
        return await preview(self.composer, reader.edition, served_through=reader.served_through, now=now)

    # --- the parts -------------------------------------------------------------------------

    @cached_property
    def fetcher(self) -> HttpFetcher:
        """What gets feeds and pages."""
        from service.app.factories.gather import fetcher_of  # noqa: PLC0415 - as above

        return fetcher_of(self.settings.fetch)

    @cached_property
    def gatherer(self) -> Gatherer:
        """The gather stage."""
        from service.app.factories.gather import gatherer_of  # noqa: PLC0415 - as above

        return gatherer_of(self.settings, self.database, self.fetcher, self.pool)

    @cached_property
    def condenser(self) -> Condenser:
        """The condense stage."""
        from service.app.factories.condense import condenser_of  # noqa: PLC0415 - as above

        return condenser_of(self.settings, self.roster, self.database, self.pool)

    @cached_property
    def composer(self) -> Composer:
        """The compose stage."""
        from service.app.factories.compose import composer_of  # noqa: PLC0415 - as above

        return composer_of(self.settings, self.roster, self.database)

    @cached_property
    def self_service(self) -> SelfService:
        """What stands behind the web door."""
        from service.app.self_service import SelfService  # noqa: PLC0415 - as above

        desk = SelfService(self.settings.site, self.roster, self.subscribers, self.overview, self.clock)
        desk.stage_problems = self.stage_problems
        return desk

    @cached_property
    def sign_up(self) -> SignUp:
        """What lets people in who ask for a newsletter."""
        from service.app.sign_up import SignUp  # noqa: PLC0415 - as above

        return SignUp(self.settings, self.roster, self.database, hint=self._hinted, clock=self.clock)

    async def _hinted(self, hints: Hints) -> None:
        # Read at each call: `hint` is set once there is a queue.
        await self.hint(hints)

    @cached_property
    def metrics(self) -> ASGIApp:
        """The figures alone, for an address that only the operator's machines reach."""
        from service.web.app import metrics_application  # noqa: PLC0415 - as above

        return metrics_application(self.self_service)

    async def deliverer(self) -> Deliverer:
        """Return the deliver stage; its links are signed with the database's own key."""
        from service.app.factories.deliver import deliverer_of  # noqa: PLC0415 - as above

        if self._deliverer is None:
            self._deliverer = deliverer_of(
                self.settings, self.database, await self.subscribers.signing_key(), self.pool
            )
        return self._deliverer


async def _nobody_listens(_hints: Hints) -> None:
    """Take a hint where no service runs."""


@asynccontextmanager
async def open_application(
    settings: Settings, roster: Roster, *, clock: Clock = utc_now, pool: Executor | None = None
) -> AsyncIterator[Application]:
    """Give a house with production parts, and close it after the block. Raises StoreError.

    Without a `pool` it gets one of its own; no process is started before there is work for it.
    """
    own = ProcessPool(settings.condense.processes or None) if pool is None else None
    house = await Application.open(settings, roster, clock=clock, pool=pool or own or ProcessPool())
    try:
        yield house
    finally:
        await house.close()
        if own is not None:
            own.shutdown(wait=False, cancel_futures=True)
