"""HTTP connections (EDGE uvicorn): limits of their number and of the time that a client may take.

uvicorn closes a silent connection only between two requests. Here a client must send the head and body of a
request, and read the answer, within time limits. When there are too many connections, a new one replaces the
one that has waited longest for its client, so half-open connections cannot block the server.
"""

from __future__ import annotations

import asyncio
import errno
import socket
from collections import Counter
from collections.abc import Callable, Mapping, MutableMapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import structlog
from uvicorn import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from service.web.client_ip import ClientAddresses
from service.web.server_sent_events import STOPPING

Message = MutableMapping[str, Any]

TRANSIENT_ACCEPT_ERRORS = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
"""Errors of accept() that end when another file or connection is closed."""

UNCLEAR_LENGTH = b"Transfer-Encoding goes neither with Content-Length nor with HTTP/1.0; send one length."
"""Body of the 400 for a request that two servers can read differently (RFC 9112, 6.1 and 6.3)."""

EXHAUSTED_PAUSE_SECONDS = 0.1  # before the next accept() after such an error

log = structlog.get_logger("service")


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """Limits of one listener. Times are in seconds.

    `total` and `per_address` count open connections; `per_address` does not apply to this machine and to
    trusted proxies, which have many clients. `head` is the time for a complete request head, from the start
    of the connection or the end of the last answer; `body` is the time for a complete body, and `write` the
    time for the client to read a part of an answer.
    """

    total: int = 512
    per_address: int = 32
    head: float = 10.0
    body: float = 30.0
    write: float = 30.0


class OpenConnections:
    """The open connections of one listener. `waiting` has the time since when each waits for its client.

    `stopping` is set when the server stops; an application finds it in the state of its scope.
    """

    def __init__(self, limits: ConnectionLimits, visitors: ClientAddresses, stopping: asyncio.Event) -> None:
        self.limits, self.stopping, self._visitors = limits, stopping, visitors
        self._per_address = Counter[str]()
        self._open: dict[Connection, str] = {}
        self.waiting: dict[Connection, float] = {}

    def __len__(self) -> int:
        """Return the number of open connections."""
        return len(self._open)

    def holds(self, connection: Connection) -> bool:
        """Return whether the connection is still open."""
        return connection in self._open

    def can_accept(self, peer: str) -> bool:
        """Return whether a connection from this IP address may be opened, after closing another if needed."""
        address = self._visitors.address_key(peer)
        if not self._visitors.is_trusted(peer) and self._per_address[address] >= self.limits.per_address:
            return False
        return len(self._open) < self.limits.total or self.close_longest_waiting()

    def add(self, connection: Connection, peer: str) -> None:
        """Add a connection that was opened from the IP address `peer`."""
        address = self._visitors.address_key(peer)
        self._open[connection] = address
        self._per_address[address] += 1

    def remove(self, connection: Connection) -> None:
        """Remove a connection; unknown ones are ignored."""
        self.waiting.pop(connection, None)
        address = self._open.pop(connection, None)
        if address is not None:
            self._per_address[address] -= 1
            if not self._per_address[address]:
                del self._per_address[address]

    def close_longest_waiting(self) -> bool:
        """Close the connection that has waited longest for its client; return False if none waits."""
        if not self.waiting:
            return False
        min(self.waiting, key=self.waiting.__getitem__).abort()
        return True


class Connection(H11Protocol):
    """An HTTP/1.1 connection with time limits."""

    def __init__(self, connections: OpenConnections, config: Config, state: ServerState) -> None:
        super().__init__(config, state, {STOPPING: connections.stopping})
        self.access_log = False  # paths contain tokens; uvicorn's setting depends on the handlers of loggers
        self.app = self._answer
        self._inner = config.loaded_app
        self._all = connections
        self._timer: asyncio.TimerHandle | None = None
        self._requests = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the time limit of the first request."""
        super().connection_made(transport)
        self._all.add(self, self.client[0] if self.client else "")
        self._wait(self._all.limits.head)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._stop_waiting()
        self._all.remove(self)
        super().connection_lost(exc)

    def abort(self) -> None:
        """Close the connection at once; unsent data is lost."""
        self._stop_waiting()
        self.transport.abort()

    def _wait(self, seconds: float, since: float | None = None) -> None:
        """Abort the connection if the client does not act within `seconds` from `since` (default: now)."""
        self._stop_waiting()
        since = self.loop.time() if since is None else since
        self._all.waiting[self] = since
        self._timer = self.loop.call_at(since + seconds, self.abort)

    def _stop_waiting(self) -> None:
        self._all.waiting.pop(self, None)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    async def _answer(self, scope: Any, receive: Callable[[], Any], send: Callable[[Message], Any]) -> None:  # noqa: ANN401 - ASGI's shape
        """Run the application for one request; the time limits apply only while it waits for the client."""
        limits, started_at, complete = self._all.limits, self.loop.time(), False

        async def timed_receive() -> Message:
            nonlocal complete
            if not complete:
                self._wait(limits.body, started_at)
            try:
                message: Message = await receive()
            finally:
                self._stop_waiting()
            complete = not message.get("more_body", False)
            return message

        async def timed_send(message: Message) -> None:
            self._wait(limits.write)
            try:
                await send(message)
            finally:
                self._stop_waiting()

        self._stop_waiting()
        self._requests += 1
        try:
            if _has_unclear_length(scope):
                await _refuse(timed_send)
            else:
                await self._inner(scope, timed_receive, timed_send)
        finally:
            self._requests -= 1
            # With HTTP pipelining, the next request may be running already.
            if not self._requests and self._all.holds(self):
                unread = self.transport.get_write_buffer_size()
                self._wait(limits.write if unread else limits.head)


def _has_unclear_length(scope: Mapping[str, Any]) -> bool:
    """Return whether a server in front could see another end of the request than h11, which goes by chunks.

    What follows that end would then be a second request, which the server in front has not seen. h11 itself
    refuses different values of Content-Length.
    """
    names = {name for name, _ in scope.get("headers", ())}
    is_chunked = b"transfer-encoding" in names
    return is_chunked and (b"content-length" in names or scope.get("http_version") == "1.0")


async def _refuse(send: Callable[[Message], Any]) -> None:
    """Answer 400 and close the connection, so that nothing behind the request is read as another one."""
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": 400, "headers": headers})
    await send({"type": "http.response.body", "body": UNCLEAR_LENGTH})


async def accept(
    listener: socket.socket, connections: OpenConnections, config: Config, state: ServerState
) -> None:
    """Accept connections one by one until cancelled; close those above the limits.

    asyncio's own server accepts all queued connections at once, before they can be counted.
    """
    loop = asyncio.get_running_loop()
    listener.settimeout(0)
    while True:
        try:
            client, peer = await loop.sock_accept(listener)
        except OSError as error:
            if error.errno in TRANSIENT_ACCEPT_ERRORS:
                log.warning("connection_not_accepted", reason=str(error))
                connections.close_longest_waiting()
                await asyncio.sleep(EXHAUSTED_PAUSE_SECONDS)
            continue
        if connections.can_accept(peer[0]):
            with suppress(OSError):  # the client has disconnected already
                await loop.connect_accepted_socket(lambda: Connection(connections, config, state), client)
        else:
            client.close()
        await asyncio.sleep(0)  # sock_accept does not yield to the loop while more connections are queued
