"""Bounces: what letters that come back say is set down; and what the doors ask about one of them."""

from __future__ import annotations

import asyncio
from concurrent.futures import BrokenExecutor, Executor
from datetime import datetime
from email.utils import parseaddr

from service.core.contracts import PeopleStore
from service.deliver.bounces import CANNOT_BE_READ, Bounce, nothing_of, read_bounce, reason_of
from service.deliver.inbound import InboundMail, Unreadable, read_inbound
from service.deliver.mailbox import Mailbox, greet, poll
from service.deliver.returns import UNREADABLE, Returns, receive
from service.deliver.verp import delivery_of
from service.people.choices import unsubscribe
from service.settings.values import ImapSettings, Settings
from service.store.bounces import BounceRecords
from service.store.database import Database

__all__ = [
    "CANNOT_BE_READ",
    "UNREADABLE",
    "Bounce",
    "greet",
    "is_ours",
    "mailbox_of",
    "nothing_of",
    "read_bounce",
    "read_mailbox",
    "receive",
    "returns_of",
]


def returns_of(database: Database, people: PeopleStore, key: bytes, pool: Executor) -> Returns:
    """Return what letters are worked off with; `key` is the one that signs links and return paths.

    Mails are read in `pool`, whose limits of time and memory hold for each of them.
    """

    async def leave(subscriber_id: str, newsletter: str | None, now: datetime) -> object:
        return await unsubscribe(people, subscriber_id, newsletter, now)

    async def read(content: bytes) -> InboundMail | Unreadable:
        try:
            return await asyncio.get_running_loop().run_in_executor(pool, read_inbound, content)
        except (TimeoutError, MemoryError, BrokenExecutor) as error:
            return Unreadable(reason_of(error))

    return Returns(BounceRecords(database), leave, key, read)


def is_ours(settings: Settings, key: bytes, address: str) -> bool:
    """Tell whether a letter to this address is ours to take.

    That is a return path that we made, the mailbox that they lead to, or the address for wishes to leave,
    unless that is the sender's own, where people write who want an answer.
    """
    if delivery_of(key, address):
        return True
    site, plain = settings.site, {(settings.mail.bounces.address or "").lower()}
    if site.unsubscribe_address != parseaddr(site.sender)[1]:
        plain.add(site.unsubscribe_address.lower())
    return bool(address) and address.lower() in plain


def mailbox_of(imap: ImapSettings) -> Mailbox:
    """Return the mailbox that the settings describe."""
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


async def read_mailbox(mailbox: Mailbox, returns: Returns, now: datetime) -> int:
    """Work off the letters in the mailbox; return how many. Raises ChannelUnavailable."""

    async def handle(content: bytes) -> bool:
        return await receive(returns, content, now=now) != UNREADABLE

    return await poll(mailbox, handle)
