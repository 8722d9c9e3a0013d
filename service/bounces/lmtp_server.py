"""LMTP server (EDGE network): accepts bounces by LMTP or SMTP from a mail server: RFC 2033, RFC 5321.

For a mail server that delivers a domain or mailbox to us, on this machine or in a private network. The server
accepts mail for our own addresses only, and answers 250 only after the result is recorded. An earlier error
is answered with 451, or by closing the connection, and the mail server retries.
"""

from __future__ import annotations

import asyncio
import logging
import os
import re
import sys
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

from service.bounces.inbound_mail import MAX_MAIL_BYTES
from service.core.errors import CaveatError

MAX_LINE_BYTES = 65_536
IDLE_SECONDS = 300.0
"""Seconds for the client's next line, and for it to read an answer (RFC 5321, 4.5.3.2.7)."""

MAIL_SECONDS = 600.0
"""Seconds in which a client must complete a mail (RFC 5321, 4.5.3.2.6), even if it sends all the time."""

MAX_CONNECTIONS = 50
"""Connections; beyond that, the one that has been without a mail for longest is closed."""

BACKLOG = 16
"""Connections that the kernel accepts before we do; each costs a descriptor."""

MAX_RECIPIENTS = 100
MAX_ERRORS = 20
END, LINE_END = b".\r\n", b"\r\n"
GREETING = "220 caveat takes bounces"
_PATH = re.compile(r"(?i)^(?:MAIL FROM|RCPT TO):\s*<([^<>]*)>(.*)")
_SIZE = re.compile(r"(?i)\bSIZE=(\d{1,20})\b")

EnvelopeHandler = Callable[[bytes, Sequence[str]], Awaitable[bool]]
"""Handles a mail and its recipients; returns False for a mail that is unreadable for good.

Raises CaveatError when the mail server is to retry."""

log = logging.getLogger("deliver")


class LmtpServer:
    """Listens on `host`:`port` (0: any free one). `accepts` decides which recipients are accepted.

    Several processes of one user may listen on the same port; the kernel distributes the connections.
    """

    def __init__(self, host: str, port: int, handle: EnvelopeHandler, accepts: Callable[[str], bool]) -> None:
        self._host, self.port = host, port
        self._handle, self._ours = handle, accepts
        self._server: asyncio.Server | None = None
        self._connections: dict[asyncio.Task[None], _Connection] = {}

    @property
    def address(self) -> str:
        """The address that it listens on, as `127.0.0.1:2525` or `[::1]:2525`."""
        return f"[{self._host}]:{self.port}" if ":" in self._host else f"{self._host}:{self.port}"

    async def start(self) -> None:
        """Start listening. Raises CaveatError when the address is in use or not available."""
        shared = True if sys.platform != "win32" else None
        try:
            self._server = await asyncio.start_server(
                self._serve, self._host, self.port, limit=MAX_LINE_BYTES, reuse_port=shared, backlog=BACKLOG
            )
        except OSError as error:
            # asyncio's own message repeats the address.
            why = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror or error
            raise CaveatError(
                f"bounces cannot be taken at {self.address}: {why}; choose another address with "
                "mail.bounces.listen"
            ) from error
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Stop listening, and finish the mails that are being recorded."""
        if self._server is not None:
            self._server.close()
        for task, connection in self._connections.items():
            connection.leave(task)
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None or (len(self._connections) >= MAX_CONNECTIONS and not self._close_idlest()):
            writer.write(b"421 4.3.2 too many connections\r\n")
            _hang_up(writer)
            return
        self._connections[task] = connection = _Connection(reader, writer, self._handle, self._ours)
        try:
            await connection.run()
        except (OSError, ValueError, TimeoutError, asyncio.IncompleteReadError):
            pass  # the connection broke or a line was endless: the client retries
        except asyncio.CancelledError:
            writer.write(b"421 4.3.2 we close\r\n")
        finally:
            del self._connections[task]
            _hang_up(writer)

    def _close_idlest(self) -> bool:
        """Close the connection without a mail for longest; False when all are being answered."""
        idle = [(task, each) for task, each in self._connections.items() if each.listening]
        if not idle:
            return False
        task, connection = min(idle, key=lambda pair: pair[1].deadline)
        connection.leave(task)
        connection.listening = False  # so it is not picked again before the task ends
        return True


def _hang_up(writer: asyncio.StreamWriter) -> None:
    """Close the connection, at once if the client does not read our answers."""
    with suppress(OSError):
        if writer.transport.get_write_buffer_size():
            writer.transport.abort()
        writer.close()


class _Connection:
    """One connection."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        handle: EnvelopeHandler,
        accepts: Callable[[str], bool],
    ) -> None:
        self._reader, self._writer, self._handle, self._accepts = reader, writer, handle, accepts
        self._lmtp = self.listening = self._leaving = False
        self.deadline = asyncio.get_running_loop().time() + MAIL_SECONDS
        self._faults = 0
        self._sender: str | None = None
        self._recipients: list[str] = []

    def leave(self, task: asyncio.Task[None]) -> None:
        """End the connection, which `task` runs, before the next read; at once during a read."""
        self._leaving = True
        if self.listening:
            task.cancel()

    async def run(self) -> None:
        """Answer commands until the client quits."""
        await self._answer_with(GREETING)
        while line := await self._read(self._reader.readline):
            text = line.decode("utf-8", "replace").strip()
            verb = text[:4].upper()
            if verb == "QUIT":
                await self._answer_with("221 2.0.0 bye")
                return
            await self._answer(verb, text)
            if self._faults >= MAX_ERRORS:
                await self._answer_with("421 4.7.0 too many mistakes")
                return

    async def _answer(self, verb: str, text: str) -> None:
        path = _PATH.match(text)
        if verb in ("LHLO", "EHLO", "HELO"):
            self._lmtp, self._sender, self._recipients = verb == "LHLO", None, []
            able = (
                ["caveat"]
                if verb == "HELO"
                else ["caveat", "PIPELINING", f"SIZE {MAX_MAIL_BYTES}", "8BITMIME"]
            )
            await self._answer_with(*able)
        elif verb == "MAIL" and path:
            await self._answer_with(self._from(path[1], path[2]))
        elif verb == "RCPT" and path:
            await self._answer_with(self._recipient(path[1]))
        elif verb == "DATA":
            await self._data()
        elif verb in ("RSET", "NOOP"):
            if verb == "RSET":
                self._sender, self._recipients = None, []
            await self._answer_with("250 2.0.0 fine")
        else:
            await self._answer_with("500 5.5.2 not understood")

    def _from(self, sender: str, parameters: str) -> str:
        size = _SIZE.search(parameters)
        if size and int(size[1]) > MAX_MAIL_BYTES:
            return "552 5.3.4 the mail is too large"
        self._sender, self._recipients = sender, []
        return "250 2.1.0 fine"

    def _recipient(self, address: str) -> str:
        if self._sender is None:
            return "503 5.5.1 MAIL comes first"
        if not self._accepts(address):
            return "550 5.1.1 no return path of ours"
        if len(self._recipients) >= MAX_RECIPIENTS:
            return "452 4.5.3 too many recipients"
        self._recipients.append(address)
        return "250 2.1.5 fine"

    async def _data(self) -> None:
        if not self._recipients:
            await self._answer_with("503 5.5.1 RCPT comes first")
            return
        await self._answer_with("354 go ahead")
        content = await self._content()
        recipients, self._sender, self._recipients = self._recipients, None, []
        answer = await self._recorded(content, recipients)
        self.deadline = asyncio.get_running_loop().time() + MAIL_SECONDS
        for _ in recipients if self._lmtp else recipients[:1]:
            await self._answer_with(answer)

    async def _recorded(self, content: bytes | None, recipients: list[str]) -> str:
        if content is None:
            return "552 5.3.4 the mail is too large"
        try:
            readable = await self._handle(content, recipients)
        except CaveatError as error:
            log.warning("inbound_mail_not_recorded", extra={"reason": str(error)})
            return "451 4.3.0 not now"
        except Exception:  # a bug of ours must not lose the mail
            log.exception("inbound_mail_not_recorded")
            return "451 4.3.0 not now"
        # A permanent refusal: the mail server reports it to its postmaster instead of retrying for days.
        return "250 2.0.0 recorded" if readable else "554 5.6.0 the mail cannot be read"

    async def _content(self) -> bytes | None:
        """Return the mail; None for one that is too large, which is read to its end and discarded.

        Only a dot between two CRLF ends it; only a dot after CRLF is doubled (RFC 5321, 4.5.2).
        """
        content, before = bytearray(), LINE_END
        while (piece := await self._read(self._piece)) != END or before != LINE_END:
            if len(content) <= MAX_MAIL_BYTES:
                content += piece[1:] if before == LINE_END and piece.startswith(b".") else piece
            before = (before + piece)[-2:]
        return bytes(content) if len(content) <= MAX_MAIL_BYTES else None

    async def _piece(self) -> bytes:
        """Return the next line, or the first `MAX_LINE_BYTES` of a longer one."""
        try:
            return await self._reader.readuntil(b"\n")
        except asyncio.LimitOverrunError as overrun:
            return await self._reader.readexactly(overrun.consumed)

    async def _read(self, read: Callable[[], Awaitable[bytes]]) -> bytes:
        """Return what the client sends next; the only place where a connection may be ended."""
        if self._leaving:
            raise asyncio.CancelledError
        self.listening = True
        try:
            async with asyncio.timeout_at(self.deadline), asyncio.timeout(IDLE_SECONDS):
                return await read()
        finally:
            self.listening = False

    async def _answer_with(self, *lines: str) -> None:
        if len(lines) == 1 and lines[0][:3].isdigit():
            self._faults += lines[0].startswith("5")
            answer = f"{lines[0]}\r\n"
        else:
            answer = "".join(f"250-{line}\r\n" for line in lines[:-1]) + f"250 {lines[-1]}\r\n"
        self._writer.write(answer.encode())
        async with asyncio.timeout(IDLE_SECONDS):
            await self._writer.drain()
