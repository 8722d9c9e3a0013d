"""IMAP (EDGE imap-tools): reads the mails of a mailbox and removes those that were handled."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from imaplib import IMAP4

from imap_tools import (
    AND,
    BaseMailBox,
    ImapToolsError,
    MailBox,
    MailboxFolderSelectError,
    MailboxLoginError,
    MailBoxStartTls,
    MailBoxUnencrypted,
    MailMessageFlags,
)

from service.bounces.inbound_mail import MAX_MAIL_BYTES
from service.core.errors import ChannelUnavailable

MAX_MAILS_PER_POLL = 50
TIMEOUT_SECONDS = 60

MailHandler = Callable[[bytes], Awaitable[bool]]
"""Handles a mail; returns False for an unreadable mail, which is set aside."""


@dataclass(frozen=True, slots=True)
class Mailbox:
    """An IMAP mailbox. `security` is `tls`, `starttls` or `none`; `keep`: mark as read, do not delete.

    `authority` is a file of certificates to trust instead of the system's.
    """

    host: str
    port: int = 993
    security: str = "tls"
    username: str = ""
    password: str = field(default="", repr=False)
    folder: str = "INBOX"
    keep: bool = False
    authority: str | None = None


async def poll(mailbox: Mailbox, handle: MailHandler) -> int:
    """Give each unread mail to `handle`, then delete it or mark it as read; return the number of mails.

    A mail that is set aside is never deleted: it stays in the folder, read and flagged, for the operator.
    When `handle` raises an error, that mail and the following ones stay unread. Raises ChannelUnavailable
    when the mailbox cannot be reached.
    """
    mails = await asyncio.to_thread(_unread, mailbox)
    done: list[str] = []
    set_aside: list[str] = []
    try:
        for uid, content in mails:
            (done if await handle(content) else set_aside).append(uid)
    finally:
        if done or set_aside:
            await asyncio.to_thread(_put_away, mailbox, done, set_aside)
    return len(done) + len(set_aside)


async def check_login(mailbox: Mailbox) -> None:
    """Log in and open the folder. Raises ChannelUnavailable when that fails."""

    def visit() -> None:
        with _opened(mailbox):
            pass

    await asyncio.to_thread(visit)


def _unread(mailbox: Mailbox) -> list[tuple[str, bytes]]:
    mails = []
    with _opened(mailbox) as box:
        for uid in box.uids(AND(seen=False))[:MAX_MAILS_PER_POLL]:
            # The raw bytes: parsing a mail and writing it again may change it.
            _status, data = box.client.uid("FETCH", uid, f"(BODY.PEEK[]<0.{MAX_MAIL_BYTES}>)")
            content = next((part[1] for part in data or () if isinstance(part, tuple)), None)
            if isinstance(content, bytes):
                mails.append((uid, content))
    return mails


def _put_away(mailbox: Mailbox, done: list[str], set_aside: list[str]) -> None:
    with _opened(mailbox) as box:
        if set_aside:
            box.flag(set_aside, (MailMessageFlags.SEEN, MailMessageFlags.FLAGGED), value=True)
        if done and mailbox.keep:
            box.flag(done, MailMessageFlags.SEEN, value=True)
        elif done:
            box.delete(done)


@contextmanager
def _opened(mailbox: Mailbox) -> Iterator[BaseMailBox]:
    name = f"the mailbox {mailbox.username} at {mailbox.host}:{mailbox.port}"
    try:
        box = _connected(mailbox).login(mailbox.username, mailbox.password, mailbox.folder)
        try:
            yield box
        finally:
            # A failed LOGOUT changes nothing about what was done.
            with suppress(ImapToolsError, IMAP4.error, OSError):
                box.logout()
    except MailboxLoginError as error:
        raise ChannelUnavailable(f"{name} refuses the login: {_said(error)}", permanent=True) from error
    except MailboxFolderSelectError as error:
        raise ChannelUnavailable(f"{name} has no folder {mailbox.folder!r}", permanent=True) from error
    except (ImapToolsError, IMAP4.error) as error:
        raise ChannelUnavailable(f"{name} does not do as it should: {_said(error)}") from error
    except OSError as error:
        raise ChannelUnavailable(f"{name} cannot be reached: {error.strerror or error}") from error


def _connected(mailbox: Mailbox) -> BaseMailBox:
    where = (mailbox.host, mailbox.port, TIMEOUT_SECONDS)
    if mailbox.security == "none":
        return MailBoxUnencrypted(*where)
    context = ssl.create_default_context(cafile=mailbox.authority)
    if mailbox.security == "starttls":
        return MailBoxStartTls(*where, ssl_context=context)
    return MailBox(*where, ssl_context=context)


def _said(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
