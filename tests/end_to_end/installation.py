"""An installation for tests: a settable clock, an SMTP server that keeps its mails, a config folder."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.request import Request, urlopen

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from service.app.factories.config_folder import load_for_database
from service.core.read_models import PendingWork
from service.runtime.scheduler import PeriodicWork
from service.runtime.service import Roles, Service
from service.settings.load import load_config
from tests.end_to_end.news_site import ARTICLE_MARK

TIMEOUT_SECONDS = 30


@dataclass
class Clock:
    """The time that the service sees."""

    at: datetime

    def __call__(self) -> datetime:
        return self.at


@dataclass(frozen=True)
class Mail:
    """A received mail: its recipient, the time in its Date header, and the marks of its articles."""

    to: str
    at: datetime
    article_marks: frozenset[str]
    message: EmailMessage


@dataclass
class Inbox:
    """The mails that the SMTP server received, in order of arrival."""

    mails: list[Mail] = field(default_factory=list)

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        message = message_from_bytes(envelope.content, policy=policy.default)
        text = message.get_body(("plain",)).get_content()
        at = parsedate_to_datetime(message["Date"]).astimezone(UTC)
        self.mails += [
            Mail(to, at, frozenset(ARTICLE_MARK.findall(text)), message) for to in envelope.rcpt_tos
        ]
        return "250 kept"

    def mails_to(self, name: str) -> list[Mail]:
        return [mail for mail in self.mails if mail.to == f"{name}@example.org"]


@contextmanager
def smtp_server() -> Iterator[tuple[Inbox, int]]:
    """Run a server on loopback; yield its inbox and port."""
    inbox = Inbox()
    controller = Controller(inbox, hostname="127.0.0.1", port=free_port())
    controller.start()
    try:
        yield inbox, controller.port
    finally:
        controller.stop()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def write_config(folder: Path, *, storage: str, news_url: str, smtp_port: int, web_port: int) -> None:
    """Write a configuration: two feeds, one newsletter, three subscribers in three time zones."""
    folder.mkdir(exist_ok=True)
    (folder / "caveat.yaml").write_text(f"""
site:
  name: The Test
  url: "http://127.0.0.1:{web_port}"
  from: "The Test <digest@example.org>"
  postal_address: "1 Example Street"
storage: "{storage}"
mail: {{channel: smtp, smtp: {{host: 127.0.0.1, port: {smtp_port}, security: none, connections: 2}}}}
fetch: {{allow_private: ["127.0.0.1"], settle: 10m}}
web: {{listen: "127.0.0.1:{web_port}"}}
condense: {{processes: 1}}
""")
    (folder / "feeds.yaml").write_text(f"""
feeds:
  - {{url: "{news_url}/courier", name: The Courier, topics: [world], language: en, every: 15m}}
  - {{url: "{news_url}/wire", name: The Wire, topics: [world], language: en, every: 15m}}
""")
    (folder / "newsletters.yaml").write_text("""
newsletters:
  - {id: daily, title: The Test, schedule: "daily 07:00", timezone: Europe/Berlin, stories: 50}
""")
    (folder / "subscribers.yaml").write_text("""
subscribers:
  - {email: amina@example.org, name: Amina, timezone: Asia/Qatar, newsletters: [daily]}
  - email: ben@example.org
    timezone: Europe/Berlin
    newsletters: [{id: daily, schedule: "daily 02:30"}]
  - email: carla@example.org
    timezone: America/New_York
    newsletters: [{id: daily, schedule: "daily 08:00"}]
""")


@asynccontextmanager
async def running(folder: Path, clock: Clock, roles: Roles | None = None) -> AsyncIterator[Service]:
    """Run the service; stop it after the block as SIGTERM does."""
    service = Service(
        lambda: load_config(folder, {}),
        roles,
        load_at_start=lambda: load_for_database(folder),
        clock=clock,
    )
    stopping = asyncio.Event()
    life = asyncio.create_task(service.run(stopping))
    begun = asyncio.create_task(service.started.wait())
    try:
        await asyncio.wait({life, begun}, timeout=TIMEOUT_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        if life.done():
            life.result()
        yield service
    finally:
        stopping.set()
        async with asyncio.timeout(TIMEOUT_SECONDS):
            await life


def periodic_work(service: Service) -> PeriodicWork:
    """Return what the service's scheduler calls, to call it at once."""
    return PeriodicWork(service._apps.use, service._clock)


async def sweep_until_idle(service: Service) -> None:
    """Sweep, as the scheduler does every minute, until no work is due."""
    async with asyncio.timeout(TIMEOUT_SECONDS):
        while True:
            await service.sweep()
            for _ in range(8):
                if await _is_idle(service):
                    return
                await asyncio.sleep(0.025)


async def _is_idle(service: Service) -> bool:
    app = service.app
    if await app.pending_work() != PendingWork():
        return False
    return all(issue.books.waiting == 0 for issue in await app.queries.issues(limit=10))


def link_in(mail: Mail, header: str) -> str:
    """Return the web address in one of the mail's headers."""
    return re.search(r"<(http[^>]+)>", mail.message[header])[1]


async def unsubscribe(mail: Mail) -> None:
    """Send the request of a mail program's unsubscribe button (RFC 8058)."""
    request = Request(link_in(mail, "List-Unsubscribe"), b"List-Unsubscribe=One-Click", method="POST")  # noqa: S310 - our own server
    request.add_header("Content-Type", "application/x-www-form-urlencoded")
    answer = await asyncio.to_thread(urlopen, request, timeout=10)
    assert answer.status == 200
