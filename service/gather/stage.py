"""Gather: the feeds that are due -> new articles.

    take     the feeds whose next look has come, claimed so that no other worker asks them as well
    work     ask, read what is new, fetch the page of what is only a teaser
    record   the articles, what was edited, and where the feed stands now: one transaction for each feed

Feeds in which nothing changed are recorded together. One feed's trouble is its own: a sentence in its state
and in the report.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

from service.core.errors import PoolUnavailable, StoreError
from service.core.ids import host_of
from service.core.model import FeedState
from service.core.progress import Progress, no_progress
from service.gather.http.executor import ThreadWorkers, Workers
from service.gather.http.robots import RobotsCache
from service.gather.poll import PollContext, PollFinding, poll_feed
from service.gather.ports import Fetcher, GatherStore, PollResult

UNCHANGED_BATCH_SIZE = 200
CLAIM_DURATION = timedelta(minutes=1)
"""For how long feeds are one worker's; it says so again while it is alive."""
RETRY_DELAY = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Gatherer:
    """What gather works with. `house` is the config folder, which `file:` feeds are relative to.

    `agent` is our name in robots.txt; what sites say there is kept from one pass to the next.
    """

    store: GatherStore
    fetcher: Fetcher
    config_folder: Path
    workers: Workers = field(default_factory=ThreadWorkers)
    user_agent: str = "Caveat"
    concurrency: int = 32
    robots: RobotsCache = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Open the table of what sites allow."""
        object.__setattr__(self, "robots", RobotsCache(self.fetcher, self.user_agent))


@dataclass(frozen=True, slots=True)
class GatherReport:
    """What one pass did: feeds looked at and those without change, articles new and edited.

    `failed` has a sentence for each feed that could not be read, `notes` one for what is odd but was read.
    """

    polled: int = 0
    unchanged: int = 0
    new: int = 0
    edited: int = 0
    failed: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


async def gather(
    gatherer: Gatherer,
    *,
    now: datetime,
    only: Collection[str] | None = None,
    force: bool = False,
    progress: Progress = no_progress,
) -> GatherReport:
    """Look at the feeds that are due at `now` (aware, UTC), or with `force` at all of them.

    `only` (feed ids) limits the pass to these feeds. Raises StoreError when the record cannot be reached.
    """
    if only is None and not force:
        states = await gatherer.store.claim_feeds(now, now + CLAIM_DURATION)
        async with _held(gatherer.store, states, now):
            return await _looked(gatherer, states, now, progress)
    # Somebody asks for it now, whoever else is at it.
    return await _looked(gatherer, await _asked_for(gatherer.store, now, only, force=force), now, progress)


async def _looked(
    gatherer: Gatherer, states: Sequence[FeedState], now: datetime, progress: Progress
) -> GatherReport:
    round_ = _Round(gatherer, now, len(states), progress)
    queue = iter(_interleaved(states))
    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(min(gatherer.concurrency, len(states))):
                group.create_task(round_.work(queue))
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from None
    await round_.flush()
    return round_.report


async def _asked_for(
    store: GatherStore, now: datetime, only: Collection[str] | None, *, force: bool
) -> Sequence[FeedState]:
    states = await (store.all_feeds() if only is None else store.feed_states(only))
    return [s for s in states if force or s.next_poll_at is None or s.next_poll_at <= now]


@asynccontextmanager
async def _held(store: GatherStore, states: Sequence[FeedState], now: datetime) -> AsyncIterator[None]:
    """Keep these feeds claimed during the block; what was not looked at by its end is given back."""
    ids = [state.feed.id for state in states]
    loop = asyncio.get_running_loop()
    began = loop.time()

    async def hold() -> None:
        while True:
            await asyncio.sleep(CLAIM_DURATION.total_seconds() / 3)
            # What cannot be prolonged may be asked once more by another worker, which is harmless.
            with suppress(StoreError):
                await store.renew_claims(ids, now + timedelta(seconds=loop.time() - began) + CLAIM_DURATION)

    holding = asyncio.create_task(hold())
    try:
        yield
    finally:
        holding.cancel()
        await asyncio.gather(holding, return_exceptions=True)
        if ids:
            with suppress(StoreError):
                await store.renew_claims(ids, None)


def _interleaved(states: Sequence[FeedState]) -> list[FeedState]:
    """Return the feeds so that neighbours lie on different hosts: nobody waits while another host is idle."""
    by_host: dict[str, list[FeedState]] = {}
    for state in states:
        by_host.setdefault(host_of(state.feed.url), []).append(state)
    rounds = max(map(len, by_host.values()), default=0)
    return [feeds[n] for n in range(rounds) for feeds in by_host.values() if n < len(feeds)]


class _Round:
    """One pass at work: several looks at a time, their findings recorded and counted as they come."""

    def __init__(self, gatherer: Gatherer, now: datetime, total: int, progress: Progress) -> None:
        self.report = GatherReport()
        self._store, self._now, self._total, self._progress = gatherer.store, now, total, progress
        self._eyes = PollContext(
            gatherer.store, gatherer.fetcher, gatherer.config_folder, gatherer.workers, gatherer.robots
        )
        self._quiet: list[FeedState] = []

    async def work(self, queue: Iterator[FeedState]) -> None:
        """Look at one feed after another until there is none left."""
        for state in queue:
            finding = await self._found(state)
            new = await self._record(state, finding)
            self._count(state, finding, new)
            self._progress(state.feed.name, self.report.polled, self._total)

    async def flush(self) -> None:
        """Record the feeds without change that are still waiting for it."""
        quiet, self._quiet = self._quiet, []
        if quiet:
            await self._store.record_unchanged(quiet)

    async def _found(self, state: FeedState) -> PollFinding:
        try:
            return await poll_feed(self._eyes, state, self._now)
        except (StoreError, PoolUnavailable):
            raise
        except Exception as error:  # noqa: BLE001 - whatever one feed does to us must not cost the others
            reason = f"reading it failed in an unforeseen way ({type(error).__name__}: {error})"
            failures = state.failures + 1
            settled = replace(
                state,
                next_poll_at=self._now + RETRY_DELAY * failures,
                last_poll_at=self._now,
                failures=failures,
                last_error=reason,
            )
            return PollFinding(PollResult(settled), error=reason)

    async def _record(self, state: FeedState, finding: PollFinding) -> int:
        if not finding.unchanged or finding.result.state.seen_items != state.seen_items:
            return await self._store.record_poll(finding.result)
        self._quiet.append(finding.result.state)
        if len(self._quiet) >= UNCHANGED_BATCH_SIZE:
            await self.flush()
        return 0

    def _count(self, state: FeedState, finding: PollFinding, new: int) -> None:
        report, name = self.report, state.feed.name
        self.report = GatherReport(
            polled=report.polled + 1,
            unchanged=report.unchanged + finding.unchanged,
            new=report.new + new,
            edited=report.edited + len(finding.result.edited),
            failed=(*report.failed, f"{name}: {finding.error}") if finding.error else report.failed,
            notes=(*report.notes, f"{name}: {finding.note}") if finding.note else report.notes,
        )
