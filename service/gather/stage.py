"""Gather: poll the feeds that are due and store their new articles.

    take     claim the feeds that are due, so that no other worker polls them
    work     poll each feed: fetch it, read its new entries, fetch the full text of teasers
    record   store new and edited articles with the feed's state, one transaction a feed

Unchanged feeds are recorded in batches. A feed's error stays with that feed: it becomes a sentence in the
feed's state and in the report, and the pass continues.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from service.core.errors import PoolUnavailable, StoreError
from service.core.ids import host_of
from service.core.model import FeedState
from service.core.progress import Progress, no_progress
from service.gather.poll import Gatherer, poll_feed, unexpected_failure
from service.gather.ports import GatherStore, PollResult

UNCHANGED_BATCH_SIZE = 200  # feeds; one transaction for each would cost more than polling them
CLAIM_DURATION = timedelta(minutes=1)  # renewed while the worker runs; after a crash its feeds wait


@dataclass(frozen=True, slots=True)
class GatherReport:
    """What one pass did: the number of feeds polled and unchanged, and of articles new and edited.

    `failed` has a sentence for each feed that could not be read, `notes` one for each unusual feed.
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
    """Poll the feeds that are due at `now` (aware, UTC), or all of them with `force`.

    `only` (feed ids) limits the pass to these feeds. Raises StoreError when the database is unavailable.
    """
    async with _take(gatherer.store, now, only, force=force) as feeds:
        recorder = _Recorder(gatherer.store, len(feeds), progress)
        queue = iter(_alternating_hosts(feeds))

        async def poll_until_empty() -> None:
            for feed in queue:
                await recorder.record(feed, await _work(gatherer, feed, now))

        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(min(gatherer.concurrency, len(feeds))):
                    group.create_task(poll_until_empty())
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from None
        await recorder.flush()
    return recorder.report


@asynccontextmanager
async def _take(
    store: GatherStore, now: datetime, only: Collection[str] | None, *, force: bool
) -> AsyncIterator[Sequence[FeedState]]:
    """Yield the feeds to poll. Due feeds are claimed; those that a person asks for need no claim."""
    if only is None and not force:
        states = await store.claim_feeds(now, now + CLAIM_DURATION)
        async with _renewed_claims(store, [state.feed.id for state in states], now):
            yield states
    else:
        states = await (store.all_feeds() if only is None else store.feed_states(only))
        yield [s for s in states if force or s.next_poll_at is None or s.next_poll_at <= now]


@asynccontextmanager
async def _renewed_claims(store: GatherStore, ids: Sequence[str], now: datetime) -> AsyncIterator[None]:
    """Renew the claims on these feeds during the block; at its end release those of feeds not polled."""
    loop = asyncio.get_running_loop()
    began = loop.time()

    async def renew() -> None:
        while True:
            await asyncio.sleep(CLAIM_DURATION.total_seconds() / 3)
            # Without a renewal another worker may poll the feed too, which costs one request and no more.
            with suppress(StoreError):
                await store.renew_claims(ids, now + timedelta(seconds=loop.time() - began) + CLAIM_DURATION)

    renewing = asyncio.create_task(renew())
    try:
        yield
    finally:
        renewing.cancel()
        await asyncio.gather(renewing, return_exceptions=True)
        if ids:
            with suppress(StoreError):
                await store.renew_claims(ids, None)


def _alternating_hosts(states: Sequence[FeedState]) -> list[FeedState]:
    """Return the feeds so that neighbours are on different hosts: a slow host does not hold up the others."""
    by_host: dict[str, list[FeedState]] = {}
    for state in states:
        by_host.setdefault(host_of(state.feed.url), []).append(state)
    rounds = max(map(len, by_host.values()), default=0)
    return [feeds[n] for n in range(rounds) for feeds in by_host.values() if n < len(feeds)]


async def _work(gatherer: Gatherer, state: FeedState, now: datetime) -> PollResult:
    try:
        return await poll_feed(gatherer, state, now)
    except (StoreError, PoolUnavailable):
        raise
    except Exception as error:  # noqa: BLE001 - no input of one feed may stop the others
        return unexpected_failure(state, error, now)


class _Recorder:
    """Stores each poll's result and counts it; unchanged feeds wait for a batch."""

    def __init__(self, store: GatherStore, total: int, progress: Progress) -> None:
        self.report = GatherReport()
        self._store, self._total, self._progress = store, total, progress
        self._unchanged: list[FeedState] = []

    async def record(self, before: FeedState, result: PollResult) -> None:
        """Store the result, or batch an unchanged feed; `before` is its state before the poll."""
        new = 0
        if result.unchanged and result.state.seen_items == before.seen_items:
            self._unchanged.append(result.state)
            if len(self._unchanged) >= UNCHANGED_BATCH_SIZE:
                await self.flush()
        else:
            new = await self._store.record_poll(result)
        self._count(result, new)

    async def flush(self) -> None:
        """Store the batch of unchanged feeds."""
        batch, self._unchanged = self._unchanged, []
        if batch:
            await self._store.record_unchanged(batch)

    def _count(self, result: PollResult, new: int) -> None:
        report, name = self.report, result.state.feed.name
        self.report = GatherReport(
            polled=report.polled + 1,
            unchanged=report.unchanged + result.unchanged,
            new=report.new + new,
            edited=report.edited + len(result.edited),
            failed=(*report.failed, f"{name}: {result.error}") if result.error else report.failed,
            notes=(*report.notes, f"{name}: {result.note}") if result.note else report.notes,
        )
        self._progress(name, self.report.polled, self._total)
