"""The processes that bench/deliver.py measures: each does one thing and prints its cost as JSON."""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import ssl
import sys
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from _mailing import EDITION, NOON, SITE, an_issue, bare, delayed, links, plain_loop, prepare

from service.app.process_pool.pool import ProcessPool
from service.core.model import Group, Issue
from service.deliver.channels.smtp.channel import SmtpChannel
from service.deliver.channels.smtp.settings import Relay
from service.deliver.message.builder import MessageBuilder
from service.deliver.message.dkim import DkimSigner
from service.deliver.message.dkim_pool import PresignedMessages
from service.deliver.stage import Deliverer, deliver
from service.store.compose import SqlComposeStore
from service.store.database import Database
from service.store.deliver import SqlDeliverStore

try:
    from uvloop import run as run_loop
except ImportError:
    from asyncio import run as run_loop

SIZE = 40_000
"""Bytes of a message."""


async def plan(database: Database, issue: Issue, readers: int) -> int:
    """Plan the issue for all subscribers; return the number of deliveries."""
    group = Group(EDITION, issue.edition_key, 0, NOON, readers)
    return int(await SqlComposeStore(database).record_issue(group, issue, NOON + timedelta(days=1), "smtp"))


async def send(database: Database, options: argparse.Namespace, pool: ProcessPool | None) -> int:
    """Send the planned deliveries, at most `options.messages`; return the number of accepted messages.

    With a key the messages are signed: by the processes of the pool, or here when there is none.
    """
    relay = Relay(
        host="127.0.0.1", port=options.port, security="tls" if options.certificate else "none",
        authority=options.certificate, hello="bench.example", connections=options.connections,
        max_messages=10**9, max_age_seconds=10**9,
    )  # fmt: skip
    stopping = asyncio.Event()

    def progress(_what: str, done: int, _total: int) -> None:
        if done >= options.messages:
            stopping.set()

    store = SqlDeliverStore(database)
    signers = [DkimSigner.from_file("news.example.org", "bench", options.key)] if options.key else ()
    make = MessageBuilder(SITE, links, signers=signers)
    ahead = PresignedMessages(make, store, pool) if pool else None
    channel = SmtpChannel(relay, ahead or make, ahead.prepare if ahead else None)
    deliverer = Deliverer(store, channel)
    report = await deliver(deliverer, now=lambda: datetime.now(UTC), stopping=stopping, progress=progress)
    await channel.close()
    if report.problems:
        raise SystemExit(f"problems: {report.problems}")
    return report.sent


def cpu() -> float:
    """Return the seconds of CPU that this process has used, in all its threads."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


async def report(work: Callable[[], Awaitable[int]]) -> None:
    """Do the work; print its count, CPU and wall time (seconds) and peak memory (MB) as JSON.

    `stall` is the delay of the event loop in seconds at the 99th percentile, sampled every 10 ms.
    """
    stalls: list[float] = []

    async def watch() -> None:
        while True:
            begun = time.perf_counter()
            await asyncio.sleep(0.01)
            stalls.append(time.perf_counter() - begun - 0.01)

    watching = asyncio.create_task(watch())
    before, start = cpu(), time.perf_counter()
    count = await work()
    used, wall = cpu() - before, time.perf_counter() - start
    watching.cancel()
    stall = sorted(stalls)[len(stalls) * 99 // 100] if stalls else 0.0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"count": count, "cpu": used, "wall": wall, "peak": peak, "stall": stall}))


async def play(options: argparse.Namespace) -> None:
    """Do what the role names, and report it."""
    port, messages = options.port, options.messages
    if options.role == "bare":
        await report(lambda: bare(port, messages, 10, SIZE))
        return
    if options.role == "plain":
        await report(lambda: plain_loop(port, messages, 10, SIZE))
        return
    if options.role == "prepare":
        await prepare(options.storage, messages)
        return
    database, issue = await Database.open(options.storage), an_issue(SIZE)
    if options.role == "plan":
        await report(lambda: plan(database, issue, messages))
    else:
        if not options.planned:
            await plan(database, issue, messages)
        pool = ProcessPool() if options.ahead else None
        await report(lambda: send(database, options, pool))
        if pool is not None:
            pool.shutdown()
    await database.close()


async def play_proxy(port: int) -> None:
    """Run a proxy with a round trip of 50 ms in front of the port until the process is terminated."""
    async with delayed(port, 0.025) as far:
        print(far, flush=True)
        await asyncio.Event().wait()


class TlsSink(asyncio.Protocol):
    """A mail server that accepts everything: smtp-sink has no TLS."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet."""
        # uvloop's transport of TLS is no asyncio.Transport by class.
        self._transport = cast("asyncio.Transport", transport)
        self._rest, self._in_content = b"", False
        self._transport.write(b"220 sink ESMTP\r\n")

    def data_received(self, data: bytes) -> None:
        """Answer every command and every final dot."""
        self._rest += data
        answers = []
        while self._rest:
            end = b"\r\n.\r\n" if self._in_content else b"\r\n"
            command, found, rest = self._rest.partition(end)
            if not found:
                self._rest = self._rest[-len(end) :] if self._in_content else self._rest
                break
            self._rest = rest
            if self._in_content:
                self._in_content = False
                answers.append(b"250 2.0.0 Ok\r\n")
            elif command[:4].upper() == b"EHLO":
                answers.append(b"250-sink\r\n250 PIPELINING\r\n")
            elif command[:4].upper() == b"DATA":
                self._in_content = True
                answers.append(b"354 go on\r\n")
            else:
                answers.append(b"250 2.1.0 Ok\r\n")
        self._transport.write(b"".join(answers))


async def play_tls_sink(certificate: str) -> None:
    """Run the mail server with TLS until the process is terminated."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    server = await asyncio.get_running_loop().create_server(TlsSink, "127.0.0.1", 0, ssl=context)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def main() -> None:
    """Read the options of a role, and play it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("role", choices=["send", "plan", "prepare", "plain", "bare", "proxy", "tls-sink"])
    parser.add_argument("--messages", type=int)
    parser.add_argument("--connections", type=int, default=10)
    parser.add_argument("--port", type=int)
    parser.add_argument("--storage", help="URL of the database")
    parser.add_argument("--certificate", help="file of the server's certificate; without it there is no TLS")
    parser.add_argument("--key", type=Path, help="file of the DKIM key")
    parser.add_argument("--ahead", action="store_true", help="other processes sign")
    parser.add_argument("--planned", action="store_true", help="the issue is planned already")
    options = parser.parse_args()
    if options.role == "proxy":
        run_loop(play_proxy(options.port))
    elif options.role == "tls-sink":
        run_loop(play_tls_sink(options.certificate))
    else:
        run_loop(play(options))


if __name__ == "__main__":
    main()
