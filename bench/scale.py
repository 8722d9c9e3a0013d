"""Scale: planning an issue for ten million subscribers, and two workers on two cores.

plan      seconds, and the peak memory of what plans, for --readers and for a tenth of them: it should not
          grow with their number. SQLite: this program's process. PostgreSQL: also the server's process
workers   messages per second of one worker on one core, and of two workers on two cores, with PostgreSQL,
          smtp-sink and the workers on the same cores

python3 dev.py bench scale [plan|workers]... [--storage sqlite|postgresql] [--readers N] [--messages N]
    [--rounds N]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from _mailing import EDITION, NOON, SINK, an_issue, prepare, sink
from _sending import plan, run_loop, send
from sqlalchemy import text

from service.core import ids as identity
from service.store import schema
from service.store.database import Database
from tests.postgres import running_server

MIN_CORES = 2
CONNECTIONS = 10  # of each worker
SAMPLE_SECONDS = 0.02  # between two readings of a process's memory
STEP = 1_000_000  # subscribers in one statement
NUMBERS = {
    "sqlite": "WITH RECURSIVE n (i) AS (SELECT :first UNION ALL SELECT i + 1 FROM n WHERE i < :last) ",
    "postgresql": "WITH n (i) AS (SELECT generate_series(CAST(:first AS bigint), CAST(:last AS bigint))) ",
}
PEOPLE = """INSERT INTO subscribers (number, id, address_hash, email, name)
    {numbers} SELECT i, 's' || i, 'h' || i, 'reader' || i || '@example.org', 'Reader ' || i FROM n"""
PLACES = """INSERT INTO subscriptions
    (subscriber, newsletter, group_number, status, choice, declared, chosen, changed_at, wishes)
    {numbers} SELECT i, :newsletter, 1, 'active', 'active', true, false, 0, '{{}}' FROM n"""


# --- planning -------------------------------------------------------------------------------------


async def fill(database: Database, readers: int) -> None:
    """Store this number of subscribers of one group, all due, by statements that the database expands."""
    numbers = NUMBERS["sqlite" if database.on_sqlite else "postgresql"]
    await prepare_group(database)
    for first in range(1, readers + 1, STEP):
        values = {"first": first, "last": min(first + STEP - 1, readers)}
        async with database.write() as connection:
            await connection.execute(text(PEOPLE.format(numbers=numbers)), values)
            places = values | {"newsletter": EDITION.newsletter}
            await connection.execute(text(PLACES.format(numbers=numbers)), places)
    if not database.on_sqlite:
        async with database.write() as connection:
            await connection.execute(text("ANALYZE"))


async def prepare_group(database: Database) -> None:
    """Store the edition and its group."""
    key = identity.edition_key(EDITION)
    columns = {column.name for column in schema.editions.columns} - {"key"}
    values = {name: getattr(EDITION, name) for name in columns}
    group = {"number": 1, "edition_key": key, "told_through": 0, "next_due_at": NOON}
    async with database.write() as connection:
        await connection.execute(schema.editions.insert(), {"key": key, **values})
        await connection.execute(schema.groups.insert(), group)


def own_memory(process: int) -> int:
    """Return the memory that belongs to a process alone, in bytes: RssAnon; 0 if it has ended."""
    try:
        lines = Path(f"/proc/{process}/status").read_text("ascii").splitlines()
    except OSError:
        return 0
    return next((1024 * int(line.split()[1]) for line in lines if line.startswith("RssAnon")), 0)


@contextmanager
def peak_of(processes: Callable[[], list[int]]) -> Iterator[list[int]]:
    """Yield a list whose only number is the largest memory that any of the processes had in the block."""
    peak, ended = [0], threading.Event()

    def watch() -> None:
        while not ended.wait(SAMPLE_SECONDS):
            peak[0] = max(peak[0], *(own_memory(one) for one in processes()), 0)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield peak
    finally:
        ended.set()
        watcher.join()


def backends() -> list[int]:
    """Return the processes of PostgreSQL on this machine that serve a client."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes()
        except OSError:
            continue
        if command.startswith(b"postgres: caveat"):
            found.append(int(folder.name))
    return found


async def planned(url: str, readers: int) -> None:
    """Store the subscribers, plan their issue, and print a line."""
    database = await Database.open(url)
    try:
        await fill(database, readers)
    finally:
        await database.close()
    role = [sys.executable, __file__, "--role=plan", f"--url={url}", f"--readers={readers}"]
    with peak_of(backends) as server:
        done = await asyncio.to_thread(subprocess.run, role, stdout=subprocess.PIPE, check=True, text=True)
    found = json.loads(done.stdout)
    more = "" if url.startswith("sqlite") else f", server's process {server[0] / 2**20:6.0f} MB"
    print(
        f"  {readers:10,} subscribers {found['wall']:8.2f} s, peak of the planning process "
        f"{found['peak']:5.0f} MB{more}",
        flush=True,
    )


def plan_table(options: argparse.Namespace) -> None:
    """Print the table of planning."""
    for storage in options.storage or ("sqlite", "postgresql"):
        print(f"\nplan: one issue for all, one transaction, {storage}", flush=True)
        for readers in (options.readers // 10, options.readers):
            with ExitStack() as stack:
                folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="caveat-bench-"))
                url = f"sqlite:///{folder}/caveat.db"
                if storage == "postgresql":
                    url = stack.enter_context(running_server(durable=True)) + "/postgres"
                asyncio.run(planned(url, readers))


# --- workers --------------------------------------------------------------------------------------


def measured(workers: int, messages: int) -> float:
    """Return messages per second of this number of workers on as many cores, with all that they need."""
    every = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, every[:workers])
    try:
        with running_server(durable=True) as server, sink() as port:
            url = f"{server}/postgres"
            asyncio.run(prepared(url, messages))
            role = [sys.executable, __file__, "--role=send", f"--url={url}", f"--port={port}"]
            pipe = subprocess.PIPE
            running = [subprocess.Popen(role, stdin=pipe, stdout=pipe, text=True) for _ in range(workers)]
            for worker in running:
                ready(worker)
            start = time.perf_counter()
            counts = [int(worker.communicate()[0]) for worker in started(running)]
            seconds = time.perf_counter() - start
    finally:
        os.sched_setaffinity(0, every)
    if sum(counts) != messages:
        raise SystemExit(f"{sum(counts)} messages were sent of {messages}")
    return messages / seconds


def ready(worker: subprocess.Popen[str]) -> None:
    """Wait until the worker has opened the database."""
    if worker.stdout is None or worker.stdout.readline() != "ready\n":
        raise SystemExit("a worker ended early")


def started(running: list[subprocess.Popen[str]]) -> list[subprocess.Popen[str]]:
    """Let all workers start at once."""
    for worker in running:
        if worker.stdin is not None:
            worker.stdin.write("go\n")
            worker.stdin.flush()
    return running


async def prepared(url: str, messages: int) -> None:
    """Store the subscribers, and plan their issue."""
    await prepare(url, messages)
    database = await Database.open(url)
    await plan(database, an_issue(40_000), messages)
    await database.close()


def workers_table(options: argparse.Namespace) -> None:
    """Print the table of workers, in turns."""
    if len(os.sched_getaffinity(0)) < MIN_CORES:
        raise SystemExit("this comparison needs two cores")
    if not Path(SINK).exists():
        raise SystemExit("smtp-sink is missing; on Debian: apt install postfix (not started)")
    print(f"\nworkers: {options.messages:,} messages of 40 KB, PostgreSQL and smtp-sink on the same cores")
    gains = []
    for _ in range(options.rounds):
        one, two = measured(1, options.messages), measured(2, options.messages)
        gains.append(two / one)
        print(f"  one {one:8,.0f} /s   two {two:8,.0f} /s   {two / one:5.2f} x", flush=True)
    print(f"median: two workers on two cores send {statistics.median(gains):.2f} x as much (aim 1.8)")


# --- roles ----------------------------------------------------------------------------------------


async def play(options: argparse.Namespace) -> None:
    """Plan or send in a process of its own."""
    database = await Database.open(options.url)
    if options.role == "plan":
        start = time.perf_counter()
        count = await plan(database, an_issue(40_000), options.readers)
        if count != options.readers:
            raise SystemExit(f"planned {count} deliveries for {options.readers} subscribers")
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps({"wall": time.perf_counter() - start, "peak": peak}))
    else:
        print("ready", flush=True)
        sys.stdin.readline()
        print(await send(database, options, None))
    await database.close()


TABLES = {"plan": plan_table, "workers": workers_table}


def main() -> None:
    """Print the tables of the arguments, both by default."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("tables", nargs="*", choices=[*TABLES, []], default=[])
    parser.add_argument("--storage", action="append", choices=["sqlite", "postgresql"])
    parser.add_argument("--readers", type=int, default=10_000_000)
    parser.add_argument("--messages", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--role", help=argparse.SUPPRESS)
    parser.add_argument("--url", help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    parser.set_defaults(certificate=None, key=None, connections=CONNECTIONS)
    options = parser.parse_args()
    if options.role:
        run_loop(play(options))
        return
    for name in options.tables or TABLES:
        TABLES[name](options)


if __name__ == "__main__":
    main()
