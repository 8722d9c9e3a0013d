"""Gather: the cost of polling feeds, compared with other programs in the same run.

sweep      unchanged feeds polled per second of CPU, with SQLite, compared with `reader`
delta      one new item in a known feed, compared with feedparser on the whole body
stall      a 100 MB feed, a feed of 100,000 entries and a gzip bomb among 200 normal feeds: the delay of the
           event loop, the memory, and the number of normal feeds that are read
pages      the full text of a page, compared with trafilatura's fast setting

python3 dev.py bench gather [sweep|delta|stall|pages]... [--feeds N]       needs nginx
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import gzip
import io
import os
import platform
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

from _feedkinds import KINDS, Kind
from _newsfeeds import FOOT, HEAD, feed, served
from _webpages import cluttered, f1, page

from service.app.factories.gather import PooledExecutor
from service.app.process_pool.pool import ProcessPool
from service.core import ids as identity
from service.core.model import Feed
from service.gather.entries.drafts import DocumentContext
from service.gather.entries.process import process_document
from service.gather.formats import rss_atom
from service.gather.formats.split_items import split_items
from service.gather.http.fetcher import FetchLimits, HttpFetcher
from service.gather.poll import Gatherer
from service.gather.stage import GatherReport, gather
from service.store.database import Database
from service.store.gather import SqlGatherStore
from service.store.subscribers import SqlSubscriberStore

try:
    from uvloop import run as run_loop
except ImportError:
    from asyncio import run as run_loop

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
LIMITS = FetchLimits(allow_private=("127.0.0.1",), per_host=16)
MB = 1024 * 1024
PAGES = Path(__file__).resolve().parents[1] / "service" / "cli" / "demo" / "sample" / "pages"


def a_feed(url: str, name: str = "The Example") -> Feed:
    """Return a feed whose pages are not fetched."""
    return Feed(identity.feed_id(url), url, name, ("world",), full_text="never")


def best(work: Callable[[], object], rounds: int = 7) -> float:
    """Return the minimum CPU seconds of a call."""
    shortest = float("inf")
    for _ in range(rounds):
        begun = time.process_time()
        work()
        shortest = min(shortest, time.process_time() - begun)
    return shortest


def line(what: str, ours: str, theirs: str, ratio: float) -> None:
    """Print one row of the table."""
    print(f"{what:<58} {ours:>22} {theirs:>28} {ratio:>7.1f} x")


# --- sweep -------------------------------------------------------------------------------------


def sweep(count: int) -> None:
    """Poll feeds that answer 304 with both programs, and compare the CPU seconds."""
    files = {f"{n}.xml": feed(range(n * 20, n * 20 + 20), 1) for n in range(count)}
    with served(files) as address, tempfile.TemporaryDirectory() as folder:
        urls = [f"{address}/{name}" for name in files]
        theirs = _reader_seconds(urls, Path(folder) / "reader.sqlite")
        ours = run_loop(_our_seconds(urls, Path(folder) / "caveat.sqlite"))
    line(
        f"{count} unchanged feeds",
        f"{count / ours:,.0f} feeds/CPU s",
        f"reader {count / theirs:,.0f} feeds/CPU s",
        theirs / ours,
    )


def _reader_seconds(urls: list[str], path: Path) -> float:
    import feedparser_sgmllib  # noqa: PLC0415 - imported only for its own measurement

    sys.modules.setdefault("sgmllib", feedparser_sgmllib)  # reader's own copy of feedparser asks for it
    from reader import make_reader  # noqa: PLC0415 - imported only for its own measurement

    reader = make_reader(str(path))
    for url in urls:
        reader.add_feed(url)
    reader.update_feeds(workers=10, scheduled=False)
    return best(lambda: reader.update_feeds(workers=10, scheduled=False), 3)


async def _our_seconds(urls: list[str], path: Path) -> float:
    database = await Database.open(f"sqlite:///{path}")
    await SqlSubscriberStore(database).save_feeds([a_feed(url) for url in urls], NOON)
    async with HttpFetcher(LIMITS) as fetcher:
        gatherer = Gatherer(SqlGatherStore(database), fetcher, path.parent)
        await gather(gatherer, now=NOON, force=True)
        shortest = float("inf")
        for hour in range(1, 4):
            begun = time.process_time()
            report = await gather(gatherer, now=NOON + timedelta(hours=hour), force=True)
            shortest = min(shortest, time.process_time() - begun)
            if report.unchanged != len(urls):
                raise SystemExit(f"not every feed was unchanged: {report}")
    await database.close()
    return shortest


# --- delta -------------------------------------------------------------------------------------


def delta() -> None:
    """Process one new item in a known feed, and compare with feedparser on the whole body."""
    import feedparser  # noqa: PLC0415 - imported only for its own measurement

    for kind, make in KINDS.items():
        for items in (10, 30, 100):
            after = make(range(items))
            context = _known(make, items, past=0)
            _print_delta(f"one new item: {items} of {kind}", context, after, feedparser.parse)
    for what, past in (("one new item, 500 past ones known", 500), ("nothing new", 0)):
        for kind in ("RSS, 2.4 KB each", "RSS, teasers"):
            make = KINDS[kind]
            after = make(range(30)) if past else make(range(1, 31)) + b"\n"
            _print_delta(f"{what}: 30 of {kind}", _known(make, 30, past=past), after, feedparser.parse)
    _same_entries()


def _known(make: Kind, items: int, *, past: int) -> DocumentContext:
    """Return the context of a poll where all items but the newest one are known."""
    source, memory, now = a_feed("https://news.example/rss"), "", NOON
    for start in range(10_000 + past, 10_000, -items):
        context = DocumentContext(source, memory, source.url, "", now, NOON if memory else None)
        memory, now = (
            process_document(context, make(range(start, start + items))).seen_items,
            now + timedelta(hours=1),
        )
    context = DocumentContext(source, memory, source.url, "", now, NOON if memory else None)
    memory = process_document(context, make(range(1, items + 1))).seen_items
    return DocumentContext(source, memory, source.url, "", now + timedelta(hours=1), now)


def _print_delta(
    what: str, context: DocumentContext, after: bytes, parse: Callable[[io.BytesIO], object]
) -> None:
    """Measure both alternately, and print the medians."""
    if len(process_document(context, after).new) != what.startswith("one"):
        raise SystemExit("the new item was not found")
    pairs = [
        (best(lambda: process_document(context, after), 3), best(lambda: parse(io.BytesIO(after)), 1))
        for _ in range(7)
    ]
    ours, theirs = (statistics.median(times) for times in zip(*pairs, strict=True))
    line(what, f"{ours * 1e3:.2f} ms", f"feedparser {theirs * 1e3:.1f} ms", theirs / ours)


def _same_entries() -> None:
    """Count the entries that are the same when each is parsed alone, as a new entry is."""
    same = plain = total = 0
    for make in KINDS.values():
        document = rss_atom.to_utf8(make(range(100)))
        pieces = split_items(document)
        for n, entry in enumerate(rss_atom.read(document).entries):
            alone = pieces.with_items({n}) if pieces else b""
            plainly = rss_atom.read_fast(alone)
            total += 1
            plain += plainly is not None
            same += (plainly or rss_atom.read(alone)).entries == (entry,)
    print(
        f"{'entries that are the same when parsed alone':<58} {same:>14} of {total:>4}, {plain} by read_fast"
    )


# --- stall -------------------------------------------------------------------------------------


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


# --- pages -------------------------------------------------------------------------------------


def pages() -> None:
    """Extract the text of the demo's pages and of generated ones, with links and scripts around it."""
    import trafilatura  # noqa: PLC0415 - imported only for its own measurement

    from service.gather.pages.full_text import extract_text, read_page  # noqa: PLC0415 - imported only for its own measurement

    sample = [cluttered(path.read_text(encoding="utf-8")) for path in sorted(PAGES.glob("*.html"))]
    made = [page(number) for number in range(80)]
    for what, real in (("short pages", sample), ("pages of any length", [html for html, _ in made])):
        ours = best(lambda real=real: [read_page(html, "", "") for html in real], 5) / len(real)
        alone = best(lambda real=real: [extract_text(html) for html in real], 5) / len(real)
        theirs = best(lambda real=real: [trafilatura.extract(html, fast=True) for html in real], 5) / len(
            real
        )
        kilobytes = sum(map(len, real)) // len(real) // 1024
        peer = f"trafilatura {theirs * 1e3:.1f} ms"
        line(f"text of {what}, {kilobytes} KB", f"{alone * 1e3:.1f} ms", peer, theirs / alone)
        line("    with checks of paywall, subject and language", f"{ours * 1e3:.1f} ms", peer, theirs / ours)
    for name, extract in (("ours", lambda html: extract_text(html).text), ("trafilatura", _fast)):
        agreement = sum(f1(extract(html), expected) for html, expected in made) / len(made)
        print(f"{'F1 of the pages of any length, ' + name:<58} {agreement:>22.4f}")


def _fast(html: bytes) -> str:
    import trafilatura  # noqa: PLC0415 - imported only for its own measurement

    return trafilatura.extract(html, fast=True) or ""


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")


def main() -> None:
    """Run the parts of the arguments, all by default."""
    parts = {"sweep": sweep, "delta": delta, "stall": stall, "pages": pages}
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", choices=[[], *parts], help="parts to run (default: all)")
    parser.add_argument("--feeds", type=int, default=1_000, help="number of feeds in the sweep")
    options = parser.parse_args()
    if shutil.which("nginx") is None:
        raise SystemExit("nginx serves the feeds; install it (apt install nginx)")
    print(f"{_processor()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    for name in options.parts or parts:
        if name == "sweep":
            sweep(options.feeds)
        else:
            parts[name]()


if __name__ == "__main__":
    main()
