"""Gather: poll the feeds that are due and store their new articles.

    take     claim the feeds that are due, so that no other worker polls them
    work     poll each feed: fetch it, read its new entries, fetch the full text of teasers
    record   store new and edited articles with the states of their feeds, one transaction for a group

A poll counts, and its feed's claim ends, when the transaction of its group is durable. A feed's error stays
with that feed: it becomes a sentence in the feed's state and in the report, and the pass continues.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from service.core.errors import PoolUnavailable, StoreError
from service.core.ids import host_of
from service.core.model import FeedState
from service.core.progress import Progress, no_progress
from service.gather.poll import Gatherer, poll_feed, unexpected_failure
from service.gather.ports import GatherStore, PollResult

GROUP_SIZE = 200  # polls recorded in one transaction; one for each would cost more than polling the feed
GROUP_SECONDS = 1.0  # for which a poll waits at most to be recorded; a crash repeats the polls that wait
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
    async with _take(gatherer.store, now, only, force=force) as (feeds, claimed):
        recorder = _Recorder(gatherer.store, now, len(feeds), progress, claimed)
        queue = iter(_alternating_hosts(feeds))

        async def poll_until_empty() -> None:
            for feed in queue:
                await recorder.record(feed, await _work(gatherer, feed, now))

        try:
            async with asyncio.TaskGroup() as group:
                pollers = range(min(gatherer.concurrency, len(feeds)))
                polling = [group.create_task(poll_until_empty()) for _ in pollers]
                group.create_task(recorder.write_until_done(polling))
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from None
    return recorder.report


@asynccontextmanager
async def _take(
    store: GatherStore, now: datetime, only: Collection[str] | None, *, force: bool
) -> AsyncIterator[tuple[Sequence[FeedState], set[str]]]:
    """Yield the feeds to poll, and the ids of those that are claimed, for the caller to remove recorded ones.

    Due feeds are claimed; those that a person asks for need no claim.
    """
    if only is None and not force:
        states = await store.claim_feeds(now, now + CLAIM_DURATION)
        claimed = {state.feed.id for state in states}
        async with _renewed_claims(store, claimed, now):
            yield states, claimed
    else:
        states = await (store.all_feeds() if only is None else store.feed_states(only))
        yield [s for s in states if force or s.next_poll_at is None or s.next_poll_at <= now], set()


@asynccontextmanager
async def _renewed_claims(store: GatherStore, claimed: Collection[str], now: datetime) -> AsyncIterator[None]:
    """Renew the claims on these feeds during the block; at its end release those that are still there."""
    loop = asyncio.get_running_loop()
    began = loop.time()

    async def renew() -> None:
        while True:
            await asyncio.sleep(CLAIM_DURATION.total_seconds() / 3)
            until = now + timedelta(seconds=loop.time() - began) + CLAIM_DURATION
            # Without a renewal another worker may poll the feed too, which costs one request and no more.
            with suppress(StoreError):
                await store.renew_claims(tuple(claimed), until)

    renewing = asyncio.create_task(renew())
    try:
        yield
    finally:
        renewing.cancel()
        await asyncio.gather(renewing, return_exceptions=True)
        if claimed:
            with suppress(StoreError):
                await store.renew_claims(tuple(claimed), None)


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


class _Poll(NamedTuple):
    """The result of a poll, and the state of its feed before it."""

    before: FeedState
    result: PollResult

    @property
    def changes_state_only(self) -> bool:
        """Whether there is nothing to store but the feed's state, without its seen items."""
        result = self.result
        is_more = result.articles or result.edited or result.gone
        return not is_more and result.state.seen_items == self.before.seen_items


class _Recorder:
    """Stores the results of polls in groups, counts them and removes their feeds from `claimed`."""

    def __init__(
        self, store: GatherStore, now: datetime, total: int, progress: Progress, claimed: set[str]
    ) -> None:
        self.report = GatherReport()
        self._store, self._now, self._claimed = store, now, claimed
        self._total, self._progress = total, progress
        self._waiting: list[_Poll] = []
        self._writing = asyncio.Lock()

    async def record(self, before: FeedState, result: PollResult) -> None:
        """Let the result wait for its group, and store a full group."""
        self._waiting.append(_Poll(before, result))
        if len(self._waiting) >= GROUP_SIZE:
            await self._write()

    async def write_until_done(self, polling: Collection[asyncio.Task[None]]) -> None:
        """Store what waits every GROUP_SECONDS, until these tasks are done and all is stored."""
        while polling:
            _, polling = await asyncio.wait(polling, timeout=GROUP_SECONDS)
            await self._write()

    async def _write(self) -> None:
        async with self._writing:
            group, self._waiting = self._waiting, []
            if group:
                await self._store_group(group)

    async def _store_group(self, group: Sequence[_Poll]) -> None:
        """Store the polls in one transaction, or each in its own if that fails because of one of them."""
        changed = [poll.result for poll in group if not poll.changes_state_only]
        unchanged = [poll.result.state for poll in group if poll.changes_state_only]
        try:
            counts = iter(await self._store.record_polls(changed, unchanged))
        except StoreError:
            raise
        except Exception as error:  # noqa: BLE001 - no result of one feed may keep out those of the others
            await self._store_each(group, error)
            return
        for poll in group:
            self._count(poll.result, 0 if poll.changes_state_only else next(counts))

    async def _store_each(self, group: Sequence[_Poll], error: Exception) -> None:
        """Store the polls of a group that failed with this error; of a single one, that it failed."""
        if len(group) > 1:
            for poll in group:
                await self._store_group([poll])
            return
        failure = unexpected_failure(group[0].before, error, self._now)
        await self._store.record_polls([failure])
        self._count(failure, 0)

    def _count(self, result: PollResult, new: int) -> None:
        self._claimed.discard(result.state.feed.id)
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
