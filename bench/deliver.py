"""Deliver: how fast, against what one would use instead, in the same run.

sent        personalised messages of 40 KB from a durable SQLite ledger into Postfix's smtp-sink, per second
            of CPU, against Postfix's own load generator smtp-source and a plain aiosmtplib loop
latency     messages a second and connection at 50 ms a round trip
memory      planning an issue for a million subscribers, and sending it (a part of it, unless --full)

python3 dev.py bench deliver [sent|latency|memory]... [--messages N] [--connections N] [--rounds N] [--full]
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import pwd
import resource
import shutil
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import aiosmtplib

from service.core import identity, tokens
from service.core.model import Edition, Group, Issue, Rendered, Site
from service.core.places import Place
from service.deliver.message import Links, MailMaker
from service.deliver.relay import Relay
from service.deliver.smtp import SmtpChannel
from service.deliver.stage import Deliverer, deliver
from service.store.compose import ComposeRecords
from service.store.database import Database
from service.store.deliver import DeliverRecords

try:
    from uvloop import run as run_loop
except ImportError:
    from asyncio import run as run_loop

SINK, SOURCE = "/usr/sbin/smtp-sink", "/usr/sbin/smtp-source"
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
SITE = Site(
    name="The Morning Caveat",
    url="https://news.example.org",
    sender="The Morning Caveat <digest@news.example.org>",
    postal_address="1 Example Street, Exampleton",
    unsubscribe_address="unsubscribe@news.example.org",
)
EDITION = Edition("morning", "daily 07:00", "Europe/Berlin", ("world",), 8, 4, "en", "html")
SENTENCE = "The harbour reopened on Monday, although two ferries remain in dock, the port said. "


# --- the work -----------------------------------------------------------------------------------


def an_issue(size: int) -> Issue:
    """Return an issue whose message weighs about `size` bytes, a fifth of it text, the rest HTML."""
    name, leave = Place.NAME.mark, Place.UNSUBSCRIBE_URL.mark
    text = f"Good morning {name},\n\n" + f"- {SENTENCE}\n" * (size // 5 // 89) + f"\nUnsubscribe: {leave}\n"
    story = f'<tr><td style="padding:0 0 12px 0;font-family:Georgia,serif">{SENTENCE}</td></tr>\n'
    html = (
        f"<html><body><p>Good morning {name},</p><table>\n"
        + story * (size * 4 // 5 // (len(story) + 12))
        + f'</table><p><a href="{leave}">Unsubscribe</a></p></body></html>\n'
    )
    key = identity.edition_key(EDITION)
    return Issue(
        id=identity.issue_id(key, "2026-03-02T07:00", 0),
        newsletter="morning",
        edition_key=key,
        occurrence="2026-03-02T07:00",
        due_at=NOON,
        told_from=0,
        told_through=7,
        rendered=Rendered("Aid talks end with a pledge, not with recognition", html, text),
        article_ids=(),
        created_at=NOON,
    )


def links(subscriber_id: str, newsletter: str) -> Links:
    """Return the links of a subscriber, signed as the real ones are."""
    token = tokens.sign(b"k" * 32, tokens.UNSUBSCRIBE, subscriber_id, newsletter)
    page = f"https://news.example.org/unsubscribe/{token}"
    return Links(page, f"https://news.example.org/preferences/{token}", token)


def prepare(folder: Path, readers: int) -> str:
    """Make a database with so many readers of one group, all due; return its URL."""
    url = f"sqlite:///{folder}/caveat.db"

    async def migrate() -> None:
        await (await Database.open(url)).close()

    asyncio.run(migrate())
    key, group = identity.edition_key(EDITION), 1
    database = sqlite3.connect(folder / "caveat.db")
    database.execute("PRAGMA synchronous=OFF")
    with database:
        database.execute(
            "INSERT INTO editions VALUES (?,?,?,?,?,?,?,?,?)",
            (key, "morning", EDITION.schedule, EDITION.timezone, '["world"]', 8, 4, "en", "html"),
        )
        due = int(NOON.timestamp() * 1000)
        database.execute("INSERT INTO groups VALUES (?,?,?,?)", (group, key, 0, due))
        people = ((n, f"reader{n}@example{n % 50}.org") for n in range(1, readers + 1))
        columns = "(number, id, address_hash, email, name)"
        rows = (
            (n, identity.subscriber_id(email), identity.address_hash(email), email, f"Reader {n}")
            for n, email in people
        )
        database.executemany(f"INSERT INTO subscribers {columns} VALUES (?,?,?,?,?)", rows)  # noqa: S608 - constant
        database.executemany(
            "INSERT INTO subscriptions VALUES (?,?,?,?,?,?,?,?,?)",
            ((n, "morning", group, "active", "active", 1, 0, due, "{}") for n in range(1, readers + 1)),
        )
    database.close()
    return url


async def plan(database: Database, issue: Issue, readers: int) -> int:
    """Plan the issue for everybody; return how many deliveries there are."""
    group = Group(EDITION, issue.edition_key, 0, NOON, readers)
    return int(await ComposeRecords(database).record_issue(group, issue, NOON + timedelta(days=1), "smtp"))


async def send(database: Database, port: int, connections: int, most: int | None = None) -> int:
    """Send what is planned (at most `most`); return how many messages the server took."""
    relay = Relay(
        host="127.0.0.1", port=port, security="none", hello="bench.example", connections=connections,
        messages=10**9, age=10**9,
    )  # fmt: skip
    channel, stopping = SmtpChannel(relay), asyncio.Event()

    def progress(_what: str, done: int, _total: int) -> None:
        if most is not None and done >= most:
            stopping.set()

    deliverer = Deliverer(DeliverRecords(database), channel, MailMaker(SITE, links))
    report = await deliver(deliverer, now=lambda: datetime.now(UTC), stopping=stopping, progress=progress)
    await channel.close()
    if report.problems:
        raise SystemExit(f"problems: {report.problems}")
    return report.sent


async def plain_loop(port: int, messages: int, connections: int, size: int) -> int:
    """Send as one would write it: ten kept connections, an EmailMessage for each recipient, no ledger."""
    issue, left = an_issue(size), iter(range(messages))

    async def lane() -> int:
        sent = 0
        async with aiosmtplib.SMTP(hostname="127.0.0.1", port=port, start_tls=False) as client:
            for n in left:
                message = EmailMessage()
                message["From"], message["To"] = SITE.sender, f"Reader {n} <reader{n}@example.org>"
                message["Subject"] = issue.rendered.subject
                own = links(f"{n:032x}", "morning")
                message["List-Unsubscribe"] = f"<{own.unsubscribe}>"
                values = {Place.NAME: f"Reader {n}", Place.UNSUBSCRIBE_URL: own.unsubscribe}
                text, html = issue.rendered.text, issue.rendered.html
                for place, value in values.items():
                    text, html = text.replace(place.mark, value), html.replace(place.mark, value)
                message.set_content(text)
                message.add_alternative(html, subtype="html")
                await client.send_message(message)
                sent += 1
        return sent

    return sum(await asyncio.gather(*(lane() for _ in range(connections))))


# --- measuring ----------------------------------------------------------------------------------


def cpu() -> float:
    """Return the seconds of CPU that this process has used, in all its threads."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def in_child(role: str, **arguments: object) -> dict[str, float]:
    """Run a role of this script in a process of its own; return what it measured."""
    words = [f"--{key}={value}" for key, value in arguments.items()]
    done = subprocess.run(
        [sys.executable, __file__, f"--role={role}", *words], stdout=subprocess.PIPE, check=True, text=True
    )
    found: dict[str, float] = json.loads(done.stdout)
    return found


@contextlib.contextmanager
def sink() -> Iterator[int]:
    """Run smtp-sink on a free port, as somebody who is not root."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    who = {"user": pwd.getpwnam("nobody").pw_uid} if os.getuid() == 0 else {}
    server = subprocess.Popen(
        [SINK, "-m", "512", f"127.0.0.1:{port}", "512"], stderr=subprocess.DEVNULL, cwd="/", **who
    )
    try:
        for _ in range(200):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(0.02)
        yield port
    finally:
        server.terminate()
        server.wait()


def source(port: int, messages: int, connections: int, size: int, *kept: str) -> dict[str, float]:
    """Run smtp-source, which keeps its connections with `-d`; return count, CPU and wall time."""
    command = [SOURCE, *kept, "-s", str(connections), "-l", str(size), "-m", str(messages)]
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(
        [*command, "-f", "digest@news.example.org", "-t", "reader@example.org", f"127.0.0.1:{port}"],
        check=True,
    )
    after, wall = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter() - start
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"count": messages, "cpu": used, "wall": wall}


@contextlib.asynccontextmanager
async def delayed(port: int, one_way: float) -> AsyncIterator[int]:
    """Run a proxy in front of `port` that holds every byte back for `one_way` seconds, in each direction."""
    loop = asyncio.get_running_loop()

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(1 << 18):
            loop.call_later(one_way, writer.write, data)
        loop.call_later(one_way, writer.close)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(pump(reader, far_writer), pump(far_reader, writer), return_exceptions=True)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


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
            prepare(work, options.messages)
            peer = source(port, options.messages, 10, size)
            kept = source(port, options.messages, 10, size, "-d")
            ours = in_child(
                "send", folder=work, port=port, messages=options.messages, connections=connections
            )
            plain = in_child("plain", port=port, messages=max(options.messages // 20, 100))
            shutil.rmtree(work)
            line("smtp-source -s 10, one text for all", peer)
            line("smtp-source -s 10 -d, connections kept", kept)
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


def latency(_options: argparse.Namespace, folder: Path) -> None:
    """Print messages per second and connection at 50 ms a round trip."""
    print("\nlatency: 50 ms a round trip")
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
                prepare(work, messages)
                found = in_child("send", folder=work, port=far, messages=messages, connections=connections)
                each = found["count"] / found["wall"] / connections
                print(
                    f"{connections:4} connections: {each:5.1f} messages/s each (floor 12, aim 17)", flush=True
                )
        finally:
            proxy.terminate()
            proxy.wait()


def memory(options: argparse.Namespace, folder: Path) -> None:
    """Print how long planning takes and how much memory planning and sending need."""
    readers = 1_000_000
    messages = readers if options.full else 30_000
    print(f"\nmemory: {readers:,} subscribers, {messages:,} of them sent to", flush=True)
    prepare(folder, readers)
    with sink() as port:
        planned = in_child("plan", folder=folder, messages=readers)
        ours = in_child("send-planned", folder=folder, port=port, messages=messages, connections=10)
    print(f"planning  {planned['wall']:6.2f} s (floor 5, aim 2), peak {planned['peak']:5.0f} MB")
    print(
        f"sending   {ours['count'] / ours['wall']:6.0f} /s, peak {ours['peak']:5.0f} MB (floor 150, aim 100)"
    )


async def play(options: argparse.Namespace) -> None:
    """Be one of the processes that are measured; print what was measured as JSON."""
    if options.role == "plain":
        await report(lambda: plain_loop(options.port, options.messages, 10, 40_000))
        return
    database, issue = await Database.open(f"sqlite:///{options.folder}/caveat.db"), an_issue(40_000)
    if options.role == "plan":
        await report(lambda: plan(database, issue, options.messages))
    else:
        if options.role == "send":
            await plan(database, issue, options.messages)
        await report(lambda: send(database, options.port, options.connections, options.messages))
    await database.close()


async def report(work: Callable[[], Awaitable[int]]) -> None:
    """Do the work; print how much it was, its CPU and wall time in seconds, and the peak of memory in MB."""
    before, start = cpu(), time.perf_counter()
    count = await work()
    used, wall = cpu() - before, time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"count": count, "cpu": used, "wall": wall, "peak": peak}))


async def play_proxy(port: int) -> None:
    """Be the proxy until somebody ends us."""
    async with delayed(port, 0.025) as far:
        print(far, flush=True)
        await asyncio.Event().wait()


TABLES = {"sent": sent, "latency": latency, "memory": memory}


def main() -> None:
    """Print the tables that were asked for."""
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
