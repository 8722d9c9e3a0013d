"""SMTP connection: commands and replies on a connection that is open, greeted and logged in (RFC 5321).

An asyncio Protocol that takes over a transport. Commands are written in as few flights as the server allows
(PIPELINING, RFC 2920), and replies are matched to them in order. A connection is used for another message
only while the server is known to have no envelope (`has_no_envelope`) and every byte it sent was the reply
to a command.
"""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from typing_extensions import override

from service.core.model import Message, RefusalCause, Refused
from service.deliver.channels.smtp.replies import reply_line

MAX_LINE_BYTES = 4096
MAX_REPLY_LINES = 200
SESSION_CODES = frozenset({220, 221})  # greeting and closing: never a reply to a mail command
_SEPARATORS = frozenset({b" ", b"-", b"", b"\r"})  # after the code; "-" where more lines follow
_SAFE_ADDRESS = re.compile(r"[^\x00-\x20<>\x7f-\x9f]*")


class ConnectionLost(Exception):
    """The connection ended or cannot be used any more; the text says why."""


class SmtpReply(NamedTuple):
    """The server's reply to a command; the lines of a long reply are joined by line feeds."""

    code: int
    text: str

    @property
    def is_positive(self) -> bool:
        """Whether the command was accepted (2xx)."""
        return 200 <= self.code < 300 and self.code not in SESSION_CODES

    @property
    def is_refusal(self) -> bool:
        """Whether the command was refused (4xx, 5xx)."""
        return 400 <= self.code < 600

    def __str__(self) -> str:
        return reply_line(self.code, self.text)


@dataclass(frozen=True, slots=True)
class SmtpExtensions:
    """The extensions that the server's reply to EHLO offers. `max_size_bytes` is 0 for no limit."""

    pipelining: bool = False
    smtputf8: bool = False
    announces_size: bool = False
    max_size_bytes: int = 0


class SmtpConnection(asyncio.Protocol):
    """A connection for one message after another.

    `offered_count` counts the messages whose envelope was sent, `accepted_count` those that the server took.
    `has_no_envelope`: the server waits for MAIL. The sender of MAIL sets it to False, and to True when the
    reply to the final dot or to RSET has arrived.
    """

    def __init__(self, transport: asyncio.Transport, extensions: SmtpExtensions) -> None:
        self.extensions = extensions
        self.has_no_envelope = True
        self.accepted_count = 0
        self.offered_count = 0
        self._transport = transport
        self._loop = asyncio.get_running_loop()
        self.opened_at = self.used_at = self._loop.time()
        self._incomplete_line = b""
        self._incomplete_reply: list[str] = []
        self._replies: deque[SmtpReply] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._listener: Callable[[], None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._timeout = self._deadline = 0.0
        self._end_reason: str | None = None
        transport.set_protocol(self)

    # --- called by asyncio ---------------------------------------------------------------------

    @override
    def data_received(self, data: bytes) -> None:
        *lines, self._incomplete_line = (self._incomplete_line + data).split(b"\n")
        for line in lines:
            # After a line that is not SMTP, no reply can be matched to its command any more.
            if self._end_reason is None:
                self._add_line(line)
        if len(self._incomplete_line) > MAX_LINE_BYTES or len(self._incomplete_reply) > MAX_REPLY_LINES:
            self._fail("the server's reply is too long")
        if self._replies:
            self._wake()

    @override
    def eof_received(self) -> None:
        self._fail("the server closed the connection")

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._fail(f"the connection was lost ({exc})" if exc else "the server closed the connection")

    # --- called by the transaction -------------------------------------------------------------

    @property
    def is_usable(self) -> bool:
        """Whether the next message may be sent here."""
        return self.has_no_envelope and self.is_in_sync()

    def is_in_sync(self) -> bool:
        """Whether the connection is open and every reply of the server was read.

        Called while no reply is awaited: then an unread one was not asked for, and the replies to the next
        commands could not be distinguished from it.
        """
        return self.is_open() and not (self._replies or self._incomplete_reply or self._incomplete_line)

    def is_open(self) -> bool:
        """Whether commands can be written."""
        return self._end_reason is None and not self._transport.is_closing()

    @property
    def idle_seconds(self) -> float:
        """Seconds since the last reply."""
        return self._loop.time() - self.used_at

    @property
    def age_seconds(self) -> float:
        """Seconds since the connection was opened."""
        return self._loop.time() - self.opened_at

    def write(self, *parts: bytes) -> None:
        """Write the parts as one flight; raises ConnectionLost when the connection has ended."""
        if not self.is_open():
            raise ConnectionLost(self._end_reason or "the connection was closed")
        self._transport.writelines(parts)

    def received_reply(self) -> SmtpReply | None:
        """Return the next reply if it has arrived; never waits."""
        return self._replies.popleft() if self._replies else None

    def listen(self, listener: Callable[[], None], timeout: float) -> None:
        """Call `listener` once, when a reply arrives, the connection ends, or after `timeout` seconds."""
        self._listener = listener
        self._set_deadline(timeout)

    def consume_flight_replies(self) -> SmtpReply | None:
        """Take the replies to a content and the next envelope, if just these four have arrived and accept.

        Return the reply to the content; None, and take nothing, in any other case.
        """
        replies = self._replies
        if len(replies) != 4 or self._incomplete_line or self._incomplete_reply or not self.is_open():
            return None
        dot, mail, rcpt, data = replies
        if not (dot.is_positive and mail.is_positive and rcpt.is_positive and data.code == 354):
            return None
        replies.clear()
        self.used_at = self._loop.time()
        return dot

    def consume_envelope_replies(self) -> bool:
        """Take the replies to MAIL, RCPT and DATA, if all three have arrived and accept; never waits."""
        replies = self._replies
        if len(replies) < 3 or not (
            replies[0].is_positive and replies[1].is_positive and replies[2].code == 354
        ):
            return False
        replies.popleft()
        replies.popleft()
        replies.popleft()
        return True

    async def read_reply(self, timeout: float) -> SmtpReply:  # noqa: ASYNC109 - RFC 5321 gives each command its own
        """Return the next reply.

        Raises ConnectionLost when the connection ends first, or after `timeout` seconds.
        """
        if not self._replies:
            if self._end_reason is not None:
                raise ConnectionLost(self._end_reason)
            self._waiter = self._loop.create_future()
            self._set_deadline(timeout)
            try:
                await self._waiter
            finally:
                self._waiter = None
            if not self._replies:
                raise ConnectionLost(self._end_reason or "the connection was closed")
            self.used_at = self._loop.time()
        return self._replies.popleft()

    def abort(self, reason: str = "we closed the connection") -> None:
        """Close the connection at once; bytes that were not sent are dropped."""
        self._end_reason = self._end_reason or reason
        self._replies.clear()
        if not self._transport.is_closing():
            self._transport.abort()

    async def quit(self, timeout: float) -> None:  # noqa: ASYNC109 - a server that is slow to say goodbye
        """Close the connection, by QUIT if the server expects a command; `timeout` is in seconds."""
        try:
            if self.is_usable:
                self.write(b"QUIT\r\n")
                await self.read_reply(timeout)
                self._transport.close()
        except ConnectionLost:
            pass
        finally:
            self.abort()

    # --- inside --------------------------------------------------------------------------------

    def _add_line(self, line: bytes) -> None:
        reply, is_last = _parse_line(line)
        if reply is None:
            self._fail("the server sent a line that is not an SMTP reply")
        elif not is_last:
            self._incomplete_reply.append(reply.text)
        elif self._incomplete_reply:
            self._replies.append(SmtpReply(reply.code, "\n".join([*self._incomplete_reply, reply.text])))
            self._incomplete_reply.clear()
        else:
            self._replies.append(reply)

    def _set_deadline(self, seconds: float) -> None:
        """Let the wait end after `seconds`. One timer serves many waits: most replies arrive in time."""
        self._timeout, self._deadline = seconds, self._loop.time() + seconds
        if self._timer is not None and self._deadline < self._timer.when():
            self._timer.cancel()
            self._timer = None
        if self._timer is None:
            self._timer = self._loop.call_at(self._deadline, self._check_deadline)

    def _check_deadline(self) -> None:
        self._timer = None
        if self._waiter is None and self._listener is None:
            return
        if self._loop.time() >= self._deadline:
            self._fail(f"no reply within {self._timeout:g} seconds")
        else:
            self._timer = self._loop.call_at(self._deadline, self._check_deadline)

    def _fail(self, reason: str) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._end_reason is None:
            self._end_reason = reason
            self._transport.abort()
        self._wake()

    def _wake(self) -> None:
        if self._listener is not None:
            listener, self._listener = self._listener, None
            listener()
        elif self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


@lru_cache(maxsize=256)  # a server sends the same few lines for each message
def _parse_line(line: bytes) -> tuple[SmtpReply | None, bool]:
    """Return code and text of a reply's line (None: it is not one), and whether it is the last line."""
    code, separator = line[:3], line[3:4]
    if len(line) > MAX_LINE_BYTES or not code.isdigit() or separator not in _SEPARATORS:
        return None, True
    return SmtpReply(int(code), line[4:].rstrip(b"\r").decode("utf-8", "replace")), separator != b"-"


class EnvelopeCommands(NamedTuple):
    """The commands that precede a message's content."""

    mail: bytes
    rcpt: bytes


def envelope_commands(message: Message, extensions: SmtpExtensions) -> EnvelopeCommands | Refused:
    """Return the message's envelope, or the reason why this server cannot take the message."""
    addresses = message.sender, message.recipient
    if not (message.recipient and all(map(_SAFE_ADDRESS.fullmatch, addresses))):
        return Refused("an address in the envelope is not valid", RefusalCause.MESSAGE)
    size, limit = message.size, extensions.max_size_bytes
    if limit and size > limit:
        sizes = f"the message has {size} bytes, the mail server takes {limit} at most (SIZE)"
        return Refused(sizes, RefusalCause.SIZE)
    mail = f"MAIL FROM:<{message.sender}>"
    if extensions.announces_size:
        mail += f" SIZE={size}"
    if not (message.recipient.isascii() and message.sender.isascii()):
        if not extensions.smtputf8:
            return Refused("the server cannot take addresses beyond ASCII (SMTPUTF8)", RefusalCause.MESSAGE)
        mail += " BODY=8BITMIME SMTPUTF8"
    return EnvelopeCommands(f"{mail}\r\n".encode(), f"RCPT TO:<{message.recipient}>\r\n".encode())
