"""Tenancy: the house that is lived in, and the move to the next one when the configuration changes.

Whoever is at work stays in the house where they began; it is closed when the last of them has left.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from service.app.factories.application import Application


@dataclass(eq=False)
class _Lease:
    """A house and how many are in it. `empty` is set once it is given up and the last one has left."""

    house: Application
    inside: int = 0
    given_up: bool = False
    empty: asyncio.Event = field(default_factory=asyncio.Event)

    def look(self) -> None:
        if self.given_up and self.inside == 0:
            self.empty.set()


class ReloadableApp:
    """Gives out the current house."""

    def __init__(self, house: Application) -> None:
        self._lease = _Lease(house)
        self._leaving: set[asyncio.Task[None]] = set()

    @property
    def current(self) -> Application:
        """The house that whoever begins now works in."""
        return self._lease.house

    @asynccontextmanager
    async def use(self) -> AsyncIterator[Application]:
        """Give the current house, and keep it open until the block ends."""
        lease = self._lease
        lease.inside += 1
        try:
            yield lease.house
        finally:
            lease.inside -= 1
            lease.look()

    def replace(self, house: Application) -> None:
        """Make this the current house; the old one is closed once nobody is in it."""
        old, self._lease = self._lease, _Lease(house)
        task = asyncio.create_task(self._leave(old))
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)

    async def close(self) -> None:
        """Close every house, waiting for nobody."""
        leaving = tuple(self._leaving)
        for task in leaving:
            task.cancel()
        await asyncio.gather(*leaving, return_exceptions=True)
        await self._lease.house.close()

    async def _leave(self, lease: _Lease) -> None:
        lease.given_up = True
        lease.look()
        try:
            await lease.empty.wait()
        finally:
            await lease.house.close()
