"""After any crash each subscriber gets the message; only an uncertain delivery may arrive twice.

The server's list of accepted messages decides, not our own tables.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import random
import shutil
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from service.core.model import DeliveryState
from service.deliver.channels.smtp.channel import SmtpChannel
from service.deliver.leases import DeliverPolicy
from service.deliver.stage import Deliverer, deliver
from service.store.database import Database
from service.store.deliver import SqlDeliverStore
from tests.deliver import worker
from tests.deliver.breaking_proxy import FROM_SERVER, TO_SERVER, BreakingProxy
from tests.deliver.fakes import Clock, MemoryLedger, a_message_builder, a_relay_at, some_deliveries
from tests.deliver.planning import plan_issue
from tests.deliver.server import MailServer

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["tests.deliver.worker"])


def assert_each_arrived_once(uncertain: int, planned: list[str], server: MailServer) -> None:
    """Each message arrived, at most `uncertain` of them twice, and all copies have the same bytes."""
    counts = Counter(server.ids)
    assert set(counts) == set(planned)
    assert sum(counts.values()) - len(planned) <= uncertain
    for id_, count in counts.items():
        assert count <= 1 + uncertain
        assert len({taken.content for taken in server.taken if taken.id == id_}) == 1


# --- a connection that breaks after each byte --------------------------------------------------


async def sent_over_breaking_connection(direction: str, after: int, extensions: tuple[str, ...]) -> bool:
    """Send two messages over a breaking connection; check what arrived; return whether it broke."""
    deliveries, clock = some_deliveries(2), Clock()
    store = MemoryLedger.holding(*deliveries)
    async with (
        MailServer(extensions=extensions) as server,
        BreakingProxy(server.port, direction, after) as proxy,
    ):
        for _ in range(3):
            channel = SmtpChannel(a_relay_at(proxy.port), a_message_builder())
            report = await deliver(Deliverer(store, channel), now=clock)
            await channel.close()
            assert not proxy.broken or report.problems == () or report.sent < 2
            clock.now += timedelta(minutes=5)
        assert_each_arrived_once(1, [d.id for d in deliveries], server)
        if len(server.taken) > 2:
            repeated = next(id_ for id_, count in Counter(server.ids).items() if count > 1)
            # Only a message whose final dot had arrived can have arrived twice.
            assert server.ids.index(repeated) < 2
    assert store.states() == {DeliveryState.SENT}
    return proxy.broken


CONNECTIONS = [
    (direction, extensions)
    for direction in (TO_SERVER, FROM_SERVER)
    for extensions in (("PIPELINING", "8BITMIME"), ("8BITMIME",))
]


@pytest.mark.parametrize(("direction", "extensions"), CONNECTIONS)
async def test_a_connection_may_break_after_any_byte(direction, extensions):
    step = 97 if direction == TO_SERVER else 23
    broke = [
        await sent_over_breaking_connection(direction, after, extensions)
        for after in range(1, 4000, step)[:40]
    ]
    assert broke.count(True) > 5


@pytest.mark.long
@pytest.mark.parametrize(("direction", "extensions"), CONNECTIONS)
async def test_a_connection_may_break_after_every_byte(direction, extensions):
    after = 1
    while await sent_over_breaking_connection(direction, after, extensions):
        after += 1
    assert after > 150


# --- a worker that is killed at every step -----------------------------------------------------


async def run(*args: Any, **options: Any) -> int | None:
    """Run a worker to its end; return its exit code (negative: it was killed)."""
    process = PROCESSES.Process(target=worker.work, args=args, kwargs=options)
    process.start()
    while process.is_alive():  # noqa: ASYNC110 - a process has no event to wait for
        await asyncio.sleep(0.005)
    process.join()
    return process.exitcode


async def killed_at(step: int, template: Path, folder: Path, planned: list[str], connections: int) -> bool:
    """Kill a worker at a step, let another finish; check what arrived; return whether it was killed."""
    path = folder / f"killed{step}.db"
    shutil.copy(template, path)
    url = f"sqlite:///{path}"
    async with MailServer() as server:
        code = await run(url, server.port, connections, kill_at=step)
        for _ in range(2):
            assert await run(url, server.port, connections, later=True) > 0
        assert_each_arrived_once(connections, planned, server)
    database = await Database.open(url)
    assert await states(database) == {"sent": len(planned)}
    await database.close()
    return code == -9


async def states(database: Database) -> dict[str, int]:
    query = text("SELECT state, count(*) FROM deliveries GROUP BY state")
    async with database.read() as connection:
        return dict((await connection.execute(query)).all())


@pytest.fixture
async def template(sqlite_url: str, tmp_path: Path):
    """Return a database file with an issue planned for seven readers, and the ids of the deliveries."""
    database = await Database.open(sqlite_url)
    planned = await plan_issue(database, 7, at=datetime.now(UTC) - timedelta(minutes=1))
    await database.close()
    path = tmp_path / "template.db"
    shutil.copy(sqlite_url.removeprefix("sqlite:///"), path)
    return path, planned


async def test_a_worker_may_be_killed_at_any_step(template, tmp_path):
    path, planned = template
    for step in (9, 21, 33):
        assert await killed_at(step, path, tmp_path, planned, connections=2)


@pytest.mark.long
@pytest.mark.parametrize("connections", [1, 3])
async def test_a_worker_may_be_killed_at_every_step(template, tmp_path, connections):
    path, planned = template
    step = 1
    while await killed_at(step, path, tmp_path, planned, connections):
        step += 1
    assert step > 40


async def traced(loop: str, syscall: str, turn: int, url: str, port: int) -> bool:
    """Run a worker that is killed at the `turn`-th `syscall` of a thread; return whether it was killed."""
    inject = f"inject={syscall}:signal=KILL:when={turn}"
    process = await asyncio.create_subprocess_exec(
        *("strace", "-f", "-o", "/dev/null", "-e", f"trace={syscall}", "-e", inject),
        *(sys.executable, "-m", "tests.deliver.worker", url, str(port), "2", "30", loop),
        cwd=Path(__file__).parents[2],
    )
    return await process.wait() in (-9, 137)


@pytest.mark.long
@pytest.mark.skipif(shutil.which("strace") is None, reason="NOT TESTED: no strace (apt install strace)")
@pytest.mark.parametrize(
    ("loop", "syscall"),
    [
        *(("uvloop", call) for call in ("pwrite64", "fdatasync", "write", "writev")),
        *(("asyncio", call) for call in ("pwrite64", "fdatasync", "sendto")),
    ],
)
async def test_a_worker_may_be_killed_at_every_system_call(template, tmp_path, loop, syscall):
    path, planned = template
    turn = 0
    while True:
        turn += 1
        copy = tmp_path / f"{syscall}{turn}.db"
        shutil.copy(path, copy)
        url = f"sqlite:///{copy}"
        async with MailServer() as server:
            was_killed = await traced(loop, syscall, turn, url, server.port)
            for _ in range(2):
                await run(url, server.port, 2, later=True)
            assert_each_arrived_once(2, planned, server)
        if not was_killed:
            break
    assert turn > 5


# --- many workers, killed at random ------------------------------------------------------------


@pytest.mark.long
@pytest.mark.parametrize("kills", [100])
async def test_many_workers_may_be_killed_at_random(database, database_url, kills):
    dice = random.Random(20261124)  # noqa: S311 - a test that can be repeated
    readers, workers, connections = 3000, 3, 2
    planned = await plan_issue(database, readers, at=datetime.now(UTC) - timedelta(minutes=1))
    async with MailServer() as server:
        for _ in range(kills):
            processes = [
                PROCESSES.Process(target=worker.work, args=(database_url, server.port, connections))
                for _ in range(workers)
            ]
            for process in processes:
                process.start()
            await asyncio.sleep(0.3 + dice.random() * 0.4)
            for process in processes:
                process.kill()
            while any(process.is_alive() for process in processes):  # noqa: ASYNC110 - a process has no event to wait for
                await asyncio.sleep(0.005)
            if len(set(server.ids)) == readers:
                break
        for _ in range(3):
            await run(database_url, server.port, connections, later=True)
        assert_each_arrived_once(kills * workers * connections, planned, server)
        assert len(server.taken) - readers <= kills * workers * connections
    assert await states(database) == {"sent": readers}


# --- a ledger that cannot be written -----------------------------------------------------------


@pytest.mark.parametrize("writable", [30_000, 55_000])
async def test_a_full_disk_stops_sending(template, writable):
    path, planned = template
    url = f"sqlite:///{path}"
    async with MailServer() as server:
        assert await run(url, server.port, 2, lease=0.3, writable=writable) == worker.LEDGER_LOST
        assert len(server.taken) < len(planned)
        await run(url, server.port, 2, later=True)
        assert_each_arrived_once(2, planned, server)
    database = await Database.open(url)
    assert await states(database) == {"sent": len(planned)}
    await database.close()


# --- both databases ----------------------------------------------------------------------------


async def test_each_subscriber_gets_one_message_and_all_deliveries_are_sent(database):
    planned = await plan_issue(database, 60)
    store, clock = SqlDeliverStore(database), Clock()
    async with MailServer() as server:
        channels = [
            SmtpChannel(a_relay_at(server.port, connections=3), a_message_builder()) for _ in range(3)
        ]
        crew = [Deliverer(store, channel, DeliverPolicy(batch_size=7)) for channel in channels]
        reports = await asyncio.gather(*(deliver(one, now=clock) for one in crew))
        await asyncio.gather(*(channel.close() for channel in channels))
        assert_each_arrived_once(0, planned, server)
    assert sum(report.sent for report in reports) == 60
    assert await states(database) == {"sent": 60}
