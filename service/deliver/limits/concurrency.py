"""Connection slots: coroutines that send from one outbox; the failure of one does not cancel the others."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any

from service.core.errors import ChannelUnavailable


async def run_connection_slots(slots: Sequence[Coroutine[Any, Any, None]]) -> None:
    """Run the slots until all have ended, then raise the first error.

    A slot that is cancelled in the middle of a message leaves an uncertain delivery, so the error of one slot
    cancels no other. When the server takes fewer connections than there are slots, the others do the work.
    """
    tasks = [asyncio.create_task(slot) for slot in slots]
    try:
        await asyncio.wait(tasks)
    except asyncio.CancelledError:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        raise
    errors = [error for task in tasks if not task.cancelled() and (error := task.exception())]
    # A StoreError outranks a lost connection: the caller must see it.
    errors.sort(key=lambda error: isinstance(error, ChannelUnavailable))
    some_succeeded = len(errors) < len(tasks)
    for error in errors:
        match error:
            case ChannelUnavailable(too_many_connections=True) if some_succeeded:
                continue
            case _:
                raise error
