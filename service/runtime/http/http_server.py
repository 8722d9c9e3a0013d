"""HTTP server (EDGE uvicorn): serves an ASGI application at one socket until the service stops."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterator, MutableMapping, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from service.core.errors import CaveatError
from service.web.client_ip import ClientAddresses

if TYPE_CHECKING:
    from uvicorn import Config, Server

    from service.runtime.http.connections import ConnectionLimits

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
"""Time for started responses to finish after a stop."""

BACKLOG = 1_024  # connections that the kernel queues before they are accepted
DEFAULT_MAX_CONNECTIONS = 512


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens at the address. Raises CaveatError when it is not available."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise CaveatError(
            f"the web server cannot listen at {host}:{port}: {error.strerror or error}; "
            "choose another address with web.listen"
        ) from error


async def serve(
    application: ASGIApp,
    listener: socket.socket,
    stopping: asyncio.Event,
    *,
    max_connections: int = DEFAULT_MAX_CONNECTIONS,
    limits: ConnectionLimits | None = None,
    trusted_proxies: Sequence[str] = (),
) -> None:
    """Serve requests until `stopping` is set, then finish the started responses.

    `limits` replaces `max_connections` and the default timeouts. A client address may use only a part of the
    connections; this machine and `trusted_proxies` (CIDR) may use all of them.
    """
    from service.runtime.http.connections import (  # noqa: PLC0415 - uvicorn, which a worker does not need
        ConnectionLimits,
        OpenConnections,
        accept,
    )

    config = _config(application)

    async def stop_accepting() -> None:
        await stopping.wait()
        accepting.cancel()

    server = _server(config, stop_accepting)
    connections = OpenConnections(
        limits or ConnectionLimits(max_connections), ClientAddresses(trusted_proxies), stopping
    )
    accepting = asyncio.create_task(accept(listener, connections, config, server.server_state))
    try:
        await server.serve(sockets=[])
    finally:
        accepting.cancel()
        with suppress(asyncio.CancelledError):
            await accepting
        listener.close()


def _config(application: ASGIApp) -> Config:
    from uvicorn import Config  # noqa: PLC0415 - a worker does not need it

    config = Config(
        application,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        ws="none",
        proxy_headers=False,  # ClientAddresses reads them, with the proxies of the settings
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    config.load()
    return config


def _server(config: Config, until: Callable[[], Awaitable[None]]) -> Server:
    """Return a server that runs until `until` returns."""
    from uvicorn import Server  # noqa: PLC0415 - a worker does not need it

    class ServiceServer(Server):
        @contextmanager
        def capture_signals(self) -> Iterator[None]:
            """Install no signal handlers: the service handles signals."""
            yield

        async def main_loop(self) -> None:
            """Wait for the stop; uvicorn wakes up ten times a second, which costs an idle service most."""
            ticking = asyncio.create_task(self._renew_date())
            try:
                await until()
            finally:
                ticking.cancel()

        async def _renew_date(self) -> None:
            while True:
                await self.on_tick(0)  # sets the Date header
                await asyncio.sleep(1)

    return ServiceServer(config)
