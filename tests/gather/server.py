"""An HTTP server on loopback whose responses and errors are scripted by the test."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import sys
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial

import brotli

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

PHRASES = {
    200: "OK",
    301: "Moved Permanently",
    302: "Found",
    304: "Not Modified",
    404: "Not Found",
    410: "Gone",
}

PACKED: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": partial(brotli.compress, quality=4),
    "zstd": zstd.compress,
}
"""The encoder of each content coding."""


@dataclass
class Request:
    path: str
    headers: dict[str, str]


@dataclass
class Wire:
    """The raw connection, for invalid responses."""

    writer: asyncio.StreamWriter

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        with contextlib.suppress(ConnectionError):
            await self.writer.drain()

    def reset(self) -> None:
        self.writer.transport.abort()


Handler = Callable[[Request, Wire], Awaitable[None]]


def reply(body: bytes | str = b"", status: int = 200, **headers: str) -> Handler:
    """Return a handler with a valid response. `content_type="text/xml"` becomes a Content-Type header."""
    content = body.encode() if isinstance(body, str) else body
    lines = {name.replace("_", "-").title(): value for name, value in headers.items()}

    async def handle(request: Request, wire: Wire) -> None:
        etag = lines.get("Etag")
        if etag and request.headers.get("if-none-match") == etag:
            await wire.send(_head(304, lines) + b"\r\n")
            return
        await wire.send(_head(status, {"Content-Length": str(len(content)), **lines}) + b"\r\n" + content)

    return handle


def raw(data: bytes) -> Handler:
    """Return a handler that sends these bytes and closes the connection."""

    async def handle(_request: Request, wire: Wire) -> None:
        await wire.send(data)
        wire.writer.close()

    return handle


def silent() -> Handler:
    """Return a handler that never responds."""

    async def handle(_request: Request, wire: Wire) -> None:
        await wire.writer.wait_closed()

    return handle


def reset() -> Handler:
    """Return a handler that resets the connection."""

    async def handle(_request: Request, wire: Wire) -> None:
        wire.reset()

    return handle


def _head(status: int, headers: dict[str, str]) -> bytes:
    lines = [
        f"HTTP/1.1 {status} {PHRASES.get(status, 'Whatever')}",
        *(f"{k}: {v}" for k, v in headers.items()),
    ]
    return "".join(f"{line}\r\n" for line in lines).encode("latin-1")


@dataclass
class Server:
    """Responds by path; `asked` are the requests received."""

    port: int = 0
    routes: dict[str, Handler] = field(default_factory=dict)
    asked: list[Request] = field(default_factory=list)

    def url(self, path: str = "/feed") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def paths(self) -> list[str]:
        return [request.path for request in self.asked]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            while not writer.is_closing():
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
                pairs = (line.partition(":") for line in head[1:] if line)
                request = Request(head[0].split(" ")[1], {k.lower(): v.strip() for k, _, v in pairs})
                self.asked.append(request)
                handler = self.routes.get(request.path, reply("nothing here", 404))
                await handler(request, Wire(writer))
        writer.close()


@contextlib.asynccontextmanager
async def serving() -> AsyncIterator[Server]:
    """Run a scripted server on a free port of 127.0.0.1."""
    server = Server()
    tasks: set[asyncio.Task[None]] = set()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await server._serve(reader, writer)
        except asyncio.CancelledError:
            writer.transport.abort()
        finally:
            tasks.discard(task)

    listener = await asyncio.start_server(accept, "127.0.0.1", 0, limit=1 << 20)
    server.port = listener.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listener.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
