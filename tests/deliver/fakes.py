"""A ledger in memory that behaves as the database does, and values for tests of deliver."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from service.core import ids as identity
from service.core.errors import StoreError
from service.core.model import Batch, Delivery, DeliveryState, Issue, Message, RenderedMail, Site
from service.core.placeholders import Placeholder
from service.deliver.channels.smtp.settings import Relay, Timeouts
from service.deliver.message.builder import MailLinks, MessageBuilder
from service.deliver.ports import ResendPolicy, StateChange
from tests.builders import NOON
from tests.deliver.server import MailServer

SITE = Site(
    name="The Morning Caveat",
    url="https://news.example.org",
    sender="The Morning Caveat <digest@news.example.org>",
    postal_address="1 Example Street",
    unsubscribe_address="unsubscribe@news.example.org",
)


def an_issue(subject: str = "Aid talks end with a pledge", **changes: Any) -> Issue:
    text = f"Hello {Placeholder.NAME.marker},\n\nthe harbour reopened.\n\n"
    text += f"Unsubscribe: {Placeholder.UNSUBSCRIBE_URL.marker}\n"
    html = (
        f"<html><body><p>Hello {Placeholder.NAME.marker},</p><p>the harbour reopened.</p>"
        f'<p><a href="{Placeholder.UNSUBSCRIBE_URL.marker}">Unsubscribe</a></p></body></html>\n'
    )
    defaults: dict[str, Any] = {
        "id": identity.issue_id("edition", "2026-03-02T07:00", 0),
        "newsletter": "morning",
        "edition_key": "edition",
        "occurrence": "2026-03-02T07:00",
        "due_at": NOON - timedelta(minutes=1),
        "served_from": 0,
        "served_through": 7,
        "rendered": RenderedMail(subject, changes.pop("html", html), changes.pop("text", text)),
        "article_ids": (),
        "created_at": NOON,
    }
    return Issue(**(defaults | changes))


def a_delivery(address: str = "amina@example.org", name: str = "Amina", **changes: Any) -> Delivery:
    issue_id = changes.pop("issue_id", an_issue().id)
    person = identity.subscriber_id(address)
    channel = changes.get("channel", "smtp")
    defaults: dict[str, Any] = {
        "id": identity.delivery_id(issue_id, person, channel),
        "issue_id": issue_id,
        "subscriber_id": person,
        "channel": channel,
        "address": address,
        "name": name,
        "planned_at": NOON,
    }
    return Delivery(**(defaults | changes))


def some_deliveries(count: int, domains: int = 1, **changes: Any) -> list[Delivery]:
    names = ["example.org", *(f"example{n}.org" for n in range(1, domains))]
    return [a_delivery(f"reader{n}@{names[n % domains]}", f"Reader {n}", **changes) for n in range(count)]


def a_message(content: bytes = b"Subject: hello\r\n\r\nhello\r\n", **changes: Any) -> Message:
    defaults: dict[str, Any] = {
        "delivery_id": "d" * 32,
        "sender": "digest@news.example.org",
        "recipient": "amina@example.org",
        "parts": (content,),
    }
    return Message(**(defaults | changes))


def links(subscriber_id: str, newsletter: str) -> MailLinks:
    page = f"https://news.example.org/u/{subscriber_id}.{newsletter}"
    return MailLinks(page, page.replace("/u/", "/p/"), f"{subscriber_id}.{newsletter}")


def a_message_builder(site: Site = SITE) -> MessageBuilder:
    return MessageBuilder(site, links)


LONG_TIMEOUTS = Timeouts(connect=5, mail=5, rcpt=5, data=5, dot=5, quit=1)
SHORT_TIMEOUTS = Timeouts(connect=0.2, mail=0.2, rcpt=0.2, data=0.2, dot=0.2, quit=0.2)


def a_relay(server: MailServer, **changes: Any) -> Relay:
    return a_relay_at(server.port, **changes)


def a_relay_at(port: int, **changes: Any) -> Relay:
    defaults: dict[str, Any] = {
        "host": "127.0.0.1",
        "port": port,
        "security": "none",
        "hello": "news.example.org",
        "connections": 1,
        "timeouts": LONG_TIMEOUTS,
    }
    return Relay(**(defaults | changes))


class Clock:
    """A clock whose time is `now`, which a test sets."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Row:
    delivery: Delivery
    state: DeliveryState = DeliveryState.PLANNED
    token: str | None = None
    lease_until: datetime | None = None
    next_attempt_at: datetime | None = None
    reply: str = ""
    attempts: int = 0
    uncertain_attempts: int = 0


@dataclass
class MemoryLedger:
    """Stores deliveries as the database does; `commits` are the changes of each commit, `lost` fails all."""

    issues: dict[str, Issue] = field(default_factory=dict)
    rows: dict[str, Row] = field(default_factory=dict)
    suppressed: set[str] = field(default_factory=set)
    paused: set[str] = field(default_factory=set)
    commits: list[tuple[StateChange, ...]] = field(default_factory=list)
    lost: bool = False

    @classmethod
    def holding(cls, *deliveries: Delivery, issue: Issue | None = None) -> MemoryLedger:
        issue = issue or an_issue()
        return cls({issue.id: issue}, {d.id: Row(d) for d in deliveries})

    def state(self, delivery: Delivery) -> DeliveryState:
        return self.rows[delivery.id].state

    def states(self) -> set[DeliveryState]:
        return {row.state for row in self.rows.values()}

    async def take_batch(
        self,
        channel: str,
        token: str,
        now: datetime,
        lease_until: datetime,
        limit: int,
        *,
        only_transactional: bool = False,
        is_personal: bool = False,  # noqa: ARG002 - here each delivery names its channel
    ) -> Batch:
        taken, suppressed = [], 0
        await self.settle_uncertain(now, None)
        urgent = [row for row in self.rows.values() if row.delivery.transactional]
        bulk = [row for row in self.rows.values() if not row.delivery.transactional]
        for row in urgent if only_transactional else [*urgent, *bulk]:
            due = row.state is DeliveryState.PLANNED or (
                row.state is DeliveryState.DEFERRED and (row.next_attempt_at or now) <= now
            )
            free = row.token is None or (row.lease_until or now) <= now
            resting = row.delivery.issue_id in self.paused
            if resting or row.delivery.channel != channel or not due or not free or len(taken) == limit:
                continue
            if row.delivery.address in self.suppressed:
                row.state, suppressed = DeliveryState.SUPPRESSED, suppressed + 1
                continue
            row.token, row.lease_until = token, lease_until
            taken.append(
                replace(row.delivery, attempts=row.attempts, uncertain_attempts=row.uncertain_attempts)
            )
        return Batch(token, lease_until, tuple(taken), suppressed)

    async def extend(self, token: str, lease_until: datetime) -> None:
        for row in self.rows.values():
            if row.token == token:
                row.lease_until = lease_until

    async def settle_uncertain(self, now: datetime, resend: ResendPolicy | None) -> int:
        settled = 0
        for row in self.rows.values():
            if row.state is DeliveryState.ATTEMPTING and (row.lease_until or now) <= now:
                row.state, row.token, row.next_attempt_at = DeliveryState.UNCERTAIN, None, None
                row.uncertain_attempts += 1
                settled += 1
            within = (
                resend
                and row.uncertain_attempts < resend.max_uncertain_attempts
                and (row.delivery.planned_at or now) > resend.planned_after
            )
            if within and row.state is DeliveryState.UNCERTAIN and (row.next_attempt_at or now) <= now:
                row.state, row.next_attempt_at = DeliveryState.DEFERRED, now
        return settled

    async def issue(self, issue_id: str) -> Issue | None:
        return self.issues.get(issue_id)

    async def record_changes(self, token: str, changes: Sequence[StateChange]) -> set[str]:
        if self.lost:
            raise StoreError("the database is gone")
        written = set()
        self.commits.append(tuple(changes))
        for mark in changes:
            row = self.rows[mark.delivery_id]
            if row.token != token:
                continue
            if mark.state is DeliveryState.ATTEMPTING:
                if row.delivery.address in self.suppressed:
                    row.state, row.token = DeliveryState.SUPPRESSED, None
                    continue
                row.attempts += 1
            else:
                row.token = None
                row.uncertain_attempts += mark.state is DeliveryState.UNCERTAIN
            row.state, row.reply, row.next_attempt_at = mark.state, mark.reply, mark.next_attempt_at
            if mark.suppress:
                self.suppressed.add(row.delivery.address)
            written.add(mark.delivery_id)
        return written

    async def pause(self, issue_id: str, now: datetime) -> None:  # noqa: ARG002 - the Protocol's
        self.paused.add(issue_id)
        for row in self.rows.values():
            idle = row.state in (DeliveryState.PLANNED, DeliveryState.DEFERRED)
            if row.delivery.issue_id == issue_id and idle:
                row.token = row.lease_until = None

    async def release(self, token: str) -> None:
        for row in self.rows.values():
            if row.token == token and row.state is not DeliveryState.ATTEMPTING:
                row.token = row.lease_until = None
