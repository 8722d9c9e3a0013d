"""Server-sent events over real HTTP: what changes is sent, and a stream never holds up the server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from service.core.errors import StoreError
from service.runtime.http.http_server import listen, serve
from service.web import server_sent_events
from service.web.server_sent_events import MAX_STREAMS_PER_OWNER, EventState, EventStreams, SharedReads

PATIENCE = 10


@dataclass
class Work:
    """Work whose progress the server at `url` streams to the owner of the path."""

    done: int = 0
    fails: bool = False
    url: str = ""
    reads: int = 0
    streams: EventStreams = field(default_factory=EventStreams)
    shared: SharedReads[str, EventState] = field(default_factory=SharedReads)
    stopping: asyncio.Event = field(default_factory=asyncio.Event)

    async def read(self) -> EventState:
        self.reads += 1
        if self.fails:
            raise StoreError("gone")
        return EventState({"sent": self.done}, is_last=self.done >= 3)

    async def answer(self, request: Request) -> Response:
        return self.streams.response(
            request, request.path_params["owner"], lambda: self.shared.get("work", self.read)
        )

    @asynccontextmanager
    async def served(self) -> AsyncIterator[aiohttp.ClientSession]:
        listener = listen("127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        app = Starlette(routes=[Route("/{owner}", self.answer)])
        running = asyncio.create_task(serve(app, listener, self.stopping))
        async with aiohttp.ClientSession() as client:
            yield client
            self.stopping.set()
            await asyncio.wait_for(running, PATIENCE)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_sent_events, "EVENT_SECONDS", 0.02)
    monkeypatch.setattr(server_sent_events, "HEARTBEAT_SECONDS", 0.05)


async def until(answer: aiohttp.ClientResponse, text: str) -> str:
    seen = ""
    async with asyncio.timeout(PATIENCE):
        while text not in seen:
            chunk = await answer.content.readany()
            assert chunk, f"the stream ended after {seen!r}"
            seen += chunk.decode()
    return seen


async def test_a_change_is_sent_once_and_the_end_has_its_own_event():
    work = Work()
    async with work.served() as client, client.get(f"{work.url}/ada") as answer:
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        assert answer.headers["Cache-Control"] == "no-store"
        assert (await until(answer, "\n:\n\n")).count('data: {"sent": 0}\n\n') == 1
        work.done = 3
        rest = (await answer.read()).decode()
        assert rest.endswith('data: {"sent": 3}\n\nevent: done\ndata: {}\n\n')


async def test_a_stop_of_the_server_ends_the_streams_at_once():
    work = Work()
    async with work.served() as client, client.get(f"{work.url}/ada") as answer:
        await until(answer, "data:")
        began = asyncio.get_running_loop().time()
        work.stopping.set()
        await answer.read()
        assert asyncio.get_running_loop().time() - began < 2


async def test_an_owner_has_a_limited_number_of_streams_and_a_closed_one_is_free():
    work = Work()
    async with work.served() as client:
        answers = [await client.get(f"{work.url}/ada") for _ in range(MAX_STREAMS_PER_OWNER)]
        assert (await client.get(f"{work.url}/ada")).status == 429
        other = await client.get(f"{work.url}/eddie")
        assert other.status == 200
        for answer in (*answers, other):
            answer.close()
        async with asyncio.timeout(PATIENCE):
            while (await client.get(f"{work.url}/ada")).status == 429:
                pass


async def test_streams_share_what_they_read_and_an_error_ends_them():
    work = Work()
    async with work.served() as client:
        began = asyncio.get_running_loop().time()
        answers = [await client.get(f"{work.url}/{owner}") for owner in ("a", "b", "c", "d")]
        for answer in answers:
            await until(answer, "\n:\n\n:\n\n")
        elapsed = asyncio.get_running_loop().time() - began
        assert work.reads <= 1 + elapsed / server_sent_events.EVENT_SECONDS
        work.fails = True
        for answer in answers:
            assert b"done" not in await answer.read()
