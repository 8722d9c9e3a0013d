"""robots.txt (RFC 9309): whether a site allows us to fetch its pages. Feeds are fetched without asking."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http import HTTPStatus
from urllib.parse import urlsplit

from service.gather.ports import Fetched, Fetcher, FetchFailed

CACHE_DURATION = timedelta(hours=24)
FAILURE_CACHE_DURATION = timedelta(hours=1)
MAX_SITES = 2_000  # kept in memory
MAX_ROBOTS_BYTES = 500 * 1024  # the minimum that RFC 9309, 2.5 requires


@dataclass(slots=True)
class _Permission:
    """A site's answer, valid until `until`: `can_fetch(url, user_agent)`, or `allowed` for every page."""

    until: datetime
    allowed: bool = True
    can_fetch: Callable[[str, str], bool] | None = None


@dataclass(slots=True)
class RobotsCache:
    """Fetches each site's robots.txt once a day."""

    fetcher: Fetcher
    user_agent: str = "Caveat"
    _permissions: dict[str, _Permission] = field(default_factory=dict)
    _locks: dict[str, asyncio.Lock] = field(default_factory=dict)

    async def allows(self, url: str, now: datetime) -> bool:
        """Return whether the page at `url` may be fetched."""
        parts = urlsplit(url)
        site = f"{parts.scheme}://{parts.netloc}"
        async with self._locks.setdefault(site, asyncio.Lock()):
            permission = self._permissions.get(site)
            if permission is None or permission.until <= now:
                if len(self._permissions) >= MAX_SITES:
                    self._evict(now)
                permission = self._permissions[site] = await self._fetch(site, now)
        if permission.can_fetch is None:
            return permission.allowed
        return permission.can_fetch(url, self.user_agent)

    async def _fetch(self, site: str, now: datetime) -> _Permission:
        from protego import Protego  # noqa: PLC0415 - needed for full texts only

        response = await self.fetcher.fetch(f"{site}/robots.txt")
        if isinstance(response, Fetched):
            text = response.body[:MAX_ROBOTS_BYTES].decode("utf-8", "replace")
            rules = await asyncio.to_thread(Protego.parse, text)
            return _Permission(now + CACHE_DURATION, can_fetch=rules.can_fetch)
        # RFC 9309, 2.3.1: without a robots.txt every page is allowed, after a server error none.
        status = response.status or 0 if isinstance(response, FetchFailed) else HTTPStatus.GONE
        refused = not 400 <= status < 500 or status == HTTPStatus.TOO_MANY_REQUESTS
        return _Permission(now + (FAILURE_CACHE_DURATION if refused else CACHE_DURATION), allowed=not refused)

    def _evict(self, now: datetime) -> None:
        expired = [site for site, permission in self._permissions.items() if permission.until <= now]
        for site in expired or list(self._permissions)[:100]:
            self._permissions.pop(site, None)
            self._locks.pop(site, None)
