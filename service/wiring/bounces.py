"""Bounces: the bounce mailbox is read and what it says set down; and what the doors ask about one letter."""

from __future__ import annotations

from datetime import datetime

from service.core.contracts import PeopleStore
from service.deliver.bounces import Bounce, read_bounce
from service.deliver.mailbox import Mailbox, poll
from service.deliver.returns import Returns, receive
from service.people.choices import unsubscribe
from service.settings.values import ImapSettings
from service.store.bounces import BounceRecords
from service.store.database import Database

__all__ = ["Bounce", "mailbox_of", "read_bounce", "read_mailbox", "returns_of"]


def returns_of(database: Database, people: PeopleStore, key: bytes) -> Returns:
    """Return what letters are worked off with; `key` is the one that signs links and return paths."""

    async def leave(subscriber_id: str, newsletter: str | None, now: datetime) -> object:
        return await unsubscribe(people, subscriber_id, newsletter, now)

    return Returns(BounceRecords(database), leave, key)


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
    )


async def read_mailbox(mailbox: Mailbox, returns: Returns, now: datetime) -> int:
    """Work off the letters in the mailbox; return how many. Raises ChannelUnavailable."""

    async def handle(content: bytes) -> object:
        return await receive(returns, content, now=now)

    return await poll(mailbox, handle)
