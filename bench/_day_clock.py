"""The time of a simulated day, which the processes of a benchmark share."""

from __future__ import annotations

import mmap
import struct
from datetime import UTC, datetime, timedelta
from pathlib import Path

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class SharedClock:
    """A settable time in a file, which each process maps."""

    def __init__(self, file: Path) -> None:
        if not file.exists():
            file.write_bytes(bytes(8))
        with file.open("r+b") as opened:
            self._memory = mmap.mmap(opened.fileno(), 8)

    def __call__(self) -> datetime:
        """Return the time, aware and in UTC."""
        return EPOCH + timedelta(milliseconds=struct.unpack("<q", self._memory[:8])[0])

    def set(self, at: datetime) -> None:
        """Set the time for all processes."""
        self._memory[:8] = struct.pack("<q", (at - EPOCH) // timedelta(milliseconds=1))
