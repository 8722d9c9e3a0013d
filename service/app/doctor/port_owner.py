"""Port owner: whether the bounce server can listen at an address, and which program has it already."""

from __future__ import annotations

import asyncio
import errno
import socket
from contextlib import suppress

GREETING_SECONDS = 3.0
"""How long the program that has the port may take to greet; a mail server greets at once."""


async def port_owner(host: str, port: int) -> str | None:
    """Return None for a free address, "caveat" for a running bounce server, else why it is not available."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.create_server((host, port), family=family).close()
    except OSError as error:
        greeting = await _greeting(host, port) if error.errno == errno.EADDRINUSE else ""
        return "caveat" if greeting.startswith("220 caveat ") else (error.strerror or str(error))
    return None


async def _greeting(host: str, port: int) -> str:
    """Return the first line that the server sends; empty without one."""
    line = b""
    with suppress(OSError, TimeoutError, ValueError):
        async with asyncio.timeout(GREETING_SECONDS):
            reader, writer = await asyncio.open_connection(host, port)
            try:
                line = await reader.readline()
            finally:
                writer.close()
    return line.decode("ascii", "replace")
