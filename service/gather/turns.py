"""Turns: how many requests one host gets at once, and how far apart they start."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass(slots=True)
class _Host:
    """One host's places, and the monotonic moment before which no further request starts."""

    places: asyncio.Semaphore
    not_before: float = 0.0
    users: int = field(default=0)


class Turns:
    """Hands out turns by host: at most `at_once` together, starts at least `spacing` seconds apart."""

    def __init__(self, at_once: int, spacing: float) -> None:
        self._at_once, self._spacing = at_once, spacing
        self._hosts: dict[str, _Host] = {}

    @asynccontextmanager
    async def turn(self, host: str, *, spaced: bool = True) -> AsyncIterator[None]:
        """Wait for a turn at the host and hold it. Without `spaced`, only the number at once is limited."""
        place = self._hosts.get(host)
        if place is None:
            self._forget_idle()
            place = self._hosts[host] = _Host(asyncio.Semaphore(self._at_once))
        place.users += 1
        try:
            async with place.places:
                if spaced:
                    await self._wait(place)
                yield
        finally:
            place.users -= 1

    async def _wait(self, place: _Host) -> None:
        now = asyncio.get_running_loop().time()
        start = max(now, place.not_before)
        place.not_before = start + self._spacing
        if start > now:
            await asyncio.sleep(start - now)

    def _forget_idle(self) -> None:
        """Keep the table from growing without end on feeds that send us to ever new hosts."""
        if len(self._hosts) < 1000:
            return
        now = asyncio.get_running_loop().time()
        idle = [name for name, place in self._hosts.items() if not place.users and place.not_before <= now]
        for name in idle:
            del self._hosts[name]
