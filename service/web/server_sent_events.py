"""Server-sent events (WHATWG HTML, 9.2): progress that a page or a program follows while work runs.

Each event is a JSON object; the last one is named `done`. A stream ends by itself after a while, and the
browser connects again, which checks its session again.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, TypeVar

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from service.core.errors import CaveatError

EVENT_SECONDS = 1.0  # between two events
HEARTBEAT_SECONDS = 15.0  # without an event; proxies close a silent connection, usually after 60 s
STREAM_SECONDS = 600.0  # until the browser has to connect again
RETRY_MILLISECONDS = 3_000  # which the browser waits before it connects again
MAX_STREAMS = 128  # of the process; each occupies a connection
MAX_STREAMS_PER_OWNER = 5  # a browser opens six connections to a server (HTTP/1.1), one of which pages need
COST_FACTOR = 20
"""A value is read again after this many times the time that reading it took, to bound the load."""

STOPPING = "stopping"
"""Key in the `state` of the ASGI scope: the event that is set when the server stops (asyncio.Event)."""

HEADERS = {
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",  # nginx passes each event on at once
}

Key = TypeVar("Key")
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class EventState:
    """What a stream shows now: the `values` of the event, and whether it is the last one."""

    values: Mapping[str, object]
    is_last: bool = False


class EventStreams:
    """The open streams of one process, counted by their owners (the ids of accounts or tokens)."""

    def __init__(self) -> None:
        self._open = Counter[str]()

    def response(self, request: Request, owner: str, read: Callable[[], Awaitable[EventState]]) -> Response:
        """Return a response that sends what `read` returns, whenever it has changed.

        Raises HTTPException 429 if the owner, or all together, have too many streams.
        """
        if self._open[owner] >= MAX_STREAMS_PER_OWNER or self._open.total() >= MAX_STREAMS:
            raise HTTPException(429, f"Only {MAX_STREAMS_PER_OWNER} pages can show live progress at once.")
        stopping: asyncio.Event = getattr(request.state, STOPPING, None) or asyncio.Event()
        return _EventResponse(self, owner, _events(read, stopping))

    @contextmanager
    def counted(self, owner: str) -> Iterator[None]:
        """Count a stream of this owner while it is open."""
        self._open[owner] += 1
        try:
            yield
        finally:
            self._open[owner] -= 1
            self._open += Counter()  # forgets the owners without a stream


EVENT_STREAMS = EventStreams()
"""The streams of this process: pages and API share the limits."""


class SharedReads(Generic[Key, Value]):
    """Values that several streams show, read at most once a second for all of them together."""

    def __init__(self, limit: int = 200) -> None:
        self._limit = limit
        self._reads: dict[Key, _SharedRead[Value]] = {}

    async def get(
        self, key: Key, read: Callable[[], Awaitable[Value]], *, cheap_seconds: float = 0.0
    ) -> Value:
        """Return the value that was read a moment ago, or read it now.

        A value that takes less than `cheap_seconds` to read is read now in any case.
        """
        found = self._reads.get(key)
        if found is None:
            if len(self._reads) >= self._limit:
                self._reads.clear()
            found = self._reads[key] = _SharedRead()
        async with found.lock:
            now = asyncio.get_running_loop().time
            if found.value is None or now() >= found.fresh_until or found.cost < cheap_seconds:
                began = now()
                found.value = (await read(),)
                found.cost = now() - began
                found.fresh_until = now() + max(EVENT_SECONDS, COST_FACTOR * found.cost)
            return found.value[0]

    def forget(self, key: Key) -> None:
        """Forget a value that was changed."""
        self._reads.pop(key, None)


@dataclass(eq=False)
class _SharedRead(Generic[Value]):
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    value: tuple[Value] | None = None
    fresh_until: float = 0.0
    cost: float = 0.0


class _EventResponse(StreamingResponse):
    """A stream that is counted while it is open, and closed as soon as its client has gone."""

    def __init__(self, streams: EventStreams, owner: str, events: AsyncGenerator[str, None]) -> None:
        super().__init__(events, headers=HEADERS, media_type="text/event-stream")
        self._streams, self._owner, self._events = streams, owner, events

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the events."""
        with self._streams.counted(self._owner):
            try:
                await super().__call__(scope, receive, send)
            finally:
                with suppress(RuntimeError):
                    await self._events.aclose()


async def _events(
    read: Callable[[], Awaitable[EventState]], stopping: asyncio.Event
) -> AsyncGenerator[str, None]:
    """Yield the events, with a comment as a heartbeat, until the last one, an error, a stop or the limit."""
    now = asyncio.get_running_loop().time
    began, sent_at, shown = now(), 0.0, ""
    yield f"retry: {RETRY_MILLISECONDS}\n\n"
    while now() < began + STREAM_SECONDS:
        try:
            state = await read()
        except CaveatError:
            return  # the database cannot be reached: the browser tries again
        if state.is_last:
            yield f"data: {_json(state.values)}\n\nevent: done\ndata: {{}}\n\n"
            return
        text = _json(state.values)
        if text != shown or now() >= sent_at + HEARTBEAT_SECONDS:
            yield f"data: {text}\n\n" if text != shown else ":\n\n"
            shown, sent_at = text, now()
        with suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), EVENT_SECONDS)
            return


def _json(values: Mapping[str, object]) -> str:
    return json.dumps(
        values, default=lambda value: value.isoformat() if isinstance(value, datetime) else str(value)
    )


def event_response(request: Request, owner: str, read: Callable[[], Awaitable[EventState]]) -> Response:
    """Return a stream of this process; see `EventStreams.response`."""
    return EVENT_STREAMS.response(request, owner, read)
