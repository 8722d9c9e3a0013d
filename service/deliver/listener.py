"""Listener (EDGE the network): takes bounces by LMTP or SMTP straight from a mail server: RFC 2033, RFC 5321.

For a mail server that delivers a domain or mailbox to us, on this machine or in a private network. It speaks
as much as such a server needs, takes mail for our own return paths alone, and answers 250 only when what the
letter means is recorded.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

from service.core.errors import CaveatError
from service.deliver.letters import MOST_BYTES

LONGEST_LINE = 65_536
SILENCE = 300.0
MOST_AT_ONCE = 50
MOST_RECIPIENTS = 100
_PATH = re.compile(r"(?i)^(?:MAIL FROM|RCPT TO):\s*<([^<>]*)>")

Handle = Callable[[bytes, Sequence[str]], Awaitable[object]]
"""Deals with a letter and whom it was delivered to; raises CaveatError when it must come again."""

log = logging.getLogger("deliver")


class Listener:
    """Listens on `host`:`port` (0: any free one). `ours` tells whether an address is ours to take for."""

    def __init__(self, host: str, port: int, handle: Handle, ours: Callable[[str], bool]) -> None:
        self._host, self.port = host, port
        self._handle, self._ours = handle, ours
        self._server: asyncio.Server | None = None
        self._talks: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Begin to listen; raises CaveatError when the address is taken."""
        try:
            self._server = await asyncio.start_server(self._serve, self._host, self.port, limit=LONGEST_LINE)
        except OSError as error:
            raise CaveatError(
                f"bounces cannot be taken on {self._host}:{self.port}: {error.strerror}"
            ) from error
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Stop listening, and let the letters that are being recorded be so."""
        if self._server is not None:
            self._server.close()
        for talk in self._talks:
            talk.cancel()
        await asyncio.gather(*self._talks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None or len(self._talks) >= MOST_AT_ONCE:
            writer.write(b"421 4.3.2 too many connections\r\n")
            writer.close()
            return
        self._talks.add(task)
        try:
            await _Talk(reader, writer, self._handle, self._ours).run()
        except (OSError, ValueError, TimeoutError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # a line that broke, or was endless: the other side comes again
        finally:
            self._talks.discard(task)
            with suppress(OSError):
                writer.close()


class _Talk:
    """One connection."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        handle: Handle,
        ours: Callable[[str], bool],
    ) -> None:
        self._reader, self._writer, self._handle, self._ours = reader, writer, handle, ours
        self._lmtp = False
        self._sender: str | None = None
        self._recipients: list[str] = []

    async def run(self) -> None:
        """Talk until the other side takes leave."""
        await self._say("220 caveat takes bounces")
        while line := await self._line():
            text = line.decode("utf-8", "replace").strip()
            verb = text[:4].upper()
            if verb == "QUIT":
                await self._say("221 2.0.0 bye")
                return
            await self._answer(verb, text)

    async def _answer(self, verb: str, text: str) -> None:
        path = _PATH.match(text)
        if verb in ("LHLO", "EHLO", "HELO"):
            self._lmtp, self._sender, self._recipients = verb == "LHLO", None, []
            await self._say(
                *(["caveat", "PIPELINING", f"SIZE {MOST_BYTES}"] if verb != "HELO" else ["caveat"])
            )
        elif verb == "MAIL" and path:
            self._sender, self._recipients = path[1], []
            await self._say("250 2.1.0 fine")
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

    def _recipient(self, address: str) -> str:
        if self._sender is None:
            return "503 5.5.1 MAIL comes first"
        if not self._ours(address):
            return "550 5.1.1 no return path of ours"
        if len(self._recipients) >= MOST_RECIPIENTS:
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
        for _ in recipients if self._lmtp else recipients[:1]:
            await self._say(answer)

    async def _recorded(self, content: bytes | None, recipients: list[str]) -> str:
        if content is None:
            return "552 5.3.4 the letter is too large"
        try:
            # Not to be cut off by a stop: what was recorded must be answered, or it comes again.
            await asyncio.shield(asyncio.ensure_future(self._handle(content, recipients)))
        except CaveatError as error:
            log.warning("a letter could not be recorded, it will come again: %s", error)
            return "451 4.3.0 not now"
        return "250 2.0.0 recorded"

    async def _content(self) -> bytes | None:
        """Return the letter; None for one that is too large, which is read to its end and thrown away."""
        content = bytearray()
        while (line := await self._line()) != b".\r\n":
            if not line:
                raise asyncio.IncompleteReadError(b"", None)
            if len(content) <= MOST_BYTES:
                content += line[1:] if line.startswith(b".") else line
        return bytes(content) if len(content) <= MOST_BYTES else None

    async def _line(self) -> bytes:
        async with asyncio.timeout(SILENCE):
            return await self._reader.readline()

    async def _say(self, *lines: str) -> None:
        if len(lines) == 1 and lines[0][:3].isdigit():
            answer = f"{lines[0]}\r\n"
        else:
            answer = "".join(f"250-{line}\r\n" for line in lines[:-1]) + f"250 {lines[-1]}\r\n"
        self._writer.write(answer.encode())
        async with asyncio.timeout(SILENCE):
            await self._writer.drain()
