"""Bounces: inbound mail is classified and recorded; read from a mailbox or taken by the bounce server."""

from __future__ import annotations

import asyncio
from concurrent.futures import BrokenExecutor
from datetime import datetime
from typing import TYPE_CHECKING

from service.bounces.classify import UNREADABLE_REASON, Bounce, classify_bytes, no_bounce, unreadable_reason
from service.bounces.handler import UNREADABLE, BounceHandler, handle_mail
from service.bounces.imap import Mailbox, check_login, poll
from service.bounces.read_mail import InboundResult, UnreadableMail, read_inbound
from service.bounces.verp import delivery_id_of
from service.deliver.metrics import INBOUND_MAILS
from service.settings.values import ImapSettings, Settings
from service.store.bounces import SqlBounceStore
from service.subscribers.actions import unsubscribe

if TYPE_CHECKING:
    from service.app.factories.application import Application

__all__ = [
    "UNREADABLE",
    "UNREADABLE_REASON",
    "Bounce",
    "bounce_handler",
    "check_login",
    "classify_bytes",
    "handle_mail",
    "is_accepted_recipient",
    "mailbox_of",
    "no_bounce",
    "read_bounces",
]


def bounce_handler(app: Application, key: bytes) -> BounceHandler:
    """Return the handler of inbound mail; `key` signs links and return paths.

    Mails are parsed in the process pool, within its limits of time and memory.
    """

    async def end_subscription(subscriber_id: str, newsletter: str | None, now: datetime) -> object:
        return await unsubscribe(app.subscribers, subscriber_id, newsletter, now)

    async def ask(email: str, now: datetime) -> bool:
        from service.app.transactional_mail import plan_unsubscribe_question  # noqa: PLC0415 - templates, rarely needed

        return await plan_unsubscribe_question(app, email, now)

    async def read(content: bytes) -> InboundResult | UnreadableMail:
        try:
            return await asyncio.get_running_loop().run_in_executor(app.pool, read_inbound, content)
        except (TimeoutError, MemoryError, BrokenExecutor) as error:
            return UnreadableMail(unreadable_reason(error))

    def count(result: str) -> None:
        INBOUND_MAILS.labels(result).inc()

    return BounceHandler(SqlBounceStore(app.database), end_subscription, key, ask, read, count)


def is_accepted_recipient(settings: Settings, key: bytes, address: str) -> bool:
    """Return whether mail to this address is accepted.

    Accepted are signed return paths, the bounce address itself, and the address for unsubscribe mail.
    """
    if delivery_id_of(key, address):
        return True
    accepted = {(settings.mail.bounces.address or "").lower(), settings.site.unsubscribe_address.lower()}
    return bool(address) and address.lower() in accepted


def mailbox_of(imap: ImapSettings) -> Mailbox:
    """Return the mailbox of the settings."""
    return Mailbox(
        host=imap.host,
        port=imap.port,
        security=imap.security,
        username=imap.username,
        password=imap.password.reveal(),
        folder=imap.folder,
        keep=imap.keep,
        authority=str(imap.authority) if imap.authority else None,
    )


async def read_bounces(app: Application) -> int:
    """Process the mails in the bounce mailbox; return their number, 0 without a mailbox.

    Raises ChannelUnavailable.
    """
    imap = app.settings.mail.bounces.imap
    if imap is None:
        return 0
    handler = bounce_handler(app, await app.subscribers.signing_key())

    async def handle(content: bytes) -> bool:
        return await handle_mail(handler, content, now=app.clock()) != UNREADABLE

    return await poll(mailbox_of(imap), handle)
