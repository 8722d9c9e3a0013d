"""Deliver: the speed of sending, compared with other senders in the same run.

sent        personalised messages of 40 KB from a durable SQLite ledger into Postfix's smtp-sink, per second
            of CPU, against Postfix's own load generator smtp-source and a plain aiosmtplib loop
signed      the same with a DKIM signature (RSA, 2048 bits), made by the sending process or by other processes
latency     messages per second and connection with 50 ms round-trip time
memory      planning an issue for a million subscribers, and sending a part of it (all with --full)

python3 dev.py bench deliver [sent|signed|latency|memory]...
    [--messages N] [--connections N] [--rounds N] [--full]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from _mailing import (
    EDITION,
    NOON,
    SINK,
    SITE,
    SOURCE,
    an_issue,
    bare,
    delayed,
    links,
    plain_loop,
    prepare,
    sink,
    source,
)

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

# --- the work -----------------------------------------------------------------------------------


async def plan(database: Database, issue: Issue, readers: int) -> int:
    """Plan the issue for all subscribers; return the number of deliveries."""
    group = Group(EDITION, issue.edition_key, 0, NOON, readers)
    return int(await SqlComposeStore(database).record_issue(group, issue, NOON + timedelta(days=1), "smtp"))


async def send(
    database: Database,
    port: int,
    connections: int,
    most: int | None = None,
    *,
    key: Path | None = None,
    pool: ProcessPool | None = None,
) -> int:
    """Send the planned deliveries (at most `most`); return the number of accepted messages.

    With `key` the messages are signed; with `pool` its processes sign them.
    """
    relay = Relay(
        host="127.0.0.1", port=port, security="none", hello="bench.example", connections=connections,
        max_messages=10**9, max_age_seconds=10**9,
    )  # fmt: skip
    stopping = asyncio.Event()

    def progress(_what: str, done: int, _total: int) -> None:
        if most is not None and done >= most:
            stopping.set()

    store = SqlDeliverStore(database)
    make = MessageBuilder(
        SITE, links, signers=[DkimSigner.from_file("news.example.org", "bench", key)] if key else ()
    )
    ahead = PresignedMessages(make, store, pool) if pool else None
    channel = SmtpChannel(relay, ahead or make, ahead.prepare if ahead else None)
    deliverer = Deliverer(store, channel)
    report = await deliver(deliverer, now=lambda: datetime.now(UTC), stopping=stopping, progress=progress)
    await channel.close()
    if report.problems:
        raise SystemExit(f"problems: {report.problems}")
    return report.sent


def prepare_file(folder: Path, readers: int) -> None:
    """Create a SQLite database in the folder with this number of subscribers."""
    asyncio.run(prepare(f"sqlite:///{folder}/caveat.db", readers))


# --- measuring ----------------------------------------------------------------------------------


def cpu() -> float:
    """Return the seconds of CPU that this process has used, in all its threads."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def in_child(role: str, **arguments: object) -> dict[str, float]:
    """Run a role of this script in a new process; return its measurements."""
    words = [f"--{key}={value}" for key, value in arguments.items()]
    done = subprocess.run(
        [sys.executable, __file__, f"--role={role}", *words], stdout=subprocess.PIPE, check=True, text=True
    )
    found: dict[str, float] = json.loads(done.stdout)
    return found


# --- the tables ---------------------------------------------------------------------------------


def rate(found: dict[str, float]) -> float:
    """Return messages per second of CPU."""
    return found["count"] / found["cpu"]


def line(what: str, found: dict[str, float], more: str = "") -> None:
    """Print one line of the table of sending."""
    wall = found["count"] / found["wall"]
    print(f"{what:44} {rate(found):9,.0f} /CPU s {wall:9,.0f} /s {more}", flush=True)


def sent(options: argparse.Namespace, folder: Path) -> None:
    """Print the table of sending."""
    size, connections = 40_000, options.connections
    print(f"\nsent: {options.messages:,} messages of {size // 1000} KB, {connections} connections")
    shares, gains = [], []
    with sink() as port:
        for round_number in range(options.rounds):
            work = folder / f"round{round_number}"
            work.mkdir()
            prepare_file(work, options.messages)
            peer = source(port, options.messages, 10, size)
            kept = source(port, options.messages, 10, size, "-d")
            ours = in_child(
                "send", folder=work, port=port, messages=options.messages, connections=connections
            )
            plain = in_child("plain", port=port, messages=max(options.messages // 20, 100))
            alone = in_child("bare", port=port, messages=options.messages)
            shutil.rmtree(work)
            line("smtp-source -s 10, one text for all", peer)
            line("smtp-source -s 10 -d, connections kept", kept)
            line("the event loop alone, one text, no ledger", alone)
            line("aiosmtplib, EmailMessage each, no ledger", plain)
            share, gain = rate(ours) / rate(peer), rate(ours) / rate(plain)
            shares.append(share)
            gains.append(gain)
            line(
                "caveat, personal, durable ledger",
                ours,
                f"{share:5.0%} of smtp-source, {gain:5.1f} x aiosmtplib",
            )
    print(f"median: {statistics.median(shares):.0%} of smtp-source (floor 50 %, aim 85 %), ", end="")
    print(f"{statistics.median(gains):.1f} x a plain aiosmtplib loop (floor 20, aim 60)")


def signed(options: argparse.Namespace, folder: Path) -> None:
    """Print the rate of sending with signatures, and how long the event loop is blocked."""
    messages = options.messages // 2
    print(f"\nsigned: {messages:,} messages of 40 KB, one RSA signature each")
    key = folder / "dkim.pem"
    command = [
        "openssl",
        "genpkey",
        "-algorithm",
        "RSA",
        "-pkeyopt",
        "rsa_keygen_bits:2048",
        "-out",
        str(key),
    ]
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    with sink() as port:
        for round_number in range(options.rounds):
            for role, who in (
                ("send-signing", "by the sending process"),
                ("send-ahead", "ahead, by other processes"),
            ):
                work = folder / f"{role}{round_number}"
                work.mkdir()
                prepare_file(work, messages)
                found = in_child(
                    role, folder=work, key=key, port=port, messages=messages, connections=options.connections
                )
                shutil.rmtree(work)
                late = f"event loop blocked for {found['stall'] * 1000:.0f} ms at the 99th percentile"
                line(f"caveat, signed {who}", found, late)


def latency(_options: argparse.Namespace, folder: Path) -> None:
    """Print messages per second and connection with 50 ms round-trip time."""
    print("\nlatency: 50 ms round-trip time")
    with sink() as port:
        proxy = subprocess.Popen(
            [sys.executable, __file__, "--role=proxy", f"--port={port}"], stdout=subprocess.PIPE, text=True
        )
        far = int(proxy.stdout.readline()) if proxy.stdout else 0
        try:
            for connections in (1, 10, 20):
                work = folder / f"latency{connections}"
                work.mkdir()
                messages = connections * 100
                prepare_file(work, messages)
                found = in_child("send", folder=work, port=far, messages=messages, connections=connections)
                each = found["count"] / found["wall"] / connections
                print(
                    f"{connections:4} connections: {each:5.1f} messages/s each (floor 12, aim 17)", flush=True
                )
        finally:
            proxy.terminate()
            proxy.wait()


def memory(options: argparse.Namespace, folder: Path) -> None:
    """Print the time of planning, and the peak memory of planning and sending."""
    readers = 1_000_000
    messages = readers if options.full else 30_000
    print(f"\nmemory: {readers:,} subscribers, {messages:,} of them sent to", flush=True)
    prepare_file(folder, readers)
    with sink() as port:
        planned = in_child("plan", folder=folder, messages=readers)
        ours = in_child("send-planned", folder=folder, port=port, messages=messages, connections=10)
    print(f"planning  {planned['wall']:6.2f} s (floor 5, aim 2), peak {planned['peak']:5.0f} MB")
    print(
        f"sending   {ours['count'] / ours['wall']:6.0f} /s, peak {ours['peak']:5.0f} MB (floor 150, aim 100)"
    )


async def play(options: argparse.Namespace) -> None:
    """Run one of the measured roles; print the measurements as JSON."""
    if options.role == "bare":
        await report(lambda: bare(options.port, options.messages, 10, 40_000))
        return
    if options.role == "plain":
        await report(lambda: plain_loop(options.port, options.messages, 10, 40_000))
        return
    database, issue = await Database.open(f"sqlite:///{options.folder}/caveat.db"), an_issue(40_000)
    if options.role == "plan":
        await report(lambda: plan(database, issue, options.messages))
    else:
        if options.role != "send-planned":
            await plan(database, issue, options.messages)
        pool = ProcessPool() if options.role == "send-ahead" else None
        await report(
            lambda: send(
                database, options.port, options.connections, options.messages, key=options.key, pool=pool
            )
        )
        if pool is not None:
            pool.shutdown()
    await database.close()


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


async def play_proxy(port: int) -> None:
    """Run the proxy until the process is terminated."""
    async with delayed(port, 0.025) as far:
        print(far, flush=True)
        await asyncio.Event().wait()


TABLES = {"sent": sent, "signed": signed, "latency": latency, "memory": memory}


def main() -> None:
    """Print the tables of the arguments, all by default."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("tables", nargs="*", choices=[*TABLES, []], default=[])
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--connections", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--role", help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--folder", help=argparse.SUPPRESS)
    parser.add_argument("--key", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.role == "proxy":
        run_loop(play_proxy(options.port))
    elif options.role:
        run_loop(play(options))
    else:
        if not (Path(SINK).exists() and Path(SOURCE).exists()):
            raise SystemExit(
                "smtp-sink and smtp-source are missing; on Debian: apt install postfix (not started)"
            )
        for name in options.tables or TABLES:
            with tempfile.TemporaryDirectory(prefix="caveat-bench-") as folder:
                TABLES[name](options, Path(folder))


if __name__ == "__main__":
    main()
