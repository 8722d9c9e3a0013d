"""Serving (EDGE uvicorn): an ASGI application on a port, until it is told to stop."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterator, MutableMapping, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from service.core.errors import CaveatError
from service.web.client_ip import ClientAddresses

if TYPE_CHECKING:
    from service.runtime.connections import ConnectionLimits

ASGIApp = Callable[
    [
        MutableMapping[str, Any],
        Callable[[], Awaitable[MutableMapping[str, Any]]],
        Callable[[MutableMapping[str, Any]], Awaitable[None]],
    ],
    Awaitable[None],
]
"""An ASGI application: scope, receive, send."""

GRACE_SECONDS = 5


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens there. Raises CaveatError when that is not possible."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=1024)
    except OSError as error:
        raise CaveatError(
            f"the web door cannot listen at {host}:{port}: {error.strerror or error}; "
            "choose another address with web.listen"
        ) from error


async def serve(
    application: ASGIApp,
    listener: socket.socket,
    stopping: asyncio.Event,
    *,
    max_connections: int = 512,
    limits: ConnectionLimits | None = None,
    trusted_proxies: Sequence[str] = (),
) -> None:
    """Answer what comes in at the socket, until `stopping` is set; then finish what is being answered.

    At most `most` connections are open at once; `limits` replaces that and the usual times. This machine and
    `trusted_proxies` (CIDR) may have more connections than one client may.
    """
    from uvicorn import Config, Server  # noqa: PLC0415 - only the web door needs it

    from service.runtime.connections import ConnectionLimits, OpenConnections, accept  # noqa: PLC0415 - as above

    class QuietServer(Server):
        @contextmanager
        def capture_signals(self) -> Iterator[None]:
            """Leave signals to the service, which has more to stop than this."""
            yield

    config = Config(
        application,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        ws="none",
        proxy_headers=False,  # Visitors reads them, by the settings and not by the environment
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    config.load()
    server = QuietServer(config)
    addresses = ClientAddresses(trusted_proxies)
    connections = OpenConnections(limits or ConnectionLimits(max_connections), addresses)
    accepting = asyncio.create_task(accept(listener, connections, config, server.server_state))

    async def leave() -> None:
        await stopping.wait()
        accepting.cancel()
        server.should_exit = True

    leaving = asyncio.create_task(leave())
    try:
        await server.serve(sockets=[])
    finally:
        leaving.cancel()
        accepting.cancel()
        with suppress(asyncio.CancelledError):
            await accepting
        listener.close()
