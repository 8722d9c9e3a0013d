"""Listener (EDGE the network): takes bounces by LMTP or SMTP straight from a mail server: RFC 2033, RFC 5321.

For a mail server that delivers a domain or mailbox to us, on this machine or in a private network. It speaks
as much as such a server needs, takes mail for our own return paths alone, and answers 250 only when what the
letter means is recorded. Whatever goes wrong before that is answered 451, or not at all: it comes again.
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
"""Seconds that a client has for its next line, and to read an answer (RFC 5321, 4.5.3.2.7)."""

MAIL_SECONDS = 600.0
"""Seconds in which a client must hand in a whole letter (RFC 5321, 4.5.3.2.6), however busily it talks."""

MAX_CONNECTIONS = 50
"""Connections; when there are more, the one that has gone longest without a letter is closed."""

BACKLOG = 16
"""Connections that the system accepts ahead of us; each costs a descriptor."""

MAX_RECIPIENTS = 100
MAX_ERRORS = 20
END, LINE_END = b".\r\n", b"\r\n"
GREETING = "220 caveat takes bounces"
_PATH = re.compile(r"(?i)^(?:MAIL FROM|RCPT TO):\s*<([^<>]*)>(.*)")
_SIZE = re.compile(r"(?i)\bSIZE=(\d{1,20})\b")

EnvelopeHandler = Callable[[bytes, Sequence[str]], Awaitable[bool]]
"""Deals with a letter and whom it was delivered to; raises CaveatError when it must come again.

It returns False for a letter that cannot be read and would not be readable another time."""

log = logging.getLogger("deliver")


class LmtpServer:
    """Listens on `host`:`port` (0: any free one). `ours` tells whether an address is ours to take for.

    Processes of one user on one machine may listen at the same place; the system shares connections out.
    """

    def __init__(self, host: str, port: int, handle: EnvelopeHandler, accepts: Callable[[str], bool]) -> None:
        self._host, self.port = host, port
        self._handle, self._ours = handle, accepts
        self._server: asyncio.Server | None = None
        self._talks: dict[asyncio.Task[None], _Talk] = {}

    @property
    def address(self) -> str:
        """Where it listens, as `127.0.0.1:2525` or `[::1]:2525`."""
        return f"[{self._host}]:{self.port}" if ":" in self._host else f"{self._host}:{self.port}"

    async def start(self) -> None:
        """Begin to listen; raises CaveatError when the address is taken, or cannot be had."""
        shared = True if sys.platform != "win32" else None
        try:
            self._server = await asyncio.start_server(
                self._serve, self._host, self.port, limit=MAX_LINE_BYTES, reuse_port=shared, backlog=BACKLOG
            )
        except OSError as error:
            # asyncio's own words for it say the address once more.
            why = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror or error
            raise CaveatError(
                f"bounces cannot be taken at {self.address}: {why}; choose another address with "
                "mail.bounces.listen"
            ) from error
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Stop listening, and let the letters that are being recorded be so and be answered."""
        if self._server is not None:
            self._server.close()
        for task, talk in self._talks.items():
            talk.leave(task)
        await asyncio.gather(*self._talks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None or (len(self._talks) >= MAX_CONNECTIONS and not self._close_longest_silent()):
            writer.write(b"421 4.3.2 too many connections\r\n")
            _hang_up(writer)
            return
        self._talks[task] = talk = _Talk(reader, writer, self._handle, self._ours)
        try:
            await talk.run()
        except (OSError, ValueError, TimeoutError, asyncio.IncompleteReadError):
            pass  # a line that broke, or was endless: the other side comes again
        except asyncio.CancelledError:
            writer.write(b"421 4.3.2 we close\r\n")
        finally:
            del self._talks[task]
            _hang_up(writer)

    def _close_longest_silent(self) -> bool:
        """Close the connection that has gone longest without a letter; False when all are being answered."""
        silent = [
            (talk.letter_by, number) for number, talk in enumerate(self._talks.values()) if talk.listening
        ]
        if not silent:
            return False
        task, talk = list(self._talks.items())[min(silent)[1]]
        talk.leave(task)
        talk.listening = False  # nobody picks it once more before the task has noticed
        return True


def _hang_up(writer: asyncio.StreamWriter) -> None:
    """Close the connection, at once if the client does not read what we said."""
    with suppress(OSError):
        if writer.transport.get_write_buffer_size():
            writer.transport.abort()
        writer.close()


class _Talk:
    """One connection."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        handle: EnvelopeHandler,
        ours: Callable[[str], bool],
    ) -> None:
        self._reader, self._writer, self._handle, self._ours = reader, writer, handle, ours
        self._lmtp = self.listening = self._leaving = False
        self.letter_by = asyncio.get_running_loop().time() + MAIL_SECONDS
        self._faults = 0
        self._sender: str | None = None
        self._recipients: list[str] = []

    def leave(self, task: asyncio.Task[None]) -> None:
        """End the talk, which `task` runs, before we listen again; at once if we are listening now."""
        self._leaving = True
        if self.listening:
            task.cancel()

    async def run(self) -> None:
        """Talk until the other side takes leave."""
        await self._say(GREETING)
        while line := await self._heard(self._reader.readline):
            text = line.decode("utf-8", "replace").strip()
            verb = text[:4].upper()
            if verb == "QUIT":
                await self._say("221 2.0.0 bye")
                return
            await self._answer(verb, text)
            if self._faults >= MAX_ERRORS:
                await self._say("421 4.7.0 too many mistakes")
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
            await self._say(*able)
        elif verb == "MAIL" and path:
            await self._say(self._from(path[1], path[2]))
        elif verb == "RCPT" and path:
            await self._say(self._recipient(path[1]))
        elif verb == "DATA":
            await self._data()
        elif verb in ("RSET", "NOOP"):
            if verb == "RSET":
                self._sender, self._recipients = None, []
            await self._say("250 2.0.0 fine")
        else:
            await self._say("500 5.5.2 not understood")

    def _from(self, sender: str, parameters: str) -> str:
        size = _SIZE.search(parameters)
        if size and int(size[1]) > MAX_MAIL_BYTES:
            return "552 5.3.4 the letter is too large"
        self._sender, self._recipients = sender, []
        return "250 2.1.0 fine"

    def _recipient(self, address: str) -> str:
        if self._sender is None:
            return "503 5.5.1 MAIL comes first"
        if not self._ours(address):
            return "550 5.1.1 no return path of ours"
        if len(self._recipients) >= MAX_RECIPIENTS:
            return "452 4.5.3 too many recipients"
        self._recipients.append(address)
        return "250 2.1.5 fine"

    async def _data(self) -> None:
        if not self._recipients:
            await self._say("503 5.5.1 RCPT comes first")
            return
        await self._say("354 go ahead")
        content = await self._content()
        recipients, self._sender, self._recipients = self._recipients, None, []
        answer = await self._recorded(content, recipients)
        self.letter_by = asyncio.get_running_loop().time() + MAIL_SECONDS
        for _ in recipients if self._lmtp else recipients[:1]:
            await self._say(answer)

    async def _recorded(self, content: bytes | None, recipients: list[str]) -> str:
        if content is None:
            return "552 5.3.4 the letter is too large"
        try:
            readable = await self._handle(content, recipients)
        except CaveatError as error:
            log.warning("a letter could not be recorded, it will come again: %s", error)
            return "451 4.3.0 not now"
        except Exception:  # a fault of ours must not cost the letter
            log.exception("a letter could not be recorded, it will come again")
            return "451 4.3.0 not now"
        # Refused for good, so that the mail server names it to its postmaster and does not try for days.
        return "250 2.0.0 recorded" if readable else "554 5.6.0 the letter cannot be read"

    async def _content(self) -> bytes | None:
        """Return the letter; None for one that is too large, which is read to its end and thrown away.

        Only a full stop between two line ends closes it, and only there is one doubled (RFC 5321, 4.5.2).
        """
        content, before = bytearray(), LINE_END
        while (piece := await self._heard(self._piece)) != END or before != LINE_END:
            if len(content) <= MAX_MAIL_BYTES:
                content += piece[1:] if before == LINE_END and piece.startswith(b".") else piece
            before = (before + piece)[-2:]
        return bytes(content) if len(content) <= MAX_MAIL_BYTES else None

    async def _piece(self) -> bytes:
        """Return the next line, or as much of a very long one as we hold at once."""
        try:
            return await self._reader.readuntil(b"\n")
        except asyncio.LimitOverrunError as overrun:
            return await self._reader.readexactly(overrun.consumed)

    async def _heard(self, read: Callable[[], Awaitable[bytes]]) -> bytes:
        """Return what is said to us next; the only place where a talk may be broken off."""
        if self._leaving:
            raise asyncio.CancelledError
        self.listening = True
        try:
            async with asyncio.timeout_at(self.letter_by), asyncio.timeout(IDLE_SECONDS):
                return await read()
        finally:
            self.listening = False

    async def _say(self, *lines: str) -> None:
        if len(lines) == 1 and lines[0][:3].isdigit():
            self._faults += lines[0].startswith("5")
            answer = f"{lines[0]}\r\n"
        else:
            answer = "".join(f"250-{line}\r\n" for line in lines[:-1]) + f"250 {lines[-1]}\r\n"
        self._writer.write(answer.encode())
        async with asyncio.timeout(IDLE_SECONDS):
            await self._writer.drain()
