"""Signals: run the service as a process, until SIGTERM or SIGINT stops it."""

from __future__ import annotations

import ctypes
import os
import signal
from collections.abc import Callable

import structlog

from service.runtime.event_loop import run, stopped_by
from service.runtime.service import Roles, Service
from service.settings.values import LoadedConfig

log = structlog.get_logger("service")

MAX_ARENAS = 2
"""Number of heaps of glibc's allocator. By default threads get their own, which keep what was freed."""

ARENA_LIMIT = -8  # M_ARENA_MAX of glibc's malloc.h


def run_service(
    load: Callable[[], LoadedConfig], roles: Roles, *, load_at_start: Callable[[], LoadedConfig]
) -> None:
    """Run the service until SIGTERM or SIGINT; a second one ends it at once, as KeyboardInterrupt.

    See Service. Raises ConfigError, StoreError or CaveatError when it cannot start or continue.
    """
    limit_arenas()
    run(_until_signalled(Service(load, roles, load_at_start=load_at_start)))


async def _until_signalled(service: Service) -> None:
    def on_signal(name: str) -> None:
        log.info("stopping", signal=name)

    with stopped_by(signal.SIGTERM, signal.SIGINT, on_signal=on_signal) as stopping:
        await service.run(stopping)


def limit_arenas() -> None:
    """Let glibc's allocator use MAX_ARENAS heaps, unless MALLOC_ARENA_MAX says otherwise.

    Another C library has no such limit, and nothing happens.
    """
    if os.name != "posix" or "MALLOC_ARENA_MAX" in os.environ:
        return
    set_option = getattr(ctypes.CDLL(None), "mallopt", None)
    if set_option is not None:
        set_option(ARENA_LIMIT, MAX_ARENAS)
