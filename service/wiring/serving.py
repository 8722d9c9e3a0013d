"""Serving (EDGE uvicorn): an ASGI application on a port, until it is told to stop."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any

from service.core.errors import CaveatError

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


async def serve(application: ASGIApp, door: socket.socket, stopping: asyncio.Event) -> None:
    """Answer what comes in at the socket, until `stopping` is set; then finish what is being answered."""
    from uvicorn import Config, Server  # noqa: PLC0415 - only the web door needs it

    class QuietServer(Server):
        @contextmanager
        def capture_signals(self) -> Iterator[None]:
            """Leave signals to the service, which has more to stop than this."""
            yield

    server = QuietServer(
        Config(
            application,
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
    )

    async def leave() -> None:
        await stopping.wait()
        server.should_exit = True

    leaving = asyncio.create_task(leave())
    try:
        await server.serve(sockets=[door])
    finally:
        leaving.cancel()
        door.close()
