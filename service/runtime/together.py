"""Running the parts of a service together: the first that fails stops the others."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any

STOP_GRACE_SECONDS = 9.0
"""Time for work in progress after a stop; container engines kill a process after ten seconds."""


async def run_together(parts: Sequence[Coroutine[Any, Any, None]], stopping: asyncio.Event) -> None:
    """Run the parts until they end; the first that fails stops the others, and its error is raised.

    Once `stopping` is set they have STOP_GRACE_SECONDS to end by themselves.
    """
    tasks = [asyncio.create_task(part) for part in parts]
    stop = asyncio.create_task(stopping.wait())
    try:
        left = set(tasks)
        while left and not stopping.is_set():
            done, _ = await asyncio.wait({*left, stop}, return_when=asyncio.FIRST_COMPLETED)
            left -= done
            if any(not task.cancelled() and task.exception() for task in done):
                stopping.set()
        if left:
            await asyncio.wait(left, timeout=STOP_GRACE_SECONDS)
    finally:
        for task in (*tasks, stop):
            task.cancel()
        await asyncio.gather(*tasks, stop, return_exceptions=True)
    for task in tasks:
        if not task.cancelled():
            task.result()
