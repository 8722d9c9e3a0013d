"""Requests whose length two servers can read differently: 400, and nothing behind them is read."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from service.runtime.http.http_server import listen, serve
from service.web.request_bodies import read_body

PATIENCE = 20
SECOND = b"POST /smuggled HTTP/1.1\r\nHost: news.example.org\r\nContent-Length: 0\r\n\r\n"
CHUNKS = b"3\r\nabc\r\n0\r\n\r\n"


class Site:
    """A server that counts the requests which reach its application."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.port = 0

    async def take(self, request: Request) -> Response:
        body = await read_body(request)
        self.seen.append(f"{request.url.path} {body.decode()}")
        return PlainTextResponse("taken")

    async def say(self, sent: bytes) -> bytes:
        """Send bytes and return all that comes back until the server closes the connection."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(sent)
        async with asyncio.timeout(PATIENCE):
            answer = await reader.read()
        writer.close()
        return answer


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    found = Site()
    app = Starlette(routes=[Route("/{path}", found.take, methods=["POST"])])
    listener, stopping = listen("127.0.0.1", 0), asyncio.Event()
    found.port = listener.getsockname()[1]
    serving = asyncio.create_task(serve(app, listener, stopping))
    yield found
    stopping.set()
    await serving


def request_with(*headers: str, version: str = "1.1") -> bytes:
    return f"POST /first HTTP/{version}\r\nHost: news.example.org\r\n".encode() + b"".join(
        f"{header}\r\n".encode() for header in headers
    )


@pytest.mark.parametrize(
    "sent",
    [
        request_with("Content-Length: 13", "Transfer-Encoding: chunked") + b"\r\n" + CHUNKS,
        request_with("Transfer-Encoding: chunked", "Content-Length: 0") + b"\r\n" + CHUNKS,
        request_with("TRANSFER-ENCODING: chunked", "content-length: 3") + b"\r\n" + CHUNKS,
        request_with("Transfer-Encoding: chunked", "Connection: keep-alive", version="1.0")
        + b"\r\n"
        + CHUNKS,
        request_with("Content-Length: 3", "Content-Length: 4") + b"\r\nabc",
        request_with("Content-Length: 3, 4") + b"\r\nabc",
        request_with("Content-Length: +3") + b"\r\nabc",
        request_with("Content-Length: -3") + b"\r\n",
        request_with("Transfer-Encoding: identity") + b"\r\nabc",
        request_with("Transfer-Encoding: chunked, chunked") + b"\r\n" + CHUNKS,
    ],
)
async def test_a_request_of_unclear_length_is_refused_and_nothing_behind_it_is_read(site: Site, sent: bytes):
    answer = await site.say(sent + SECOND)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answer.count(b"HTTP/1.1 ") == 1
    assert b"connection: close" in answer.lower()
    assert site.seen == []


@pytest.mark.parametrize(
    "sent",
    [
        request_with("Content-Length: 3", "Connection: close") + b"\r\nabc",
        request_with("Content-Length: 3", "Content-Length: 3", "Connection: close") + b"\r\nabc",
        request_with("Transfer-Encoding: chunked", "Connection: close") + b"\r\n" + CHUNKS,
    ],
)
async def test_a_request_of_one_length_is_taken(site: Site, sent: bytes):
    assert (await site.say(sent)).startswith(b"HTTP/1.1 200 ")
    assert site.seen == ["/first abc"]
