"""Signals: run the service until SIGTERM or SIGINT stops it."""

from __future__ import annotations

import signal
from collections.abc import Callable

import structlog

from service.runtime.event_loop import run, stopped_by
from service.runtime.service import Roles, Service
from service.settings.values import LoadedConfig

log = structlog.get_logger("service")


def run_service(
    load: Callable[[], LoadedConfig], roles: Roles, *, load_at_start: Callable[[], LoadedConfig]
) -> None:
    """Run the service until SIGTERM or SIGINT; a second one ends it at once, as KeyboardInterrupt.

    See Service. Raises ConfigError, StoreError or CaveatError when it cannot start or continue.
    """
    run(_until_signalled(Service(load, roles, load_at_start=load_at_start)))


async def _until_signalled(service: Service) -> None:
    def on_signal(name: str) -> None:
        log.info("stopping", signal=name)

    with stopped_by(signal.SIGTERM, signal.SIGINT, on_signal=on_signal) as stopping:
        await service.run(stopping)
