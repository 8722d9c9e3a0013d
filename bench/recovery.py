"""Recovery: the time until another worker sends the batch of a killed worker.

Three workers use one PostgreSQL server; the worker that sends is killed (SIGKILL) in the middle of its batch.
The time runs until another worker sends a message of that batch. It is compared with the lease, which no
other worker may shorten, plus one second. The lease is short here, so that many kills fit into a few minutes,
and the waits between polls are shorter by the same factor; everything else is as in production.

python3 dev.py bench recovery [--kills N] [--lease SECONDS]
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from service.app.factories import deliver as delivering
from service.deliver.leases import DeliverPolicy
from service.runtime import due_timer
from service.runtime.service import Roles, Service
from service.runtime.stage_signals import StageSignals
from service.settings.load import load_config
from service.store.database import Database
from tests.deliver.planning import plan_issue
from tests.end_to_end.installation import free_port, write_config
from tests.postgres import running_server

WORKERS, READERS, BEFORE_THE_KILL = 3, 30, 8
MAX_WAIT_SECONDS = 120  # for a state that must be reached
SECOND = timedelta(seconds=1)


class Log:
    """A mail server's log of (worker, recipient, time); it accepts each message slowly."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, str, float]] = []

    async def handle_DATA(self, _server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        """Accept the message after 30 ms."""
        self.taken += [(str(session.host_name), reader, time.monotonic()) for reader in envelope.rcpt_tos]
        await asyncio.sleep(0.03)
        return "250 taken"


async def recoveries(kills: int, lease: float, report: Callable[[str], None]) -> list[float]:
    """Kill workers in the middle of a batch, `kills` in all; return the seconds that each batch waited."""
    log = Log()
    controller = Controller(log, hostname="127.0.0.1", port=free_port())
    controller.start()
    waits = []
    async with AsyncExitStack() as stack:
        stack.callback(controller.stop)
        url = stack.enter_context(running_server(durable=True)) + "/postgres"
        database = await Database.open(url)
        stack.push_async_callback(database.close)
        signals = StageSignals(url)
        stack.push_async_callback(signals.close)
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        start = partial(worker, home, url, controller.port, lease)
        workers = {name: await start(name) for name in (f"worker{n}.example" for n in range(WORKERS))}
        stack.callback(lambda: [process.kill() for process in workers.values() if process.returncode is None])
        began = datetime.now(UTC) - timedelta(minutes=5)
        for kill in range(kills):
            log.taken.clear()
            await plan_issue(database, READERS, at=began + kill * SECOND, following=SECOND)
            await signals.send(["deliver"])
            await until(lambda: len(log.taken) >= BEFORE_THE_KILL)
            victim = log.taken[-1][0]
            workers[victim].kill()
            killed_at = time.monotonic()
            await workers[victim].wait()
            await until(lambda: len({reader for _, reader, _ in log.taken}) == READERS)
            others = [at for name, _, at in log.taken if name != victim and at > killed_at]
            waits.append(min(others) - killed_at)
            report(f"kill {kill + 1} of {kills}: {waits[-1]:.2f} s")
            workers[victim] = await start(victim)
    return waits


async def worker(home: Path, url: str, port: int, lease: float, name: str) -> asyncio.subprocess.Process:
    """Start a worker process whose EHLO name is `name`; return it once it runs."""
    folder = home / name
    write_config(folder, storage=url, news_url="http://127.0.0.1:1", smtp_port=port, web_port=1)
    written = (folder / "caveat.yaml").read_text()
    (folder / "caveat.yaml").write_text(
        written.replace("connections: 2", f"connections: 1, hello: {name}"), encoding="utf-8"
    )
    command = (sys.executable, __file__, "--work", str(folder), "--lease", str(lease))
    log_file = folder / f"{time.monotonic()}.log"
    with log_file.open("wb") as output:
        process = await asyncio.create_subprocess_exec(*command, stdout=output, stderr=output)
    # Only a running worker can take over the batch.
    await until(lambda: b"started" in log_file.read_bytes())
    return process


def work(folder: Path, lease: float) -> None:
    """Run a worker with leases of `lease` seconds until the process is killed."""
    shorter = lease / DeliverPolicy().lease.total_seconds()
    delivering.DeliverPolicy = partial(DeliverPolicy, lease=timedelta(seconds=lease))  # type: ignore[misc,assignment]
    due_timer.MAX_WAIT *= shorter
    roles = Roles(("deliver",), schedule=False, web=False)
    asyncio.run(Service(lambda: load_config(folder, os.environ), roles).run(asyncio.Event()))


async def until(condition: Callable[[], bool]) -> None:
    """Wait until the condition holds; raise TimeoutError after MAX_WAIT_SECONDS."""
    async with asyncio.timeout(MAX_WAIT_SECONDS):
        while not condition():  # noqa: ASYNC110 - the server runs on a thread of its own
            await asyncio.sleep(0.002)


def main() -> int:
    """Print the table; return 1 when the 99th percentile exceeds the lease plus a second, else 0."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=40)
    parser.add_argument("--lease", type=float, default=6.0)
    parser.add_argument("--work", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        work(options.work, options.lease)
        return 0
    report = partial(print, file=sys.stderr, flush=True)
    seconds = np.array(asyncio.run(recoveries(options.kills, options.lease, report)))
    p50, p99 = np.percentile(seconds, [50, 99])
    allowed = options.lease + 1
    print(f"{len(seconds)} workers killed, {WORKERS} running, PostgreSQL, lease {options.lease:g} s")
    print(f"a batch waited: median {p50:.2f} s, 99 % {p99:.2f} s, longest {seconds.max():.2f} s")
    print(f"against lease + 1 s = {allowed:g} s: {p99 / allowed:.2f}")
    return int(p99 > allowed)


if __name__ == "__main__":
    sys.exit(main())
