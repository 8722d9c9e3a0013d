"""Store retry: waits for a database that is out of reach; nothing is sent meanwhile."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from service.core.errors import StoreError

FIRST_RETRY_SECONDS, MAX_RETRY_SECONDS = 0.2, 5.0

Sleep = Callable[[float], Awaitable[None]]
_Result = TypeVar("_Result")

log = logging.getLogger("deliver")


async def retry_store(
    operation: Callable[[], Awaitable[_Result]], *, seconds: float, sleep: Sleep
) -> _Result:
    """Return the operation's result, repeating it after a StoreError, with growing waits.

    Raises the StoreError when the database stays out of reach for longer than `seconds`.
    """
    waited, wait = 0.0, FIRST_RETRY_SECONDS
    while True:
        try:
            return await operation()
        except StoreError as error:
            if waited >= seconds:
                raise
            reason = f"nothing is sent while the database is out of reach: {error}"
            log.warning("database_unreachable", extra={"reason": reason, "retry_seconds": wait})
            await sleep(wait)
            waited, wait = waited + wait, min(wait * 2, MAX_RETRY_SECONDS)
