"""A day of the whole service in one run: CPU time, memory and database size, by stage and in all.

300 feeds on a local server (seven of ten teasers with pages of 100 KB, four languages), 3,000 new articles,
three days of articles before, 50 editions, 10,000 readers, Postfix's smtp-sink. The real service runs minute
by minute with a clock that is set, and a process pool of one process. Then the same day by a script as one
would write it: feedparser, trafilatura, sumy's LexRank, Jinja, smtplib (a tenth of it, times ten).

python3 dev.py bench day [--small] [--storage sqlite|postgresql] [--workers 1|2]
    [--feeds N] [--new N] [--readers N] [--editions N] [--hours N] [--step N] [--articles DIR] [--no-script]
"""

from __future__ import annotations

import argparse
import asyncio
import os
import pickle
import sys
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from _day_clock import SharedClock
from _day_news import Publisher, Report, publishers, reports
from _day_processes import MemoryWatch, cpu_of
from _day_run import Worker, mail_server, mails_at, run_day, run_script, site_of, storage_of
from _day_setup import fill, sent_by_ledger, size_of, subscribe, write_config

from service.settings.load import load_config
from service.store.database import Database

START = datetime(2026, 3, 3, tzinfo=UTC)
DAYS_BEFORE = 3
SMALL = {"feeds": 12, "new": 80, "readers": 60, "editions": 10, "step": 20, "no_script": True}
STAGES = ("gather", "condense", "compose", "deliver")
LAST_MINUTES = 40  # after the day, until everything is sent


@dataclass
class Day:
    """The results: costs by stage, seconds of wall time, memory, bytes, mails by ledger and at the server."""

    found: dict[str, Any]
    wall: float
    memory: MemoryWatch
    size: int
    in_ledger: int
    received: int
    harness: float
    script: list[float]


async def prepare(
    folder: Path, options: argparse.Namespace, feeds: list[Publisher], before: list[Report], port: int
) -> int:
    """Fill the database with readers and the days before; return the number of editions."""
    loaded = load_config(folder / "config", {})
    database = await Database.open(loaded.settings.storage)
    try:
        await fill(database, loaded.roster, feeds, before, port)
        return await subscribe(database, loaded.roster.newsletters, options.readers, options.editions, START)
    finally:
        await database.close()


def measure(options: argparse.Namespace, folder: Path) -> Day:
    """Prepare and run the day."""
    feeds = publishers(options.feeds)
    first = START - timedelta(days=DAYS_BEFORE)
    every = reports(feeds, options.new, first, DAYS_BEFORE + 1, options.articles)
    before = [one for one in every if one.at <= START]
    (folder / "news.pickle").write_bytes(pickle.dumps((feeds, every)))
    clock = SharedClock(folder / "clock")
    clock.set(START)
    with (
        storage_of(options.storage, folder) as storage,
        mail_server(folder / "mails") as (smtp_port, sink_pid),
        site_of(folder) as (port, site_pid),
    ):
        write_config(folder / "config", feeds, storage=storage, site_port=port, sink=smtp_port)
        editions = asyncio.run(prepare(folder, options, feeds, before, port))
        print(
            f"{len(feeds)} feeds, {len(every) - len(before)} new articles, {len(before)} known ones, "
            f"{editions} editions, {options.readers} readers; {options.storage}, {options.workers} worker(s)",
            flush=True,
        )
        shares = (STAGES,) if options.workers == 1 else (STAGES[:2], STAGES[2:])
        workers = [Worker(folder, stages, tuple(options.prefix.split())) for stages in shares]
        watch = MemoryWatch([worker.pid for worker in workers]).start()
        try:
            minutes = range(0, int(options.hours * 60) + LAST_MINUTES, options.step)
            moments = [START + minute * timedelta(minutes=1) for minute in minutes]
            wall, found = run_day(workers, clock, moments, options.seconds)
        finally:
            watch.stop()
            for worker in workers:
                worker.close()
        harness = cpu_of(os.getpid(), with_ended=False) + cpu_of(sink_pid) + cpu_of(site_pid)
        sent, size = asyncio.run(sent_by_ledger(storage)), asyncio.run(size_of(storage))
        received = mails_at(folder / "mails")
        script = []
        if not options.no_script:
            script = run_script(folder, port, smtp_port, options.readers, options.editions)
        return Day(found, wall, watch, size, sent, received, harness, script)


def print_table(day: Day) -> None:
    """Print what each stage cost, and the whole day."""
    costs = day.found["costs"]
    both = {stage: cost["main"] + cost["pool"] for stage, cost in costs.items()}
    whole = sum(both.values()) or 1.0
    print(
        f"{'stage':10} {'passes':>7} {'made':>7} {'main':>8} {'pool':>8} {'sum':>8} {'share':>6} {'wall':>8}"
    )
    for stage in sorted(both, key=both.__getitem__, reverse=True):
        cost = costs[stage]
        print(
            f"{stage:10} {cost['passes']:7} {cost['made']:7} {cost['main']:8.2f} {cost['pool']:8.2f} "
            f"{both[stage]:8.2f} {both[stage] / whole:6.1%} {cost['wall']:8.2f}"
        )
    main, pool = (sum(cost[part] for cost in costs.values()) for part in ("main", "pool"))
    print(f"{'day':10} {'':7} {'':7} {main:8.2f} {pool:8.2f} {whole:8.2f} {'':6} {day.wall:8.2f}")
    memory = day.memory
    print(
        f"peak memory: {memory.main / 1024:.0f} MB the main process; {memory.processes} processes together "
        f"{memory.proportional / 1024:.0f} MB (PSS), {memory.resident / 1024:.0f} MB (RSS)"
    )
    print(f"database: {day.size / 2**20:.0f} MB; the harness itself: {day.harness:.0f} CPU s")
    print(f"mails: {day.in_ledger} in the ledger, {day.received} at the server")
    if day.script:
        news, mail, _ = day.script
        print(
            f"the same day by a script, without stories and ledger: {news + mail:.0f} CPU s "
            f"({news:.0f} news, {mail:.0f} mail), {(news + mail) / whole:.1f} x of the service's"
        )
    for problem in day.found["problems"][:5]:
        print(f"problem: {problem}")


def main() -> None:
    """Read the options, run the day and the script; exit with 1 if a mail is missing or there is one more."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--feeds", type=int, default=300)
    parser.add_argument("--new", type=int, default=3000, help="new articles of a day")
    parser.add_argument("--readers", type=int, default=10_000)
    parser.add_argument("--editions", type=int, default=50)
    parser.add_argument("--hours", type=float, default=24)
    parser.add_argument("--step", type=int, default=1, help="minutes between two looks at what is due")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="most wall time of the day")
    parser.add_argument("--storage", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--workers", type=int, choices=(1, 2), default=1, help="2 need PostgreSQL")
    parser.add_argument(
        "--articles", type=Path, help="a folder with texts (*.jsonl) in place of invented ones"
    )
    parser.add_argument("--small", action="store_true", help="a small day, in seconds")
    parser.add_argument("--no-script", action="store_true")
    parser.add_argument("--prefix", default="", help="a command that starts the service, such as taskset")
    options = parser.parse_args()
    if options.small:
        parser.set_defaults(**SMALL)
        options = parser.parse_args()
    if options.workers == 2 and options.storage == "sqlite":
        parser.error("two workers need --storage postgresql")
    with tempfile.TemporaryDirectory(prefix="caveat-day-") as folder:
        day = measure(options, Path(folder))
    print_table(day)
    if not day.in_ledger == day.received > 0 or day.found["problems"]:
        raise SystemExit("the mails differ, or a stage had a problem")


if __name__ == "__main__":
    main()
