"""Robots: whether a site lets us fetch its pages (RFC 9309).

Feeds are made for readers like us; pages are asked for first.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Protocol
from urllib.parse import urlsplit

from service.gather.ports import Fetched, Fetcher, FetchFailed

CACHE_DURATION = timedelta(hours=24)
FAILURE_CACHE_DURATION = timedelta(hours=1)
MAX_SITES = 2_000
MAX_ROBOTS_BYTES = 500 * 1024
"""RFC 9309, 2.5: at least 500 kibibytes are read."""


class _Rules(Protocol):
    def can_fetch(self, url: str, user_agent: str) -> bool: ...


@dataclass(slots=True)
class _Kept:
    """What a site said, until when we believe it. `rules` None: a blanket `allowed` for everything."""

    until: datetime
    allowed: bool = True
    rules: _Rules | None = None


@dataclass(slots=True)
class RobotsCache:
    """Asks each site once a day for its robots.txt, and keeps the answers."""

    fetcher: Fetcher
    user_agent: str = "Caveat"
    _kept: dict[str, _Kept] = field(default_factory=dict)
    _asking: dict[str, asyncio.Lock] = field(default_factory=dict)

    async def allows(self, url: str, now: datetime) -> bool:
        """Tell whether the page at `url` may be fetched."""
        parts = urlsplit(url)
        site = f"{parts.scheme}://{parts.netloc}"
        async with self._asking.setdefault(site, asyncio.Lock()):
            kept = self._kept.get(site)
            if kept is None or kept.until <= now:
                if len(self._kept) >= MAX_SITES:
                    self._forget(now)
                kept = self._kept[site] = await self._ask(site, now)
        return kept.allowed if kept.rules is None else kept.rules.can_fetch(url, self.user_agent)

    async def _ask(self, site: str, now: datetime) -> _Kept:
        from protego import Protego  # noqa: PLC0415 - only full text needs it

        answer = await self.fetcher.fetch(f"{site}/robots.txt")
        if isinstance(answer, Fetched):
            text = answer.body[:MAX_ROBOTS_BYTES].decode("utf-8", "replace")
            return _Kept(now + CACHE_DURATION, rules=await asyncio.to_thread(Protego.parse, text))
        # RFC 9309, 2.3.1: a file that is not there allows everything, a server in trouble nothing.
        status = answer.status or 0 if isinstance(answer, FetchFailed) else HTTPStatus.GONE
        refused = not 400 <= status < 500 or status == HTTPStatus.TOO_MANY_REQUESTS
        return _Kept(now + (FAILURE_CACHE_DURATION if refused else CACHE_DURATION), allowed=not refused)

    def _forget(self, now: datetime) -> None:
        for site in [site for site, kept in self._kept.items() if kept.until <= now] or list(self._kept)[
            :100
        ]:
            self._kept.pop(site, None)
            self._asking.pop(site, None)
