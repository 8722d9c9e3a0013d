"""ThreadWorkers: Workers without limits, for tests and small jobs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from typing_extensions import override

from service.gather.ports import Result, Workers


class ThreadWorkers(Workers):
    """Runs each function in a thread of this process."""

    @override
    async def run(self, function: Callable[..., Result], *values: object) -> Result:
        return await asyncio.to_thread(function, *values)
