"""Gather: the cost of polling feeds, compared with other programs in the same run.

sweep      unchanged feeds polled per second of CPU, with SQLite, compared with `reader`
delta      one new item in a known feed, compared with feedparser on the whole body
records    a poll with a new article recorded, alone and in groups
stall      a 100 MB feed, a feed of 100,000 entries and a gzip bomb among 200 normal feeds: the delay of the
           event loop, the memory, and the number of normal feeds that are read
pages      the full text of a page, compared with trafilatura's fast setting

python3 dev.py bench gather [sweep|delta|records|stall|pages]... [--feeds N]       needs nginx
"""

from __future__ import annotations

import argparse
import io
import os
import platform
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

from _feedkinds import KINDS, Kind
from _gather_feeds import LIMITS, NOON, a_feed, best, line, run_loop
from _gather_pages import pages
from _gather_records import records
from _gather_stall import stall
from _newsfeeds import feed, served

from service.gather.entries.drafts import DocumentContext
from service.gather.entries.process import process_document
from service.gather.formats import rss_atom
from service.gather.formats.split_items import split_items
from service.gather.http.fetcher import HttpFetcher
from service.gather.poll import Gatherer
from service.gather.stage import gather
from service.store.database import Database
from service.store.gather import SqlGatherStore
from service.store.subscribers import SqlSubscriberStore

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


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")


def main() -> None:
    """Run the parts of the arguments, all by default."""
    parts = {"sweep": sweep, "delta": delta, "records": records, "stall": stall, "pages": pages}
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
