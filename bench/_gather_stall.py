"""Hostile feeds among normal ones: the delay of the event loop, and the memory."""

from __future__ import annotations

import asyncio
import gc
import gzip
import os
import tempfile
import time
from collections.abc import Coroutine
from pathlib import Path

from _gather_feeds import LIMITS, NOON, a_feed, run_loop
from _newsfeeds import FOOT, HEAD, feed, served

from service.app.factories.gather import PooledExecutor
from service.app.process_pool.pool import ProcessPool
from service.gather.http.fetcher import HttpFetcher
from service.gather.poll import Gatherer
from service.gather.stage import GatherReport, gather
from service.store.database import Database
from service.store.gather import SqlGatherStore
from service.store.subscribers import SqlSubscriberStore

MB = 1024 * 1024


def stall() -> None:
    """Poll hostile feeds among normal ones; print the delay of the event loop and the memory."""
    entry = b"<item><title>Entry %d</title><guid>g%d</guid></item>"
    items = b"".join(entry % (n, n) for n in range(100_000))
    files = {f"{n}.xml": feed(range(n * 20, n * 20 + 20), 3) for n in range(200)}
    files["endless.xml"] = HEAD.encode() + b"<!-- -->" * (100 * MB // 8) + FOOT.encode()
    files["many.xml"] = HEAD.encode() + items + FOOT.encode()
    files["bomb.xml"] = gzip.compress(bytes(1024 * MB), 9)
    with served(files, packed=["bomb.xml"]) as address:
        urls = {name: f"{address}/{name}" for name in files}
        run_loop(_watched(urls))


async def _watched(urls: dict[str, str]) -> None:
    hostile = ("endless.xml", "many.xml", "bomb.xml")
    with tempfile.TemporaryDirectory() as folder, ProcessPool(1) as pool:
        database = await Database.open(f"sqlite:///{folder}/caveat.sqlite")
        records = SqlGatherStore(database)
        feeds = [a_feed(url, name) for name, url in urls.items()]
        await SqlSubscriberStore(database).save_feeds(feeds, NOON)
        async with HttpFetcher(LIMITS) as fetcher:
            gatherer = Gatherer(records, fetcher, Path(folder), PooledExecutor(pool))
            warm = [f.id for f in feeds if f.name in ("0.xml", "1.xml")]
            await gather(gatherer, now=NOON, only=warm, force=True)
            gc.collect()
            before, watcher = _resident(), _Watcher()
            begun = time.monotonic()
            report: GatherReport = await watcher.during(gather(gatherer, now=NOON))
            took = time.monotonic() - begun
        states = {state.feed.name: state for state in await records.all_feeds()}
        await database.close()
    read = sum(1 for name, state in states.items() if name not in hostile and state.last_success_at)
    print(f"{'longest stall of the event loop':<58} {watcher.longest * 1e3:>19.0f} ms   (floor 100, aim 50)")
    print(f"{'    CPU time of the event loop between two samples':<58} {watcher.busiest * 1e3:>19.0f} ms")
    grown = watcher.peak - before
    print(f"{'growth of memory, this process and its pool':<58} {grown:>19.0f} MB   (floor 256)")
    print(f"{'normal feeds that were read, of 200':<58} {read:>22}   in {took:.1f} s")
    for name in hostile:
        print(f"    {name:<14} {states[name].last_error or f'read, {report.new} articles in all'}")


class _Watcher:
    """Samples the delay of the event loop every 5 ms, and the memory at every twentieth sample.

    On a busy machine other processes delay it too; `busiest` is the CPU time of the event loop alone.
    """

    def __init__(self) -> None:
        self.longest, self.busiest, self.peak = 0.0, 0.0, 0.0

    async def during(self, work: Coroutine[object, object, GatherReport]) -> GatherReport:
        """Do the work, and sample meanwhile."""
        watching = asyncio.create_task(self._watch())
        try:
            return await work
        finally:
            watching.cancel()

    async def _watch(self) -> None:
        samples = 0
        while True:
            begun, worked = time.monotonic(), time.thread_time()
            await asyncio.sleep(0.005)
            self.longest = max(self.longest, time.monotonic() - begun - 0.005)
            self.busiest = max(self.busiest, time.thread_time() - worked)
            samples += 1
            if samples % 20 == 0:
                self.peak = max(self.peak, _resident())


def _resident() -> float:
    """Return the resident megabytes of this process and its children."""
    pids = [os.getpid(), *_descendants(os.getpid())]
    return sum(_pages_of(pid) for pid in pids) * os.sysconf("SC_PAGE_SIZE") / MB


def _descendants(pid: int) -> list[int]:
    try:
        children = [
            int(c) for c in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
        ]
    except OSError:
        return []
    return [*children, *(d for child in children for d in _descendants(child))]


def _pages_of(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    except (OSError, IndexError):
        return 0
