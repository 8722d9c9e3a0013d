"""Signals: run the service on an event loop, and stop it on SIGTERM and SIGINT."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import structlog

from service.runtime.service import Roles, Service
from service.settings.values import LoadedConfig

T = TypeVar("T")

log = structlog.get_logger("service")


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine, on uvloop where it is available, and return its result."""
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        return runner.run(work)


def run_service(load: Callable[[], LoadedConfig], roles: Roles) -> None:
    """Run the service until SIGTERM or SIGINT; a second one ends it at once, as KeyboardInterrupt.

    Raises ConfigError, StoreError or CaveatError when it cannot start or continue.
    """
    run(_until_signalled(Service(load, roles)))


@contextmanager
def stopped_by(*signals: signal.Signals, on_signal: Callable[[str], object]) -> Iterator[asyncio.Event]:
    """Give an event that the first of these signals sets, for the length of a block on the running loop.

    `on_signal` is called with the signal's name. A second one ends the block at once, as KeyboardInterrupt.
    """
    stopping, loop, main = asyncio.Event(), asyncio.get_running_loop(), asyncio.current_task()
    before = {sign: signal.getsignal(sign) for sign in signals}
    ended = False

    def stop(name: str) -> None:
        nonlocal ended
        if stopping.is_set() and main is not None:
            ended = True
            main.cancel()
            return
        stopping.set()
        on_signal(name)

    for sign in signals:
        loop.add_signal_handler(sign, stop, sign.name)
    try:
        yield stopping
    except asyncio.CancelledError:
        if ended:
            raise KeyboardInterrupt from None
        raise
    finally:
        for sign, handler in before.items():
            loop.remove_signal_handler(sign)
            signal.signal(sign, handler)


async def _until_signalled(service: Service) -> None:
    def on_signal(name: str) -> None:
        log.info("stopping", signal=name)

    with stopped_by(signal.SIGTERM, signal.SIGINT, on_signal=on_signal) as stopping:
        await service.run(stopping)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    if sys.platform == "win32":
        return None
    import uvloop  # noqa: PLC0415 - not on every system

    return uvloop.new_event_loop
