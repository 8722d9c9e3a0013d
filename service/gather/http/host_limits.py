"""Limits per host: the number of simultaneous requests, and the time between their starts."""

from __future__ import annotations

import asyncio
from collections.abc import Hashable
from dataclasses import dataclass

MAX_HOSTS = 1_000  # kept in memory; idle hosts beyond it are forgotten


@dataclass(slots=True)
class _Host:
    """State of one host. No request starts before `not_before` (the event loop's clock)."""

    semaphore: asyncio.Semaphore
    not_before: float = 0.0
    users: int = 0


class HostLimits:
    """Grants slots by host: at most `per_host` at a time, with `spacing` seconds between their starts."""

    def __init__(self, per_host: int, spacing: float) -> None:
        self._per_host, self._spacing = per_host, spacing
        self._hosts: dict[Hashable, _Host] = {}

    def slot(self, host: Hashable, *, spaced: bool = True) -> _Slot:
        """Return a slot for `async with`. Without `spaced` only the number of requests is limited."""
        state = self._hosts.get(host)
        if state is None:
            self._forget_idle()
            state = self._hosts[host] = _Host(asyncio.Semaphore(self._per_host))
        return _Slot(state, self._spacing if spaced else 0.0)

    def _forget_idle(self) -> None:
        """Drop idle hosts, because feeds that redirect to ever new hosts would fill the memory."""
        if len(self._hosts) < MAX_HOSTS:
            return
        now = asyncio.get_running_loop().time()
        idle = [name for name, host in self._hosts.items() if not host.users and host.not_before <= now]
        for name in idle:
            del self._hosts[name]


class _Slot:
    """One slot: entering waits for it, leaving frees it."""

    __slots__ = ("_host", "_spacing")

    def __init__(self, host: _Host, spacing: float) -> None:
        self._host, self._spacing = host, spacing

    async def __aenter__(self) -> None:
        host = self._host
        host.users += 1
        try:
            await host.semaphore.acquire()
        except BaseException:
            host.users -= 1
            raise
        if self._spacing:
            try:
                await self._wait()
            except BaseException:
                await self.__aexit__()
                raise

    async def __aexit__(self, *_outcome: object) -> None:
        self._host.users -= 1
        self._host.semaphore.release()

    async def _wait(self) -> None:
        now = asyncio.get_running_loop().time()
        start = max(now, self._host.not_before)
        self._host.not_before = start + self._spacing
        if start > now:
            await asyncio.sleep(start - now)
