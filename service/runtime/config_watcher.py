"""Config watcher (EDGE watchfiles): reports changes of files in the config folder."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

DEBOUNCE_MILLISECONDS = 400
"""Several writes within this time count as one change: editors write a file more than once."""

STEP_MILLISECONDS = 250
"""Time between two looks at what the kernel reported; each costs an idle service some CPU time."""

QUIET_MILLISECONDS = 15_000
"""Time without a change after which the watcher says so, for what is retried without one."""


async def config_changes(folder: Path, stopping: asyncio.Event) -> AsyncIterator[bool]:
    """Yield True for each change of a file in the folder, False after a quiet time, until `stopping`."""
    from watchfiles import awatch  # noqa: PLC0415 - only a running service watches

    async for changes in awatch(
        folder,
        stop_event=stopping,
        debounce=DEBOUNCE_MILLISECONDS,
        step=STEP_MILLISECONDS,
        rust_timeout=QUIET_MILLISECONDS,
        yield_on_timeout=True,
        recursive=False,
    ):
        yield bool(changes)
