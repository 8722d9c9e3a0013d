"""Watch (EDGE watchfiles): tells when somebody saved something in the folder of configuration."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

DEBOUNCE_MILLISECONDS = 400
"""An editor writes several times in a row; a save counts once that has come to rest."""


async def config_changes(folder: Path, stopping: asyncio.Event) -> AsyncIterator[None]:
    """Yield once for every save in the folder, until `stopping` is set."""
    from watchfiles import awatch  # noqa: PLC0415 - only a running service watches

    async for _ in awatch(
        folder, stop_event=stopping, debounce=DEBOUNCE_MILLISECONDS, step=50, recursive=False
    ):
        yield
