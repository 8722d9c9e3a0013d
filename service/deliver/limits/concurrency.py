"""Lanes: several coroutines that work off one outbox, none of which is cut off when another fails."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any

from service.core.errors import ChannelUnavailable


async def run_connection_slots(slots: Sequence[Coroutine[Any, Any, None]]) -> None:
    """Run the lanes until all have ended, then raise what the first of them raised.

    A lane that is cancelled mid-message leaves an uncertain delivery, so one lane's trouble cancels no other.
    When the server takes fewer connections than there are lanes, the others do the work.
    """
    tasks = [asyncio.create_task(lane) for lane in slots]
    try:
        await asyncio.wait(tasks)
    except asyncio.CancelledError:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        raise
    errors = [error for task in tasks if not task.cancelled() and (error := task.exception())]
    # Trouble with the record outranks trouble with the line: the caller must hear of it.
    errors.sort(key=lambda error: isinstance(error, ChannelUnavailable))
    fewer = len(errors) < len(tasks)
    errors = [
        error
        for error in errors
        if not (fewer and isinstance(error, ChannelUnavailable) and error.too_many_connections)
    ]
    if errors:
        raise errors[0]
