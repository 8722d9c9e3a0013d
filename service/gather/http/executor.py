"""Workers: where parsing and extraction run, so that the event loop never waits for them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol, TypeVar

Made = TypeVar("Made")


class Workers(Protocol):
    """Runs one pure, heavy function of plain values."""

    async def run(self, function: Callable[..., Made], *values: object) -> Made:
        """Return what the function returns, raise what it raises.

        Raises WorkRefused when it took too long or too much memory.
        """
        ...


class WorkLimitExceeded(Exception):
    """The work took more time or memory than it may; the text is a sentence for a person."""


class ThreadWorkers:
    """Workers for tests and small jobs: a thread of this process, without limits."""

    async def run(self, work: Callable[..., Made], *values: object) -> Made:
        """Run the function in a thread."""
        return await asyncio.to_thread(work, *values)
