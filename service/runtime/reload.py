"""Reload: the current application, and its replacement by one of a new configuration.

Work in progress keeps its application. A replaced application is closed when its last work has ended.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from service.app.factories.application import Application


@dataclass(eq=False)
class _AppInUse:
    """An application and its number of users. `unused` is set once it is replaced and has no user."""

    app: Application
    users: int = 0
    replaced: bool = False
    unused: asyncio.Event = field(default_factory=asyncio.Event)

    def check(self) -> None:
        if self.replaced and self.users == 0:
            self.unused.set()


class ReloadableApp:
    """Holds the current application; `replace` swaps it without disturbing work in progress."""

    def __init__(self, app: Application) -> None:
        self._in_use = _AppInUse(app)
        self._closing: set[asyncio.Task[None]] = set()

    @property
    def current(self) -> Application:
        """The application for new work."""
        return self._in_use.app

    @asynccontextmanager
    async def use(self) -> AsyncIterator[Application]:
        """Give the current application, and keep it open until the block ends."""
        in_use = self._in_use
        in_use.users += 1
        try:
            yield in_use.app
        finally:
            in_use.users -= 1
            in_use.check()

    def replace(self, app: Application) -> None:
        """Make this the current application; the old one is closed once it has no user."""
        old, self._in_use = self._in_use, _AppInUse(app)
        task = asyncio.create_task(self._close_unused(old))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def close(self) -> None:
        """Close every application at once."""
        closing = tuple(self._closing)
        for task in closing:
            task.cancel()
        await asyncio.gather(*closing, return_exceptions=True)
        await self._in_use.app.close()

    async def _close_unused(self, in_use: _AppInUse) -> None:
        in_use.replaced = True
        in_use.check()
        try:
            await in_use.unused.wait()
            await in_use.app.jobs.finished(in_use.app)
        finally:
            await in_use.app.close()
