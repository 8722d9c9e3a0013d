"""A mail server that misbehaves by script: it performs an action at the n-th use of a command.

    async with MailServer(script={"RCPT": {2: Reply("550 5.1.1 no such user")}}) as server:
        ...
        assert server.taken == [...]

`taken` holds the messages that it accepted; tests compare deliver's records with it.
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
"""The turn that stands for every turn."""


@dataclass(frozen=True)
class Reply:
    """Send this reply instead of the usual one; a message with a 2xx reply is accepted."""

    text: str


@dataclass(frozen=True)
class Raw:
    """Send these bytes as they are, then close the connection if `close`."""

    data: bytes
    close: bool = False


@dataclass(frozen=True)
class Close:
    """Close the connection instead of replying; with `taking`, accept the message first."""

    taking: bool = False


@dataclass(frozen=True)
class Reset:
    """Reset the connection (RST) instead of replying; with `taking`, accept the message first."""

    taking: bool = False


@dataclass(frozen=True)
class Hang:
    """Never reply."""


@dataclass(frozen=True)
class Wait:
    """Reply as usual when `event` is set; the server sets `reached` when it waits."""

    event: asyncio.Event
    reached: asyncio.Event = field(default_factory=asyncio.Event)


Action = Reply | Raw | Close | Reset | Hang | Wait
Script = Mapping[str, Mapping[int, Action]]

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
    """A message that the server accepted."""

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
    """The connection has ended."""


class MailServer:
    """Listens on a free loopback port. `script` maps a command to actions by turn (0: every turn).

    With `tls` it encrypts: after STARTTLS if that is among the extensions, else from the first byte.
    `lenient`: it replies 354 to DATA although it refused the only recipient, as RFC 2920 allows.
    `forgetful`: it clears the envelope once the content has arrived; otherwise it keeps the envelope when it
    refuses the content, and replies 503 to the next MAIL, as to any nested MAIL.

    `per_address` are actions for the message of one address, each performed once. The address is the
    envelope sender for MAIL, else the recipient.
    """

    def __init__(
        self,
        script: Script | None = None,
        *,
        extensions: tuple[str, ...] = ("PIPELINING", "8BITMIME"),
        lenient: bool = False,
        forgetful: bool = True,
        per_address: Mapping[str, Mapping[str, Action]] | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.script = {name: dict(actions) for name, actions in (script or {}).items()}
        self.extensions = extensions
        self.lenient, self.forgetful = lenient, forgetful
        self.per_address = {name: dict(actions) for name, actions in (per_address or {}).items()}
        self.tls = tls
        self.taken: list[Taken] = []
        self.commands: list[str] = []
        self.turns: Counter[str] = Counter()
        self.connections = 0
        self.flights = 0
        self.contents_without_recipient: list[bytes] = []
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
        """The delivery ids of the accepted messages, in order."""
        return [taken.id for taken in self.taken]

    async def send_unrequested(self, data: bytes) -> None:
        """Send these bytes on every open connection."""
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
            await _Session(self, reader, writer, self.connections).run()
        except (Ended, ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._tasks.discard(task)
            self._writers.discard(writer)
            writer.close()
            with suppress(Exception):
                await writer.wait_closed()


class _Session:
    def __init__(
        self, server: MailServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int
    ) -> None:
        self.server, self.reader, self.writer, self.number = server, reader, writer, number
        self.forget()

    def forget(self) -> None:
        self.sender: str | None = None
        self.recipients: tuple[str, ...] = ()

    async def run(self) -> None:
        await self.perform_turn(GREETING)
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
            if await self.perform_turn(verb):
                self.forget()
            if verb == "QUIT":
                raise Ended
        elif verb == "STARTTLS" and self.server.tls:
            await self.perform_turn(verb)
            await self.writer.start_tls(self.server.tls)
        else:
            await self.reply("500 5.5.2 what?")

    async def ehlo(self, _text: str) -> None:
        lines = ["mail.example", *self.server.extensions]
        usual = "\r\n".join(f"250-{line}" for line in lines[:-1]) + f"\r\n250 {lines[-1]}"
        await self.perform_turn("EHLO", usual)

    async def mail(self, text: str) -> None:
        if self.sender is not None:
            await self.reply("503 5.5.1 Error: nested MAIL command")
        elif await self.perform_turn("MAIL", person=_path(text)):
            self.sender = _path(text)

    async def rcpt(self, text: str) -> None:
        if self.sender is None:
            await self.reply("503 5.5.1 Error: need MAIL command")
        elif await self.perform_turn("RCPT", person=_path(text)):
            self.recipients += (_path(text),)

    async def data(self, _text: str) -> None:
        if not self.recipients and not self.server.lenient:
            await self.reply("503 5.5.1 Error: need RCPT command")
        elif await self.perform_turn("DATA", person=self.recipients[-1] if self.recipients else ""):
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
            self.server.contents_without_recipient.append(bytes(data))
            await self.reply("554 5.5.1 no valid recipients")
            return
        taken = Taken(self.sender or "", self.recipients, bytes(data), self.number)
        if self.server.forgetful:
            self.forget()
        if await self.perform_turn(DOT, person=taken.recipients[-1], taken=taken):
            self.forget()

    async def perform_turn(
        self, name: str, usual: str = "", person: str = "", taken: Taken | None = None
    ) -> bool:
        """Perform the action of this turn, or send the usual reply; return whether it was positive."""
        turn = self.server.turns[name] = self.server.turns[name] + 1
        actions = self.server.script.get(name, {})
        once = self.server.per_address.get(person, {}).pop(name, None)
        match once or actions.get(turn, actions.get(ANY)):
            case None:
                text = usual or USUAL[name]
            case Reply(text):
                pass
            case Wait(event, reached):
                reached.set()
                await event.wait()
                text = usual or USUAL[name]
            case action:
                if isinstance(action, Close | Reset) and action.taking and taken is not None:
                    self.server.taken.append(taken)
                await self.perform(action)
                return False
        if taken is not None and text[0] == "2":
            self.server.taken.append(taken)  # accepted before the reply is sent
        await self.reply(text)
        return text[0] in "23"

    async def perform(self, action: Raw | Close | Reset | Hang) -> None:
        match action:
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

    async def reply(self, text: str) -> None:
        self.writer.write(text.encode() + b"\r\n")
        await self.writer.drain()
        if text.startswith("421"):
            raise Ended


def _path(text: str) -> str:
    found = re.search(r"<([^>]*)>", text)
    return found[1] if found else ""
