"""Turns: how many requests one host gets at once, and how far apart they start."""

from __future__ import annotations

import asyncio
from collections.abc import Hashable
from dataclasses import dataclass

MAX_HOSTS = 1_000


@dataclass(slots=True)
class _Host:
    """One host's places, and the monotonic moment before which no further request starts."""

    places: asyncio.Semaphore
    not_before: float = 0.0
    users: int = 0


class HostLimits:
    """Hands out turns by host: at most `at_once` together, starts at least `spacing` seconds apart."""

    def __init__(self, at_once: int, spacing: float) -> None:
        self._at_once, self._spacing = at_once, spacing
        self._hosts: dict[Hashable, _Host] = {}

    def slot(self, host: Hashable, *, spaced: bool = True) -> _Turn:
        """Return a turn at the host, held by `async with`. Without `spaced`, only the number is limited."""
        place = self._hosts.get(host)
        if place is None:
            self._forget_idle()
            place = self._hosts[host] = _Host(asyncio.Semaphore(self._at_once))
        return _Turn(place, self._spacing if spaced else 0.0)

    def _forget_idle(self) -> None:
        """Keep the table from growing without end on feeds that send us to ever new hosts."""
        if len(self._hosts) < MAX_HOSTS:
            return
        now = asyncio.get_running_loop().time()
        idle = [name for name, place in self._hosts.items() if not place.users and place.not_before <= now]
        for name in idle:
            del self._hosts[name]


class _Turn:
    """One turn: waits on the way in, makes room on the way out."""

    __slots__ = ("_place", "_spacing")

    def __init__(self, place: _Host, spacing: float) -> None:
        self._place, self._spacing = place, spacing

    async def __aenter__(self) -> None:
        place = self._place
        place.users += 1
        try:
            await place.places.acquire()
        except BaseException:
            place.users -= 1
            raise
        if self._spacing:
            try:
                await self._wait()
            except BaseException:
                await self.__aexit__()
                raise

    async def __aexit__(self, *_outcome: object) -> None:
        self._place.users -= 1
        self._place.places.release()

    async def _wait(self) -> None:
        now = asyncio.get_running_loop().time()
        start = max(now, self._place.not_before)
        self._place.not_before = start + self._spacing
        if start > now:
            await asyncio.sleep(start - now)
