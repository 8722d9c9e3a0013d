"""File channel (EDGE: the file system): each message becomes an .eml file in a folder.

The file's name is the delivery's id, and it appears under that name only when it is whole. So a message that
is written again after a crash takes its own place.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from service.core.errors import ChannelUnavailable
from service.core.model import Deferred, Message, Sent
from service.deliver.channels.file.outbox_files import make_folder, write_whole
from service.deliver.limits.concurrency import run_connection_slots
from service.deliver.ports import Outbox

CONCURRENT_WRITES = 8


class FileChannel:
    """Writes into `folder`, which is made when it is missing."""

    name = "file"

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def carry(self, outbox: Outbox) -> None:
        """Write every message; raises ChannelUnavailable when the folder cannot be written to."""
        try:
            make_folder(self._folder)
        except OSError as error:
            raise self._unwritable(error) from error
        await run_connection_slots([self._lane(outbox) for _ in range(CONCURRENT_WRITES)])

    async def close(self) -> None:
        """Nothing is kept open."""

    async def _lane(self, outbox: Outbox) -> None:
        while (message := await outbox.next()) is not None:
            if not await outbox.attempt(message):
                continue
            try:
                await asyncio.to_thread(write, self._folder, message)
            except OSError as error:
                outbox.settle(message, Deferred(f"not written: {error.strerror}"))
                raise self._unwritable(error) from error
            outbox.settle(message, Sent("written"))

    def _unwritable(self, error: OSError) -> ChannelUnavailable:
        return ChannelUnavailable(f"mail cannot be written into {self._folder}: {error.strerror or error}")


def write(folder: Path, message: Message) -> Path:
    """Write the message whole or not at all, and durably; return where it lies."""
    return write_whole(folder, message.delivery_id, message.parts)
