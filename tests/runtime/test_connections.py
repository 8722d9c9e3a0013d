"""Half-open and slow HTTP clients over real sockets: they are disconnected and block no other client."""

from __future__ import annotations

import asyncio
import resource
import socket
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from service.runtime import service
from service.runtime.descriptors import (
    HIGHEST_LIMIT,
    MAX_WEB_CONNECTIONS,
    MIN_WEB_CONNECTIONS,
    RESERVED_DESCRIPTORS,
    pipeline_needs,
    raise_descriptor_limit,
    share_descriptors,
)
from service.runtime.http import connections
from service.runtime.http.connections import ConnectionLimits, OpenConnections
from service.runtime.http.http_server import listen, serve
from service.settings.load import load_config
from service.web.client_ip import ClientAddresses
from service.web.request_bodies import read_body
from tests.end_to_end.installation import (
    Clock,
    free_port,
    running,
    smtp_server,
    sweep_until_idle,
    write_config,
)
from tests.end_to_end.news_site import news_site, published_articles

LONG, SHORT = 60.0, 0.05
HEAD = b"GET / HTTP/1.1\r\nHost: news.example.org\r\n"
PATIENCE = 20
MANY, FEW = 1_100, 700
EVENING = datetime(2026, 10, 20, 18, tzinfo=UTC)


async def greet(_request: Request) -> Response:
    return PlainTextResponse("hello")


async def large(_request: Request) -> Response:
    return PlainTextResponse("x" * 32_000_000)


async def take(request: Request) -> Response:
    return PlainTextResponse(str(len(await read_body(request))))


APP = Starlette(
    routes=[Route("/", greet), Route("/", take, methods=["POST"]), Route("/large", large)],
)


@dataclass
class Site:
    """A server with limits, and clients of it."""

    port: int
    open: list[OpenConnections]
    clients: ExitStack

    def client(self, sent: bytes = b"", source: str = "127.0.0.1") -> socket.socket:
        """Connect from an address of this machine, say something, and leave it at that."""
        connected = socket.create_connection(("127.0.0.1", self.port), PATIENCE, source_address=(source, 0))
        self.clients.enter_context(connected)
        connected.sendall(sent)
        return connected

    async def is_cut_off(self, client: socket.socket) -> bool:
        """Wait until the server hangs up, and say that it did."""
        client.settimeout(0)
        async with asyncio.timeout(PATIENCE):
            try:
                while await asyncio.get_running_loop().sock_recv(client, 65_536):
                    pass
            except ConnectionResetError:
                pass
        return True

    async def get(self) -> int:
        return await status(f"http://127.0.0.1:{self.port}/")


@pytest.fixture
async def site(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Site]:
    """Serve within the limits that the test names."""
    made: list[OpenConnections] = []

    class Watched(OpenConnections):
        def __init__(self, *arguments: object) -> None:
            super().__init__(*arguments)  # type: ignore[arg-type]
            made.append(self)

    monkeypatch.setattr(connections, "OpenConnections", Watched)
    listener, stopping = listen("127.0.0.1", 0), asyncio.Event()
    serving = asyncio.create_task(serve(APP, listener, stopping, limits=request.param))
    with ExitStack() as clients:
        yield Site(listener.getsockname()[1], made, clients)
    stopping.set()
    await serving


def within(**limits: float) -> pytest.MarkDecorator:
    """Let the site serve within these limits; the others are too far away to matter."""
    usual = {"head": LONG, "body": LONG, "write": LONG}
    return pytest.mark.parametrize("site", [ConnectionLimits(**{**usual, **limits})], indirect=True)  # type: ignore[arg-type]


@within(head=SHORT)
@pytest.mark.parametrize("said", [b"", HEAD, HEAD + b"\r\n", HEAD + b"Content-Length: 9\r\n\r\n"])
async def test_a_silent_client_is_disconnected(site: Site, said: bytes):
    assert await site.is_cut_off(site.client(said))


@within(head=SHORT)
async def test_a_slow_head_is_disconnected(site: Site):
    client = site.client()
    client.settimeout(0)
    dripping = asyncio.create_task(drip(client, HEAD + b"X-Slow: " + b"x" * 1_000_000))

    assert await site.is_cut_off(client)
    dripping.cancel()


@within(head=SHORT)
async def test_an_unread_body_does_not_keep_a_connection_open(site: Site):
    client = site.client(HEAD + b"Content-Length: 1000000\r\n\r\n")
    client.settimeout(0)
    dripping = asyncio.create_task(drip(client, b"x" * 1_000_000))

    assert await site.is_cut_off(client)
    dripping.cancel()


@within(body=SHORT)
async def test_a_missing_body_is_disconnected(site: Site):
    client = site.client(HEAD.replace(b"GET", b"POST") + b"Content-Length: 9\r\n\r\n")
    client.settimeout(0)
    dripping = asyncio.create_task(drip(client, b"x" * 8))

    assert await site.is_cut_off(client)
    await dripping


@within(write=SHORT)
async def test_a_client_that_does_not_read_its_answer_is_disconnected(site: Site):
    site.client(HEAD.replace(b"GET /", b"GET /large") + b"\r\n")
    await connected(site, 1)

    await connected(site, 0)


@within(total=5)
@pytest.mark.parametrize(
    "said", [b"", HEAD, HEAD + b"\r\n", HEAD.replace(b"GET", b"POST") + b"Content-Length: 9\r\n\r\n"]
)
async def test_waiting_connections_are_replaced_by_new_ones(site: Site, said: bytes):
    held = [site.client(said, f"127.0.{number % 3}.{number % 200 + 1}") for number in range(50)]

    assert await site.get() == 200
    assert len(site.open[0]) <= 5
    assert await site.is_cut_off(held[0])


@within(total=3)
async def test_an_idle_keep_alive_connection_is_replaced_too(site: Site):
    kept = [site.client(HEAD + b"\r\n") for _ in range(3)]
    await connected(site, 3)
    kept[0].sendall(HEAD + b"\r\n")

    assert await site.get() == 200


@within(total=MANY, per_address=3)
async def test_one_address_has_a_limited_share(site: Site, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(ClientAddresses, "is_trusted", lambda _self, address: address == "127.0.0.9")
    held = [site.client(source="127.0.0.8") for _ in range(10)]
    proxy = [site.client(source="127.0.0.9") for _ in range(10)]
    for client in held[3:]:
        assert await site.is_cut_off(client)
    await connected(site, 3 + len(proxy))

    held[0].close()
    await connected(site, 2 + len(proxy))
    held.append(site.client(source="127.0.0.8"))
    await connected(site, 3 + len(proxy))


async def status(url: str) -> int:
    """Ask as an ordinary visitor does; return the status."""
    async with asyncio.timeout(PATIENCE), aiohttp.ClientSession() as web, web.get(url) as answer:
        return answer.status


async def drip(client: socket.socket, data: bytes) -> None:
    loop = asyncio.get_running_loop()
    try:
        for byte in data:
            await loop.sock_sendall(client, bytes([byte]))
            await asyncio.sleep(0)
    except OSError:
        pass  # it was cut off


async def connected(site: Site, count: int) -> None:
    """Wait until that many connections are open."""
    async with asyncio.timeout(PATIENCE):
        while not site.open or len(site.open[0]) != count:  # noqa: ASYNC110 - the server has no event for it
            await asyncio.sleep(0.001)


FLOOD = """
import resource, socket, sys
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
held = []
for number in range(int(sys.argv[2])):
    source = "127.0.0.1" if number % 2 else f"127.0.{number // 200 + 1}.{number % 200 + 1}"
    held.append(socket.create_connection(("127.0.0.1", int(sys.argv[1])), 20, (source, 0)))
    held[-1].sendall(b"GET / HTTP/1.1\\r\\nHost: x\\r\\n")
print("connected", flush=True)
sys.stdin.read()
"""


@asynccontextmanager
async def flood(port: int) -> AsyncIterator[None]:
    """Hold 1,100 connections that say half a request, from one address and from hundreds."""
    attacker = await asyncio.create_subprocess_exec(
        sys.executable, "-c", FLOOD, str(port), str(MANY), stdin=PIPE, stdout=PIPE
    )
    assert attacker.stdin is not None
    assert attacker.stdout is not None
    assert await attacker.stdout.readline() == b"connected\n"
    yield
    attacker.stdin.close()
    await attacker.wait()


@pytest.fixture
def few_descriptors(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Let this process open 700 files, as if that were the hard limit."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (FEW, before[1]))
    monkeypatch.setattr(service, "raise_descriptor_limit", lambda: FEW)
    yield FEW
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


async def test_half_open_connections_do_not_stop_the_pipeline(tmp_path: Path, few_descriptors: int):
    clock, port, config = Clock(EVENING), free_port(), tmp_path / "config"
    news = published_articles(EVENING - timedelta(days=1), 3)
    with smtp_server() as (inbox, smtp_port), news_site(news, clock) as base:
        storage = f"sqlite:///{tmp_path}/caveat.db"
        write_config(config, storage=storage, news_url=base, smtp_port=smtp_port, web_port=port)
        async with running(config, clock) as running_service, flood(port):
            for hours in (1, 12):
                clock.at += timedelta(hours=hours)
                await sweep_until_idle(running_service)

            assert await status(f"http://127.0.0.1:{port}/healthz") == 200
            assert open_files() < few_descriptors - RESERVED_DESCRIPTORS
            assert {mail.to for mail in inbox.mails} == {"amina@example.org", "ben@example.org"}


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_descriptors_are_reserved_for_the_pipeline(tmp_path: Path):
    write_config(tmp_path, storage="sqlite:///x.db", news_url="http://x", smtp_port=1, web_port=1)
    settings = load_config(tmp_path, {}).settings
    needed = pipeline_needs(settings)

    assert needed >= settings.fetch.connections + settings.mail.smtp.connections
    assert share_descriptors(1_000_000, settings).web == MAX_WEB_CONNECTIONS
    assert share_descriptors(needed, settings).web == MIN_WEB_CONNECTIONS
    for limit in (needed + 100, needed + 200):
        shares = share_descriptors(limit, settings)
        assert shares.web + shares.metrics + needed == limit


def test_the_limit_of_open_files_is_raised_to_the_hard_one():
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (FEW, before[1]))
    try:
        expected = min(before[1], HIGHEST_LIMIT)

        assert raise_descriptor_limit() == expected
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == expected
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
