"""Mail for benchmarks: an issue and its subscribers, a mail server, and other senders to compare with."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pwd
import resource
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from email.message import EmailMessage

import aiosmtplib

from service.core import ids as identity
from service.core import tokens
from service.core.model import Edition, Issue, RenderedMail, Site
from service.core.placeholders import Placeholder
from service.deliver.message.builder import MailLinks
from service.store import schema
from service.store.database import Database

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
SUBSCRIPTION = {
    "newsletter": EDITION.newsletter, "group_number": 1, "status": "active", "choice": "active",
    "declared": True, "chosen": False, "changed_at": NOON, "wishes": {},
}  # fmt: skip
ROWS = 10_000
"""Number of subscribers in one statement."""
SENTENCE = "The harbour reopened on Monday, although two ferries remain in dock, the port said. "


# --- an issue and its readers --------------------------------------------------------------------


def an_issue(size: int) -> Issue:
    """Return an issue whose message has about `size` bytes, a fifth of it text, the rest HTML."""
    name, leave = Placeholder.NAME.marker, Placeholder.UNSUBSCRIBE_URL.marker
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
        served_from=0,
        served_through=7,
        rendered=RenderedMail("Aid talks end with a pledge, not with recognition", html, text),
        article_ids=(),
        created_at=NOON,
    )


def links(subscriber_id: str, newsletter: str) -> MailLinks:
    """Return the links of a subscriber, signed as the real ones are."""
    token = tokens.sign(b"k" * 32, tokens.UNSUBSCRIBE, subscriber_id, newsletter)
    page = f"https://news.example.org/unsubscribe/{token}"
    return MailLinks(page, f"https://news.example.org/preferences/{token}", token)


async def prepare(url: str, readers: int) -> None:
    """Create a database at `url` with `readers` subscribers of one group, all due."""
    database = await Database.open(url)
    key = identity.edition_key(EDITION)
    async with database.write() as connection:
        await connection.execute(schema.editions.insert(), {"key": key, **asdict(EDITION)})
        group = {"number": 1, "edition_key": key, "told_through": 0, "next_due_at": NOON}
        await connection.execute(schema.groups.insert(), group)
        for first in range(1, readers + 1, ROWS):
            numbers = range(first, min(first + ROWS, readers + 1))
            await connection.execute(schema.subscribers.insert(), [_subscriber(n) for n in numbers])
            places = [{"subscriber": n, **SUBSCRIPTION} for n in numbers]
            await connection.execute(schema.subscriptions.insert(), places)
    await database.close()


def _subscriber(n: int) -> dict[str, object]:
    email = f"reader{n}@example{n % 50}.org"
    hashed = identity.address_hash(email)
    return {
        "number": n,
        "id": identity.subscriber_id(email),
        "address_hash": hashed,
        "email": email,
        "name": f"Reader {n}",
    }


# --- the mail server, and other senders ----------------------------------------------------------


@contextlib.contextmanager
def sink() -> Iterator[int]:
    """Run smtp-sink on a free port as an unprivileged user; yield the port."""
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
    """Run a proxy in front of `port` that delays every byte by `one_way` seconds; yield its port."""
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


async def plain_loop(port: int, messages: int, connections: int, size: int) -> int:
    """Send the simple way: kept connections, an EmailMessage for each recipient, no ledger."""
    issue, left = an_issue(size), iter(range(messages))

    async def connection() -> int:
        sent = 0
        async with aiosmtplib.SMTP(hostname="127.0.0.1", port=port, start_tls=False) as client:
            for n in left:
                message = EmailMessage()
                message["From"], message["To"] = SITE.sender, f"Reader {n} <reader{n}@example.org>"
                message["Subject"] = issue.rendered.subject
                own = links(f"{n:032x}", "morning")
                message["List-Unsubscribe"] = f"<{own.unsubscribe}>"
                values = {Placeholder.NAME: f"Reader {n}", Placeholder.UNSUBSCRIBE_URL: own.unsubscribe}
                text, html = issue.rendered.text, issue.rendered.html
                for place, value in values.items():
                    text, html = text.replace(place.marker, value), html.replace(place.marker, value)
                message.set_content(text)
                message.add_alternative(html, subtype="html")
                await client.send_message(message)
                sent += 1
        return sent

    return sum(await asyncio.gather(*(connection() for _ in range(connections))))


class _Bare(asyncio.Protocol):
    """A connection that sends the same message repeatedly, each with the next envelope pipelined."""

    ENVELOPE = b"MAIL FROM:<digest@news.example.org>\r\nRCPT TO:<reader@example.org>\r\nDATA\r\n"

    def __init__(self, content: bytes, messages: int) -> None:
        self._content, self._left, self._lines = content, messages, 0
        self.ended = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._transport = transport
        transport.write(b"HELO bench.example\r\n" + self.ENVELOPE)
        self._awaited = 5

    def data_received(self, data: bytes) -> None:
        self._lines += data.count(b"\n")
        if self._lines < self._awaited:
            return
        self._lines, self._left = 0, self._left - 1
        if self._left < 0:
            self._transport.close()
            self.ended.set_result(None)
        elif self._left:
            self._transport.writelines((self._content, b".\r\n", self.ENVELOPE))
            self._awaited = 4
        else:
            self._transport.writelines((self._content, b".\r\n"))
            self._awaited = 1


async def bare(port: int, messages: int, connections: int, size: int) -> int:
    """Send one fixed message with the event loop alone: the minimum cost of any sender in Python."""
    loop, each = asyncio.get_running_loop(), messages // connections
    content = (b"x" * 74 + b"\r\n") * (size // 76)
    protocols = [_Bare(content, each) for _ in range(connections)]
    for protocol in protocols:
        await loop.create_connection(lambda protocol=protocol: protocol, "127.0.0.1", port)
    await asyncio.gather(*(protocol.ended for protocol in protocols))
    return each * connections
