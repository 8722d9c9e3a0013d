"""Checks on demand: the doctor's findings for a page, one run at a time and within a limited time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from service.app.doctor.checks import CheckResult, CheckStatus, run_checks
from service.core.errors import UsageError
from service.settings.values import LoadedConfig

if TYPE_CHECKING:
    from service.app.factories.application import Application

CHECK_SECONDS = 20.0
"""Longest run of all checks: a mail server that does not answer takes ten seconds."""

_running: WeakKeyDictionary[Application, asyncio.Lock] = WeakKeyDictionary()


async def checks_on_demand(app: Application, loaded: LoadedConfig) -> list[CheckResult]:
    """Return the findings, with a fault if the time ran out. Raises UsageError while another run goes on."""
    lock = _running.setdefault(app, asyncio.Lock())
    if lock.locked():
        raise UsageError("the checks are running already; wait for their result")
    found: list[CheckResult] = []
    async with lock:
        try:
            async with asyncio.timeout(CHECK_SECONDS):
                async for result in run_checks(loaded, app.clock):
                    found.append(result)  # noqa: PERF401 - what was found stays when the time runs out
        except TimeoutError:
            said = f"the other checks did not finish within {CHECK_SECONDS:.0f} seconds; try caveat doctor"
            found.append(CheckResult("time", CheckStatus.FAULT, said))
    return found
