"""Config watcher (EDGE watchfiles): reports changes of files in the config folder."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

DEBOUNCE_MILLISECONDS = 400
"""Several writes within this time count as one change: editors write a file more than once."""


async def config_changes(folder: Path, stopping: asyncio.Event) -> AsyncIterator[None]:
    """Yield once for each change of a file in the folder, until `stopping` is set."""
    from watchfiles import awatch  # noqa: PLC0415 - only a running service watches

    async for _ in awatch(
        folder, stop_event=stopping, debounce=DEBOUNCE_MILLISECONDS, step=50, recursive=False
    ):
        yield
