"""A proxy whose first connection breaks after a number of bytes in one direction; later ones work."""

from __future__ import annotations

import asyncio
import socket
import struct
from contextlib import suppress
from typing import Self

TO_SERVER, FROM_SERVER = "to server", "from server"


class BreakingProxy:
    """Forwards to `port`. Resets the first connection on both sides after `after` bytes in `direction`."""

    def __init__(self, port: int, direction: str, after: int) -> None:
        self._far, self._direction, self._left = port, direction, after
        self._tasks: set[asyncio.Task[None]] = set()
        self.broken = False
        self.port = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._far)
        both = (writer, far_writer)
        there = self._pump(reader, far_writer, both, TO_SERVER)
        back = self._pump(far_reader, writer, both, FROM_SERVER)
        with suppress(asyncio.CancelledError):
            await asyncio.gather(there, back, return_exceptions=True)
        for end in both:
            end.close()
        self._tasks.discard(task)

    async def _pump(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        both: tuple[asyncio.StreamWriter, asyncio.StreamWriter],
        direction: str,
    ) -> None:
        while data := await reader.read(1 << 16):
            if direction == self._direction and not self.broken:
                passing, self._left = data[: self._left], self._left - len(data)
                if self._left <= 0:
                    self.broken = True
                    writer.write(passing)
                    with suppress(ConnectionError):
                        await writer.drain()
                    # Let the forwarded bytes arrive before the reset, so that each offset is its own case.
                    await asyncio.sleep(0.002)
                    for end in both:
                        _reset(end)
                    return
            writer.write(data)
            with suppress(ConnectionError):
                await writer.drain()
        with suppress(OSError):
            writer.write_eof()


def _reset(writer: asyncio.StreamWriter) -> None:
    sock = writer.get_extra_info("socket")
    with suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
