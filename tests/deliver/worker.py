"""A worker process that can be killed at any of its steps."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any

from service.core.errors import StoreError
from service.deliver.channels.smtp.channel import SmtpChannel
from service.deliver.channels.smtp.connection import SmtpConnection
from service.deliver.leases import DeliverPolicy
from service.deliver.stage import Deliverer, deliver
from service.runtime import event_loop as process
from service.store.database import Database
from service.store.deliver import SqlDeliverStore
from tests.deliver.fakes import a_message_builder, a_relay_at

LATER = timedelta(minutes=10)
LEDGER_LOST = 200
LOOPS = {"asyncio": asyncio.run, "uvloop": process.run}
"""What runs a worker's coroutine, by the name of the event loop."""


class Steps:
    """Counts the writes, reads and commits of this process; kills it (SIGKILL) at one of them."""

    def __init__(self, kill_at: int) -> None:
        self.count, self.kill_at = 0, kill_at

    def step(self) -> None:
        self.count += 1
        if self.count == self.kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def around(self, work: Callable[..., Any]) -> Callable[..., Any]:
        def stepped(*args: Any, **options: Any) -> Any:
            self.step()
            result = work(*args, **options)
            self.step()
            return result

        return stepped

    def around_coroutine(self, work: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def stepped(*args: Any, **options: Any) -> Any:
            self.step()
            result = await work(*args, **options)
            self.step()
            return result

        return stepped


def work(
    url: str,
    port: int,
    connections: int,
    *,
    kill_at: int = 0,
    later: bool = False,
    lease: float = 30,
    writable: int = 0,
    run: Callable[[Coroutine[Any, Any, None]], None] = asyncio.run,
) -> None:
    """Send the due deliveries; ends at step `kill_at`, and can write no file beyond `writable` bytes.

    `later`: the leases of an earlier worker have expired. `run` runs the coroutine: asyncio's event loop
    sends with `sendto`; uvloop's, which the service uses, with `write` and `writev`. The exit code is the
    number of steps, or LEDGER_LOST.
    """
    if writable:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (writable, writable))
    steps = Steps(kill_at)
    SmtpConnection.write = steps.around(SmtpConnection.write)  # type: ignore[method-assign]
    SmtpConnection.data_received = steps.around(SmtpConnection.data_received)  # type: ignore[method-assign]
    for name in ("take_batch", "record_changes", "release", "settle_uncertain"):
        setattr(SqlDeliverStore, name, steps.around_coroutine(getattr(SqlDeliverStore, name)))
    try:
        run(_work(url, port, connections, LATER if later else timedelta(), timedelta(seconds=lease)))
    except StoreError:
        os._exit(LEDGER_LOST)
    os._exit(min(steps.count, LEDGER_LOST - 1))


async def _work(url: str, port: int, connections: int, shift: timedelta, lease: timedelta) -> None:
    database = await Database.open(url)
    channel = SmtpChannel(a_relay_at(port, connections=connections), a_message_builder())
    deliverer = Deliverer(SqlDeliverStore(database), channel, DeliverPolicy(lease=lease))
    await deliver(deliverer, now=lambda: datetime.now(UTC) + shift)
    await channel.close()
    await database.close()


if __name__ == "__main__":
    work(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), lease=float(sys.argv[4]), run=LOOPS[sys.argv[5]])
