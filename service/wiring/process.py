"""The process: an event loop of the fastest kind there is, and what signals mean to it."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import structlog

from service.settings.values import Loaded
from service.wiring.service import Roles, Service

T = TypeVar("T")

log = structlog.get_logger("service")


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end, on uvloop where there is one, and return what it returns."""
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        return runner.run(work)


def run_service(load: Callable[[], Loaded], roles: Roles) -> None:
    """Run the service until SIGTERM or SIGINT; a second one ends it at once, as KeyboardInterrupt.

    Raises ConfigError, StoreError or CaveatError when it cannot start or go on.
    """
    run(_until_signalled(Service(load, roles)))


async def _until_signalled(service: Service) -> None:
    stopping, loop = asyncio.Event(), asyncio.get_running_loop()
    main = asyncio.current_task()

    def stop(name: str) -> None:
        if stopping.is_set() and main is not None:
            main.cancel()
        log.info("stopping: what is in flight may finish", signal=name)
        stopping.set()

    for sign in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(sign, stop, sign.name)
    try:
        await service.run(stopping)
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None
    finally:
        for sign in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(sign)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    if sys.platform == "win32":
        return None
    import uvloop  # noqa: PLC0415 - not on every system

    return uvloop.new_event_loop
