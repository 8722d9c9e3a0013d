"""File channel (EDGE file system): each message becomes an .eml file in a folder.

The name of the file is the delivery's id, and the file appears under that name only when it is complete. A
message that is written again after a crash replaces its own file.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from typing_extensions import override

from service.core.errors import ChannelUnavailable
from service.core.model import Deferred, Sent
from service.deliver.channels.file.outbox_files import make_folder, nearest_folder, write_whole
from service.deliver.channels.mail import MailChannel
from service.deliver.limits.concurrency import run_connection_slots
from service.deliver.ports import ChannelStatus, MessageFactory, Outbox, Prepare

CONCURRENT_WRITES = 8


class FileChannel(MailChannel):
    """Writes into `folder`, which is made when it is missing."""

    name = "file"
    sends_to_people = False

    def __init__(self, folder: Path, build_message: MessageFactory, prepare: Prepare | None = None) -> None:
        super().__init__(build_message, prepare)
        self._folder = folder

    @override
    async def carry(self, outbox: Outbox) -> None:
        try:
            make_folder(self._folder)
        except OSError as error:
            raise self._unwritable(error) from error
        await run_connection_slots([self._write_all(outbox) for _ in range(CONCURRENT_WRITES)])

    @override
    async def check(self) -> ChannelStatus:
        folder = nearest_folder(self._folder)
        if not os.access(folder, os.W_OK):
            raise ChannelUnavailable(f"{folder} may not be written to; mail goes into files there")
        return ChannelStatus(f"mail goes into files in {self._folder}; nobody is sent any", is_warning=True)

    @override
    async def close(self) -> None:
        """Nothing is kept open."""

    async def _write_all(self, outbox: Outbox) -> None:
        while (message := await outbox.next()) is not None:
            if not await outbox.attempt(message):
                continue
            try:
                await asyncio.to_thread(write_whole, self._folder, message.delivery_id, message.parts)
            except OSError as error:
                outbox.settle(message, Deferred(f"not written: {error.strerror}"))
                raise self._unwritable(error) from error
            outbox.settle(message, Sent("written"))

    def _unwritable(self, error: OSError) -> ChannelUnavailable:
        return ChannelUnavailable(f"mail cannot be written into {self._folder}: {error.strerror or error}")
