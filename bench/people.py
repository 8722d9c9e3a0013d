"""People: importing a million subscribers, compared with a simple script.

import   `subscriber import`: rows validated and stored durably, refused rows named by line
plain    csv.DictReader, email-validator, an INSERT for each person and each subscription
export   the same people as CSV

python3 dev.py bench people [--rows N] [--plain N]
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import resource
import sqlite3
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from email_validator import validate_email

from service.core.model import Newsletter
from service.store.database import Database
from service.store.subscribers import SqlSubscriberStore
from service.subscribers.export import export_subscribers
from service.subscribers.importer import ImportOptions, import_subscribers

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
ZONES = ("Europe/Berlin", "Asia/Qatar", "America/New_York", "Asia/Tokyo", "")
NEWSLETTERS = {
    name: Newsletter(name, name.title(), "daily 07:00", "Europe/Berlin", ("world",))
    for name in ("morning", "evening")
}


def write_rows(path: Path, rows: int) -> None:
    """Write a file of subscribers; one in fifty has two newsletters, one in ten an own schedule."""
    with path.open("w", encoding="utf-8") as file:
        file.write("email,name,timezone,newsletters,schedule\n")
        for n in range(rows):
            newsletters = "morning evening" if n % 50 == 0 else "morning"
            schedule = "weekdays 06:30" if n % 10 == 0 else ""
            file.write(
                f"reader.{n}@mail{n % 977}.example.org,Reader {n},{ZONES[n % 5]},{newsletters},{schedule}\n"
            )


def print_row(what: str, rows: int, seconds: float, cpu: float) -> None:
    """Print one row of the table."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    rate = f"{rows / cpu:10,.0f} /CPU s"
    print(f"{what:10} {rows:10,} rows {seconds:8.1f} s {cpu:8.1f} s CPU {rate} {peak:6.0f} MB")


async def ours(path: Path, folder: Path, rows: int) -> float:
    """Import and export the file; return the CPU seconds that the import took."""
    database = await Database.open(f"sqlite:///{folder / 'caveat.db'}")
    people = SqlSubscriberStore(database)
    start, cpu = time.perf_counter(), time.process_time()
    with path.open("rb") as source:
        done = await import_subscribers(people, source, path.name, ImportOptions(NEWSLETTERS, NOON), NOON)
    used = time.process_time() - cpu
    if done.people != rows or done.refused:
        raise SystemExit(f"{done} instead of {rows} people")
    print_row("import", rows, time.perf_counter() - start, used)
    start, cpu = time.perf_counter(), time.process_time()
    lines = sum([1 async for _ in export_subscribers(people)])
    print_row("export", lines - 1, time.perf_counter() - start, time.process_time() - cpu)
    await database.close()
    return used


def plain(path: Path, folder: Path, rows: int) -> float:
    """Import the first rows of the file with a simple script; return the CPU seconds."""
    connection = sqlite3.connect(folder / "plain.db")
    connection.execute(
        "CREATE TABLE people (id INTEGER PRIMARY KEY, email TEXT UNIQUE, name TEXT, zone TEXT)"
    )
    connection.execute(
        "CREATE TABLE places (person INTEGER, newsletter TEXT, schedule TEXT, UNIQUE (person, newsletter))"
    )
    start, cpu = time.perf_counter(), time.process_time()
    with path.open(encoding="utf-8", newline="") as source, connection:
        for _, row in zip(range(rows), csv.DictReader(source), strict=False):
            address = validate_email(row["email"], check_deliverability=False).normalized
            cursor = connection.execute(
                "INSERT INTO people (email, name, zone) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                (address, row["name"], row["timezone"]),
            )
            for newsletter in row["newsletters"].split():
                connection.execute(
                    "INSERT INTO places VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                    (cursor.lastrowid, newsletter, row["schedule"]),
                )
    used = time.process_time() - cpu
    print_row("plain", rows, time.perf_counter() - start, used)
    connection.close()
    return used


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--plain", type=int, default=20_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        path = folder / "people.csv"
        write_rows(path, options.rows)
        used = asyncio.run(ours(path, folder, options.rows))
        usual = plain(path, folder, min(options.plain, options.rows))
    ratio = (used / options.rows) / (usual / min(options.plain, options.rows))
    print(f"\nCPU for a person: {ratio:.1f} times the plain script's; floor: 1,000,000 in 60 s and 200 MB")


main()
