"""Session: the transactions on one SMTP connection that is open, greeted and logged in (RFC 5321).

An asyncio Protocol that takes over a transport. Commands go out in as few flights as the server allows
(PIPELINING, RFC 2920), and replies are matched to them in order. A session is used for another message only
while the server is known to have no envelope (`at_rest`) and every byte it sent was the reply to a command.
"""

from __future__ import annotations

import asyncio
import re
from collections import deque
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from service.core.model import Message, RefusalCause, Refused
from service.deliver.channels.smtp.replies import reply_line

MAX_LINE_BYTES = 4096
MAX_REPLY_LINES = 200
SESSION_CODES = frozenset({220, 221})  # the greeting and the goodbye: never an answer to a mail command
_MARKS = frozenset({b" ", b"-", b"", b"\r"})
_WIRE = re.compile(r"[^\x00-\x20<>\x7f-\x9f]*")


class ConnectionLost(Exception):
    """The connection is gone or of no use any more; the text says how it ended."""


class SmtpReply(NamedTuple):
    """What the server said; the lines of a long reply are joined by line feeds."""

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
    """What the server's answer to EHLO offers. `size` is the largest message it takes, 0 for no limit."""

    pipelining: bool = False
    smtputf8: bool = False
    announces_size: bool = False
    max_size_bytes: int = 0


class SmtpConnection(asyncio.Protocol):
    """A connection for one message after another. `sent` counts those the server took.

    `at_rest`: the server has no envelope and waits for MAIL. Whoever sends MAIL sets it to False, and to True
    when the reply to the final dot or to RSET has come.
    """

    def __init__(self, transport: asyncio.Transport, features: SmtpExtensions) -> None:
        self.extensions = features
        self.has_no_envelope = True
        self.accepted_count = 0
        self.offered_count = 0
        self._transport = transport
        self._loop = asyncio.get_running_loop()
        self.opened_at = self.used_at = self._loop.time()
        self._rest = b""
        self._lines: list[str] = []
        self._replies: deque[SmtpReply] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._patience = self._late_at = 0.0
        self._end: str | None = None
        transport.set_protocol(self)

    # --- what asyncio calls --------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        """Cut what arrived into replies."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            # Behind a line that fits nowhere no reply can be matched to its command any more.
            if self._end is None:
                self._line(line)
        if len(self._rest) > MAX_LINE_BYTES or len(self._lines) > MAX_REPLY_LINES:
            self._fail("the server's reply has no end")
        if self._replies:
            self._wake()

    def eof_received(self) -> None:
        """Take the server's end for ours."""
        self._fail("the server closed the connection")

    def connection_lost(self, exc: Exception | None) -> None:
        """Remember how it ended."""
        self._fail(f"the connection was lost ({exc})" if exc else "the server closed the connection")

    # --- what a lane calls ---------------------------------------------------------------------

    @property
    def is_usable(self) -> bool:
        """Whether the next message may go here."""
        return self.has_no_envelope and self.is_in_sync()

    def is_in_sync(self) -> bool:
        """Whether the connection is open and the server has said nothing that was not read yet.

        Asked when no reply is awaited: then whatever is unread was not asked for, and the replies to the next
        commands could not be told from it.
        """
        return self.is_open() and not (self._replies or self._lines or self._rest)

    def is_open(self) -> bool:
        """Whether there is a line to write to."""
        return self._end is None and not self._transport.is_closing()

    @property
    def idle_for(self) -> float:
        """Seconds since the last reply."""
        return self._loop.time() - self.used_at

    @property
    def age(self) -> float:
        """Seconds since the connection was opened."""
        return self._loop.time() - self.opened_at

    def write(self, *parts: bytes) -> None:
        """Send the parts as one flight; raises LineLost when there is no line."""
        if not self.is_open():
            raise ConnectionLost(self._end or "the connection was closed")
        self._transport.writelines(parts)

    def received_reply(self) -> SmtpReply | None:
        """Return the next reply if it is here already."""
        return self._replies.popleft() if self._replies else None

    def consume_envelope_replies(self) -> bool:
        """Take the replies to a whole envelope, if they are here already and say yes, yes and go on."""
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
        """Return the next reply; raises LineLost when the line ends first or nothing comes in time."""
        if not self._replies:
            if self._end is not None:
                raise ConnectionLost(self._end)
            self._waiter = self._loop.create_future()
            self._allow(timeout)
            try:
                await self._waiter
            finally:
                self._waiter = None
            if not self._replies:
                raise ConnectionLost(self._end or "the connection was closed")
            self.used_at = self._loop.time()
        return self._replies.popleft()

    def abort(self, reason: str = "we gave the connection up") -> None:
        """Drop the connection at once, with whatever was not sent."""
        self._end = self._end or reason
        self._replies.clear()
        if not self._transport.is_closing():
            self._transport.abort()

    async def quit(self, timeout: float) -> None:  # noqa: ASYNC109 - as above
        """Close the connection: by QUIT, within `timeout` seconds, if the server expects a command."""
        try:
            if self.is_usable:
                self.write(b"QUIT\r\n")
                await self.read_reply(timeout)
                self._transport.close()
        except ConnectionLost:
            pass
        finally:
            self.abort("we took leave")

    # --- inside --------------------------------------------------------------------------------

    def _line(self, line: bytes) -> None:
        reply, is_last = _read(line)
        if reply is None:
            self._fail("the server answered with something that is no SMTP reply")
        elif not is_last:
            self._lines.append(reply.text)
        elif self._lines:
            self._replies.append(SmtpReply(reply.code, "\n".join([*self._lines, reply.text])))
            self._lines.clear()
        else:
            self._replies.append(reply)

    def _allow(self, seconds: float) -> None:
        """Give the server so long to answer. One timer waits for answer after answer: most come in time."""
        self._patience, self._late_at = seconds, self._loop.time() + seconds
        if self._timer is not None and self._late_at < self._timer.when():
            self._timer.cancel()
            self._timer = None
        if self._timer is None:
            self._timer = self._loop.call_at(self._late_at, self._look_at_the_clock)

    def _look_at_the_clock(self) -> None:
        self._timer = None
        if self._waiter is None:
            return
        if self._loop.time() >= self._late_at:
            self._fail(f"no answer within {self._patience:g} seconds")
        else:
            self._timer = self._loop.call_at(self._late_at, self._look_at_the_clock)

    def _fail(self, reason: str) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._end is None:
            self._end = reason
            self._transport.abort()
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


@lru_cache(maxsize=256)  # a server says the same few lines for each message
def _read(line: bytes) -> tuple[SmtpReply | None, bool]:
    """Return what a line of a reply says, None if it is none, and whether the reply ends with it."""
    code, mark = line[:3], line[3:4]
    if len(line) > MAX_LINE_BYTES or not code.isdigit() or mark not in _MARKS:
        return None, True
    return SmtpReply(int(code), line[4:].rstrip(b"\r").decode("utf-8", "replace")), mark != b"-"


class EnvelopeCommands(NamedTuple):
    """The commands that go before a message's content."""

    mail: bytes
    rcpt: bytes


def envelope_commands(message: Message, extensions: SmtpExtensions) -> EnvelopeCommands | Refused:
    """Return the message's envelope, or why this server cannot be given it."""
    if not (_WIRE.fullmatch(message.sender) and _WIRE.fullmatch(message.recipient) and message.recipient):
        return Refused("an address in the envelope is not valid", RefusalCause.MESSAGE)
    size = message.size
    if extensions.max_size_bytes and size > extensions.max_size_bytes:
        sizes = (
            f"the message has {size} bytes, the mail server takes {extensions.max_size_bytes} at most (SIZE)"
        )
        return Refused(sizes, RefusalCause.SIZE)
    mail = f"MAIL FROM:<{message.sender}>"
    if extensions.announces_size:
        mail += f" SIZE={size}"
    if not (message.recipient.isascii() and message.sender.isascii()):
        if not extensions.smtputf8:
            return Refused("the server cannot take addresses beyond ASCII (SMTPUTF8)", RefusalCause.MESSAGE)
        mail += " BODY=8BITMIME SMTPUTF8"
    return EnvelopeCommands(f"{mail}\r\n".encode(), f"RCPT TO:<{message.recipient}>\r\n".encode())
