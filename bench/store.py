"""Store: planning an issue for a million subscribers, and the ledger, on SQLite and PostgreSQL.

plan     one issue for all subscribers, set-based, compared with one INSERT and UPDATE for each
take     batches of 500 from the outbox
marks    attempts and outcomes, a hundred in each durable commit, compared with one in each
import   subscribers added per second

python3 dev.py bench store [sqlite|postgresql]... [--subscribers N] [--marks N]
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import resource
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from sqlalchemy import text, update

from service.core import ids as identity
from service.core.model import (
    Delivery,
    DeliveryState,
    DesiredSubscription,
    Edition,
    Group,
    Issue,
    Preferences,
    RenderedMail,
    Subscriber,
)
from service.deliver.ports import StateChange
from service.store.compose import SqlComposeStore
from service.store.database import Database
from service.store.deliver import SqlDeliverStore
from service.store.schema import deliveries, subscriptions
from service.store.subscribers import SqlSubscriberStore
from tests.postgres import running_server

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
DAY, LEASE = timedelta(days=1), timedelta(minutes=10)
EDITION = Edition("morning", "daily 07:00", "Europe/Berlin", ("world",), 8, 4, "en", "html")
CHUNK = 10_000


def issue_of(group: Group, occurrence: str) -> Issue:
    """Return an issue of 40 KB for the group."""
    return Issue(
        id=identity.issue_id(group.edition_key, occurrence, group.served_through),
        newsletter="morning",
        edition_key=group.edition_key,
        occurrence=occurrence,
        due_at=NOON,
        served_from=group.served_through,
        served_through=group.served_through + 1,
        rendered=RenderedMail("Talks resume", "<p>Talks resume</p>" * 1_500, "Talks resume" * 800),
        article_ids=(),
        created_at=NOON,
    )


class Watch:
    """Times the work in its block, and prints a line with seconds and rate."""

    def __init__(self, what: str, count: int) -> None:
        self.what, self.count = what, count

    def __enter__(self) -> Self:
        self._start = time.perf_counter()
        return self

    def __exit__(self, *_: object) -> None:
        self.seconds = time.perf_counter() - self._start
        rate = self.count / self.seconds
        print(f"  {self.what:52} {self.seconds:8.2f} s {rate:12,.0f} /s", flush=True)


async def import_people(database: Database, how_many: int) -> None:
    """Add `how_many` subscribers in chunks, as an import does."""
    people, key = SqlSubscriberStore(database), identity.edition_key(EDITION)
    with Watch(f"import {how_many:,} subscribers", how_many):
        for first in range(0, how_many, CHUNK):
            desired = []
            for n in range(first, min(first + CHUNK, how_many)):
                email = f"reader{n}@example{n % 50}.org"
                person = Subscriber(identity.subscriber_id(email), email, f"Reader {n}")
                desired.append(DesiredSubscription(person, "morning", Preferences(), EDITION, key, NOON))
            await people.add_subscriptions(desired, NOON, starts_after=NOON)


async def plan(database: Database, how_many: int) -> None:
    """Plan an issue for all subscribers, and for one in fifty row by row."""
    compose = SqlComposeStore(database)
    with Watch("due_groups, all subscribers due", how_many):
        [group] = await compose.due_groups(NOON)
    with Watch(f"plan an issue for {how_many:,}", how_many) as ours:
        planned = await compose.record_issue(group, issue_of(group, "today"), NOON + DAY, "smtp")
    if planned != how_many:
        raise SystemExit(f"planned {planned} deliveries for {how_many} readers")
    some = max(how_many // 50, 1)
    with Watch(f"the same row by row, for {some:,}", some) as plain:
        await plan_row_by_row(database, some)
    print(f"  {plain.seconds / some * how_many / ours.seconds:.1f} times as fast as row by row")


async def plan_row_by_row(database: Database, how_many: int) -> None:
    """Insert a delivery and update the subscription in a loop: the simple way, for comparison."""
    async with database.write() as connection:
        query = text("SELECT subscriber FROM subscriptions ORDER BY subscriber LIMIT :n")
        readers = [row[0] for row in await connection.execute(query, {"n": how_many})]
        for number in readers:
            row = {"issue": -1, "subscriber": number, "state": "sent", "attempts": 0}
            await connection.execute(deliveries.insert().values(row))
            mine = subscriptions.c.subscriber == number
            await connection.execute(update(subscriptions).where(mine).values(changed_at=NOON))


async def take(database: Database, batches: int) -> list[tuple[str, Sequence[Delivery]]]:
    """Lease batches of 500 deliveries."""
    records, taken = SqlDeliverStore(database), []
    with Watch(f"take {batches} batches of 500", batches * 500):
        for n in range(batches):
            batch = await records.take_batch("smtp", f"token{n}", NOON, NOON + LEASE, 500)
            taken.append((batch.token, batch.deliveries))
    return taken


async def mark(
    database: Database, batches: list[tuple[str, Sequence[Delivery]]], group: int, how_many: int
) -> float:
    """Record attempts and outcomes, `group` changes in each commit; return changes per second."""
    records, done = SqlDeliverStore(database), 0
    with Watch(f"{how_many:,} marks, {group} in each durable commit", how_many) as watch:
        while done < how_many:
            token, some = batches.pop()
            for first in range(0, len(some), group):
                part = some[first : first + group]
                for state in (DeliveryState.ATTEMPTING, DeliveryState.SENT):
                    marks = [StateChange(delivery, state, NOON, "250 ok") for delivery in part]
                    if len(await records.record_changes(token, marks)) != len(part):
                        raise SystemExit("marks were lost")
                    done += len(part)
                if done >= how_many:
                    break
    return done / watch.seconds


@contextlib.asynccontextmanager
async def opened(backend: str, folder: Path) -> AsyncIterator[Database]:
    """Open a new database of the backend."""
    with contextlib.ExitStack() as stack:
        url = f"sqlite:///{folder}/caveat.db"
        if backend == "postgresql":
            url = stack.enter_context(running_server(durable=True)) + "/postgres"
        database = await Database.open(url)
        try:
            yield database
        finally:
            await database.close()


async def measure(backend: str, options: argparse.Namespace) -> None:
    """Print one backend's table."""
    print(f"\n{backend}, {options.subscribers:,} subscribers", flush=True)
    with tempfile.TemporaryDirectory(prefix="caveat-bench-", dir=options.folder) as folder:
        async with opened(backend, Path(folder)) as database:
            await import_people(database, options.subscribers)
            await plan(database, options.subscribers)
            grouped, single = options.marks, max(options.marks // 100, 20)
            batches = await take(database, 2 + (grouped + single) // 1_000)
            fast = await mark(database, batches, 100, grouped)
            slow = await mark(database, batches, 1, single)
            print(f"  {fast / slow:.1f} times as many marks as with a commit for each")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"  peak memory of this process {peak:.0f} MB")


def main() -> None:
    """Measure the backends of the arguments, both by default."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("backends", nargs="*", default=["sqlite", "postgresql"])
    parser.add_argument("--subscribers", type=int, default=1_000_000)
    parser.add_argument("--marks", type=int, default=20_000)
    parser.add_argument("--folder", help="folder of the databases (default: the temporary folder)")
    options = parser.parse_args()
    for backend in options.backends:
        asyncio.run(measure(backend, options))


if __name__ == "__main__":
    main()
