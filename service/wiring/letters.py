"""Letters: the single mails that are no issue, sent at once and tried again for an hour."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime

import structlog

from service.assets import templates_folder
from service.compose.letters import Letters
from service.core import identity
from service.core.contracts import Channel
from service.core.errors import CaveatError
from service.core.model import Deferred, Delivery, Issue, Message, Outcome, Rendered, Sent, Uncertain
from service.deliver.channels import ChannelSettings, channel
from service.deliver.stage import Deliverer
from service.settings.values import Settings
from service.wiring.clock import Clock
from service.wiring.delivering import relay_of

TRIES_AFTER = (0.0, 60.0, 300.0, 900.0, 2700.0)
"""Seconds before each try: a server that greylists wants to be asked again."""

GRACE_SECONDS = 3.0

log = structlog.get_logger("letters")


class Postman:
    """Sends letters in the background: `maker` gives what makes messages, `open_channel` a way for one."""

    def __init__(
        self,
        letters: Letters,
        maker: Callable[[], Awaitable[Deliverer]],
        open_channel: Callable[[], Channel],
        clock: Clock,
    ) -> None:
        self.letters = letters
        self._maker, self._open_channel, self._clock = maker, open_channel, clock
        self._under_way: dict[str, asyncio.Task[None]] = {}

    def send(self, rendered: Rendered, newsletter: str, email: str) -> None:
        """Send the letter to that address; returns at once, so that its fate does not show in the time."""
        now = self._clock()
        letter = identity.digest_of("letter", rendered.subject, rendered.text, email, now.isoformat())
        if letter in self._under_way:
            return
        task = asyncio.create_task(self._send(self._issue(letter, rendered, newsletter, now), email))
        self._under_way[letter] = task
        task.add_done_callback(lambda _done: self._under_way.pop(letter))

    async def settled(self) -> None:
        """Wait until every letter was sent or given up."""
        await asyncio.gather(*self._under_way.values(), return_exceptions=True)

    async def close(self) -> None:
        """Let what is leaving leave, for some seconds, and give up the rest."""
        if self._under_way:
            await asyncio.wait(self._under_way.values(), timeout=GRACE_SECONDS)
        for task in tuple(self._under_way.values()):
            task.cancel()
        await self.settled()

    async def _send(self, issue: Issue, email: str) -> None:
        try:
            message = await self._made(issue, email)
            for seconds in TRIES_AFTER:
                await asyncio.sleep(seconds)
                outcome = await self._tried(message)
                if not isinstance(outcome, Deferred):
                    break
        except CaveatError as error:
            log.warning("a letter cannot be sent", newsletter=issue.newsletter, reason=str(error))
            return
        if not isinstance(outcome, Sent | Uncertain):
            log.warning("a letter was given up", newsletter=issue.newsletter, outcome=type(outcome).__name__)

    async def _made(self, issue: Issue, email: str) -> Message:
        deliverer, person = await self._maker(), identity.subscriber_id(email)
        channel_name = deliverer.channel.name
        delivery = identity.delivery_id(issue.id, person, channel_name)
        return deliverer.make(issue, Delivery(delivery, issue.id, person, channel_name, email, ""))

    def _issue(self, letter: str, rendered: Rendered, newsletter: str, now: datetime) -> Issue:
        """Return the letter as the one thing that messages are made of."""
        return Issue(
            id=letter,
            newsletter=newsletter,
            edition_key="",
            occurrence="letter",
            due_at=now,
            told_from=0,
            told_through=0,
            rendered=rendered,
            article_ids=(),
            created_at=now,
        )

    async def _tried(self, message: Message) -> Outcome:
        box, carrier = _Letterbox(message), self._open_channel()
        try:
            await carrier.carry(box)
        except CaveatError as error:
            return Deferred(str(error))
        finally:
            await carrier.close()
        return box.outcome


class _Letterbox:
    """An Outbox with one letter in it, which no ledger knows."""

    def __init__(self, message: Message) -> None:
        self._message: Message | None = message
        self.outcome: Outcome = Deferred("not taken")

    async def next(self) -> Message | None:
        """Return the letter, once."""
        return self.ready()

    def ready(self) -> Message | None:
        """Return the letter, once."""
        message, self._message = self._message, None
        return message

    async def attempt(self, message: Message) -> bool:  # noqa: ARG002 - the contract's
        """Allow it: a letter that goes out twice after a crash does no harm."""
        return True

    def settle(self, message: Message, outcome: Outcome) -> None:  # noqa: ARG002 - the contract's
        """Remember what came of it."""
        self.outcome = outcome

    def put_back(self, message: Message) -> None:
        """Take the letter back; it is not offered again on this way."""
        self.outcome = Deferred(f"not sent to {message.recipient.rpartition('@')[2]} this time")


def letters_of(settings: Settings, maker: Callable[[], Awaitable[Deliverer]], clock: Clock) -> Postman:
    """Return the postman of a house."""
    mail, own = settings.mail, settings.folder / "templates"
    return Postman(
        Letters(templates_folder(), settings.site, own if own.is_dir() else None),
        maker,
        lambda: channel(mail.channel, ChannelSettings(mail.folder, relay_of(mail.smtp))),
        clock,
    )
