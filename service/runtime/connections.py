"""Connections (EDGE uvicorn): how many HTTP clients may be connected, and how long each may keep us waiting.

uvicorn closes a silent connection only between two requests. Here a client must send a request's head, and
then its body, within a time, and must read the answer. While the server waits for a client, that connection
gives way to a new one when there are too many, so half-open connections cannot lock anybody out.
"""

from __future__ import annotations

import asyncio
import errno
import socket
from collections import Counter
from collections.abc import Callable, MutableMapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import structlog
from uvicorn import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from service.web.client_ip import ClientAddresses

Message = MutableMapping[str, Any]

TRANSIENT_ACCEPT_ERRORS = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
"""Errors of accept() that pass when something else is closed."""

EXHAUSTED_PAUSE_SECONDS = 0.1

log = structlog.get_logger("service")


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """Limits of one listener. Times are in seconds.

    `total` and `per_address` count connections at once; `per_address` does not hold for this machine and for
    trusted proxies, because they speak for many. `head` is the time for a complete request head, counted from
    the start of the connection or the end of the last answer; `body` the time for a complete body; `write`
    the time in which a part of an answer must be read.
    """

    total: int = 512
    per_address: int = 32
    head: float = 10.0
    body: float = 30.0
    write: float = 30.0


class OpenConnections:
    """The connections of one listener that are open at the moment."""

    def __init__(self, limits: ConnectionLimits, visitors: ClientAddresses) -> None:
        self.limits, self._visitors = limits, visitors
        self._per_address = Counter[str]()
        self._open: dict[Connection, str] = {}
        self.waiting: dict[Connection, float] = {}

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._open)

    def holds(self, connection: Connection) -> bool:
        """Tell whether the connection is still open."""
        return connection in self._open

    def can_accept(self, peer: str) -> bool:
        """Tell whether a connection from this IP address may be opened; another one may be closed for it."""
        address = self._visitors.address_key(peer)
        if not self._visitors.is_trusted(peer) and self._per_address[address] >= self.limits.per_address:
            return False
        return len(self._open) < self.limits.total or self.close_longest_waiting()

    def add(self, connection: Connection, peer: str) -> None:
        """Count a connection that was opened."""
        address = self._visitors.address_key(peer)
        self._open[connection] = address
        self._per_address[address] += 1

    def remove(self, connection: Connection) -> None:
        """Count a connection no more."""
        self.waiting.pop(connection, None)
        address = self._open.pop(connection, None)
        if address is not None:
            self._per_address[address] -= 1
            if not self._per_address[address]:
                del self._per_address[address]

    def close_longest_waiting(self) -> bool:
        """Close the connection whose client has kept us waiting longest; False when no client does."""
        if not self.waiting:
            return False
        min(self.waiting, key=self.waiting.__getitem__).abort()
        return True


class Connection(H11Protocol):
    """One HTTP/1.1 connection with its time limits."""

    def __init__(self, connections: OpenConnections, config: Config, state: ServerState) -> None:
        super().__init__(config, state, {})
        self.app = self._answer
        self._inner = config.loaded_app
        self._all = connections
        self._timer: asyncio.TimerHandle | None = None
        self._requests = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._all.add(self, self.client[0] if self.client else "")
        self._wait(self._all.limits.head)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._stop_waiting()
        self._all.remove(self)
        super().connection_lost(exc)

    def abort(self) -> None:
        """Close the connection at once; what was not written yet is lost."""
        self._stop_waiting()
        self.transport.abort()

    def _wait(self, seconds: float, since: float | None = None) -> None:
        """Note that the client must act within `seconds` from `since` (default: now)."""
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
        """Let the application answer one request; only the time that the client takes is limited."""
        limits, begun, whole = self._all.limits, self.loop.time(), False

        async def timed_receive() -> Message:
            nonlocal whole
            if not whole:
                self._wait(limits.body, begun)
            try:
                message: Message = await receive()
            finally:
                self._stop_waiting()
            whole = not message.get("more_body", False)
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
            await self._inner(scope, timed_receive, timed_send)
        finally:
            self._requests -= 1
            # A client that sends requests ahead of the answers may have the next one in work already.
            if not self._requests and self._all.holds(self):
                unread = self.transport.get_write_buffer_size()
                self._wait(limits.write if unread else limits.head)


async def accept(
    listener: socket.socket, connections: OpenConnections, config: Config, state: ServerState
) -> None:
    """Accept connections one by one, until cancelled; a client without room is disconnected.

    asyncio's own server accepts all that stand in the queue before anybody can count them.
    """
    loop = asyncio.get_running_loop()
    listener.settimeout(0)
    while True:
        try:
            client, peer = await loop.sock_accept(listener)
        except OSError as error:
            if error.errno in TRANSIENT_ACCEPT_ERRORS:
                log.warning("a connection waits, there are too many open files", reason=str(error))
                connections.close_longest_waiting()
                await asyncio.sleep(EXHAUSTED_PAUSE_SECONDS)
            continue
        if connections.can_accept(peer[0]):
            with suppress(OSError):  # the client has left already
                await loop.connect_accepted_socket(lambda: Connection(connections, config, state), client)
        else:
            client.close()
        await asyncio.sleep(0)  # sock_accept does not give way while more connections stand in the queue
