"""Event loop: run a coroutine on uvloop, and stop work at a signal."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

T = TypeVar("T")


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine, on uvloop where it is available, and return its result."""
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        return runner.run(work)


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


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    if sys.platform == "win32":
        return None
    import uvloop  # noqa: PLC0415 - not on every system

    return uvloop.new_event_loop
