"""Transactions on SQLite: what store code pays for one, compared with sqlite3 on a thread.

read     one SELECT
write    a SELECT and two UPDATEs, durable

block    `async with database.read()` or `write()`: a call of the thread for each statement
function `run_read` or `run_write`, with constant statements: one call for all
plain    the same SQL by sqlite3 in one call of asyncio.to_thread

python3 dev.py bench transactions [--number N]
"""

from __future__ import annotations

import argparse
import asyncio
import sqlite3
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from sqlalchemy import Connection, bindparam, select, update

from service.store.database import PRAGMAS, Database
from service.store.schema import counters, settings

ROUNDS = 5
VALUE = select(counters.c.value).where(counters.c.name == "articles")
SET_VALUE = update(counters).where(counters.c.name == "articles").values(value=bindparam("new"))
SET_NOTE = update(settings).where(settings.c.name == "note").values(value=bindparam("new"))


def read(connection: Connection) -> int:
    """Return the counter's value."""
    return int(connection.execute(VALUE).scalar_one())


def write(connection: Connection) -> None:
    """Add one to the counter."""
    value = read(connection)
    connection.execute(SET_VALUE, {"new": value + 1})
    connection.execute(SET_NOTE, {"new": str(value)})


async def read_in_a_block(database: Database) -> None:
    """Read as most stores do."""
    async with database.read() as connection:
        await connection.scalar(select(counters.c.value).where(counters.c.name == "articles"))


async def write_in_a_block(database: Database) -> None:
    """Write as most stores do."""
    async with database.write() as connection:
        value = await connection.scalar(select(counters.c.value).where(counters.c.name == "articles")) or 0
        await connection.execute(
            update(counters).where(counters.c.name == "articles").values(value=value + 1)
        )
        await connection.execute(update(settings).where(settings.c.name == "note").values(value=str(value)))


def read_plainly(connection: sqlite3.Connection) -> None:
    """Read by sqlite3 alone."""
    connection.execute("SELECT value FROM counters WHERE name = 'articles'").fetchone()


def write_plainly(connection: sqlite3.Connection) -> None:
    """Write by sqlite3 alone."""
    connection.execute("BEGIN IMMEDIATE")
    (value,) = connection.execute("SELECT value FROM counters WHERE name = 'articles'").fetchone()
    connection.execute("UPDATE counters SET value = ? WHERE name = 'articles'", (value + 1,))
    connection.execute("UPDATE settings SET value = ? WHERE name = 'note'", (str(value),))
    connection.execute("COMMIT")


async def cost(work: Callable[[], Awaitable[Any]], number: int) -> float:
    """Return the microseconds of CPU that one call takes."""
    await work()
    start = time.process_time()
    for _ in range(number):
        await work()
    return (time.process_time() - start) / number * 1e6


async def measure(path: Path, number: int) -> None:
    """Print the table: the median of the rounds, in which the ways take turns."""
    database = await Database.open(f"sqlite:///{path}")
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as raw:
        for pragma in PRAGMAS:
            raw.execute(f"PRAGMA {pragma}")
        ways: dict[str, Callable[[], Awaitable[Any]]] = {
            "read, block": lambda: read_in_a_block(database),
            "read, function": lambda: database.run_read(read),
            "read, plain": lambda: asyncio.to_thread(read_plainly, raw),
            "write, block": lambda: write_in_a_block(database),
            "write, function": lambda: database.run_write(write),
            "write, plain": lambda: asyncio.to_thread(write_plainly, raw),
        }
        found: dict[str, list[float]] = {way: [] for way in ways}
        for _ in range(ROUNDS):
            for way, work in ways.items():
                found[way].append(await cost(work, number))
    await database.close()
    medians = {way: sorted(costs)[ROUNDS // 2] for way, costs in found.items()}
    for way, costs in found.items():
        plain = medians[f"{way.partition(',')[0]}, plain"]
        print(
            f"{way:16} {medians[way]:7.0f} us of CPU [{min(costs):.0f}-{max(costs):.0f}]"
            f"   {medians[way] / plain:4.1f} x plain"
        )


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--number", type=int, default=500, help="transactions of each kind in a round")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="caveat-bench-") as folder:
        asyncio.run(measure(Path(folder) / "caveat.db", options.number))


if __name__ == "__main__":
    main()
