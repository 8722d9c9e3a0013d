"""A mail server that misbehaves by script: at any command, the n-th time, it does what the test wants.

    async with MailServer(script={"RCPT": {2: Reply("550 5.1.1 no such user")}}) as server:
        ...
        assert server.taken == [...]

What it took responsibility for is in `taken`: the log that deliver is scored against.
"""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
import struct
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Self

GREETING, DOT = "GREETING", "DOT"
ANY = 0
"""The turn that means: every time."""


@dataclass(frozen=True)
class Reply:
    """Say this instead of the usual; a message that is answered with 2xx counts as taken."""

    text: str


@dataclass(frozen=True)
class Raw:
    """Send these bytes as they are, then close if told to."""

    data: bytes
    close: bool = False


@dataclass(frozen=True)
class Close:
    """Close the connection instead of answering; `taking` takes the message first."""

    taking: bool = False


@dataclass(frozen=True)
class Reset:
    """Reset the connection (RST) instead of answering; `taking` takes the message first."""

    taking: bool = False


@dataclass(frozen=True)
class Hang:
    """Say nothing, for ever."""


@dataclass(frozen=True)
class Wait:
    """Answer as usual when the event is set; `reached` is set when the server has come here."""

    event: asyncio.Event
    reached: asyncio.Event = field(default_factory=asyncio.Event)


Deed = Reply | Raw | Close | Reset | Hang | Wait
Script = Mapping[str, Mapping[int, Deed]]

USUAL = {
    GREETING: "220 mail.example ESMTP",
    "HELO": "250 mail.example",
    "MAIL": "250 2.1.0 fine",
    "RCPT": "250 2.1.5 fine",
    "DATA": "354 go ahead",
    DOT: "250 2.0.0 taken",
    "RSET": "250 2.0.0 forgotten",
    "NOOP": "250 2.0.0 fine",
    "QUIT": "221 2.0.0 bye",
    "STARTTLS": "220 2.0.0 go ahead",
    "AUTH": "235 2.7.0 welcome",
}


@dataclass
class Taken:
    """A message that the server took responsibility for."""

    sender: str
    recipients: tuple[str, ...]
    content: bytes
    connection: int

    @property
    def recipient(self) -> str:
        """The only recipient; all of them, comma-separated, when there are more."""
        return ", ".join(self.recipients)

    @property
    def id(self) -> str:
        found = re.search(rb"(?im)^Message-ID: <([^@>]+)", self.content)
        return found[1].decode() if found else ""


class Ended(Exception):
    """The connection is over."""


class MailServer:
    """Listens on a free port of loopback. `script` maps a command to deeds by the turn (0: every turn).

    With `tls` it encrypts: after STARTTLS where that is among the extensions, else from the first byte on.
    A `lenient` one says 354 to DATA although it refused the only recipient, as RFC 2920 allows. A `forgetful`
    one forgets the envelope as soon as the content is there; without that it keeps the envelope when it
    refuses the content, and answers the next MAIL by 503, as it does to any nested MAIL.

    `per_address` are deeds for one person's message, each done once: by the envelope sender for MAIL, else by
    the recipient.
    """

    def __init__(
        self,
        script: Script | None = None,
        *,
        extensions: tuple[str, ...] = ("PIPELINING", "8BITMIME"),
        lenient: bool = False,
        forgetful: bool = True,
        per_address: Mapping[str, Mapping[str, Deed]] | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.script = {name: dict(deeds) for name, deeds in (script or {}).items()}
        self.extensions = extensions
        self.lenient, self.forgetful = lenient, forgetful
        self.per_address = {name: dict(deeds) for name, deeds in (per_address or {}).items()}
        self.tls = tls
        self.taken: list[Taken] = []
        self.commands: list[str] = []
        self.turns: Counter[str] = Counter()
        self.connections = 0
        self.flights = 0
        self.contents_for_nobody: list[bytes] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()
        self.port = 0

    async def __aenter__(self) -> Self:
        tls = None if "STARTTLS" in self.extensions else self.tls
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def ids(self) -> list[str]:
        """The delivery ids of what was taken, in order."""
        return [taken.id for taken in self.taken]

    async def say_unasked(self, data: bytes) -> None:
        """Send these bytes over every connection that is open."""
        for writer in self._writers:
            writer.write(data)
            await writer.drain()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._writers.add(writer)
        self.connections += 1
        try:
            await _Talk(self, reader, writer, self.connections).run()
        except (Ended, ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._tasks.discard(task)
            self._writers.discard(writer)
            writer.close()
            with suppress(Exception):
                await writer.wait_closed()


class _Talk:
    def __init__(
        self, server: MailServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int
    ) -> None:
        self.server, self.reader, self.writer, self.number = server, reader, writer, number
        self.forget()

    def forget(self) -> None:
        self.sender: str | None = None
        self.recipients: tuple[str, ...] = ()

    async def run(self) -> None:
        await self.answer(GREETING)
        while line := await self.reader.readline():
            self.server.flights += not self.reader._buffer  # type: ignore[attr-defined]
            text = line.decode("utf-8", "replace").rstrip("\r\n")
            verb = text.split(" ")[0].split(":")[0].upper()
            self.server.commands.append(text)
            await self.command(verb, text)

    async def command(self, verb: str, text: str) -> None:
        steps = {"EHLO": self.ehlo, "MAIL": self.mail, "RCPT": self.rcpt, "DATA": self.data}
        if verb in steps:
            await steps[verb](text)
        elif verb in {"RSET", "HELO", "NOOP", "AUTH", "QUIT"}:
            if await self.answer(verb):
                self.forget()
            if verb == "QUIT":
                raise Ended
        elif verb == "STARTTLS" and self.server.tls:
            await self.answer(verb)
            await self.writer.start_tls(self.server.tls)
        else:
            await self.say("500 5.5.2 what?")

    async def ehlo(self, _text: str) -> None:
        lines = ["mail.example", *self.server.extensions]
        usual = "\r\n".join(f"250-{line}" for line in lines[:-1]) + f"\r\n250 {lines[-1]}"
        await self.answer("EHLO", usual)

    async def mail(self, text: str) -> None:
        if self.sender is not None:
            await self.say("503 5.5.1 Error: nested MAIL command")
        elif await self.answer("MAIL", person=_path(text)):
            self.sender = _path(text)

    async def rcpt(self, text: str) -> None:
        if self.sender is None:
            await self.say("503 5.5.1 Error: need MAIL command")
        elif await self.answer("RCPT", person=_path(text)):
            self.recipients += (_path(text),)

    async def data(self, _text: str) -> None:
        if not self.recipients and not self.server.lenient:
            await self.say("503 5.5.1 Error: need RCPT command")
        elif await self.answer("DATA", person=self.recipients[-1] if self.recipients else ""):
            await self.content()

    async def content(self) -> None:
        data = bytearray()
        while True:
            line = await self.reader.readline()
            if not line:
                raise Ended
            if line == b".\r\n":
                break
            data += line[1:] if line.startswith(b".") else line
        if not self.recipients:
            self.server.contents_for_nobody.append(bytes(data))
            await self.say("554 5.5.1 no valid recipients")
            return
        taken = Taken(self.sender or "", self.recipients, bytes(data), self.number)
        if self.server.forgetful:
            self.forget()
        if await self.answer(DOT, person=taken.recipients[-1], taken=taken):
            self.forget()

    async def answer(self, name: str, usual: str = "", person: str = "", taken: Taken | None = None) -> bool:
        """Do what the script says for this turn, or say the usual; return whether it was a yes."""
        turn = self.server.turns[name] = self.server.turns[name] + 1
        deeds = self.server.script.get(name, {})
        once = self.server.per_address.get(person, {}).pop(name, None)
        match once or deeds.get(turn, deeds.get(ANY)):
            case None:
                text = usual or USUAL[name]
            case Reply(text):
                pass
            case Wait(event, reached):
                reached.set()
                await event.wait()
                text = usual or USUAL[name]
            case deed:
                if isinstance(deed, Close | Reset) and deed.taking and taken is not None:
                    self.server.taken.append(taken)
                await self.misbehave(deed)
                return False
        if taken is not None and text[0] == "2":
            self.server.taken.append(taken)  # it is ours before the reply leaves
        await self.say(text)
        return text[0] in "23"

    async def misbehave(self, deed: Raw | Close | Reset | Hang) -> None:
        match deed:
            case Raw(data, close):
                self.writer.write(data)
                await self.writer.drain()
                if not close:
                    return
            case Reset():
                sock = self.writer.get_extra_info("socket")
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.writer.transport.abort()
            case Hang():
                await asyncio.Event().wait()
            case Close():
                pass
        raise Ended

    async def say(self, text: str) -> None:
        self.writer.write(text.encode() + b"\r\n")
        await self.writer.drain()
        if text.startswith("421"):
            raise Ended


def _path(text: str) -> str:
    found = re.search(r"<([^>]*)>", text)
    return found[1] if found else ""
