"""The gather stage with its production parts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor
from typing import TypeVar

from service.gather.http.fetcher import FetchLimits, HttpFetcher
from service.gather.http.proxy import Proxy
from service.gather.poll import Gatherer
from service.gather.ports import WorkLimitExceeded
from service.settings.values import FetchSettings, ProxySettings, Settings
from service.store.database import Database
from service.store.gather import SqlGatherStore

Made = TypeVar("Made")


class PooledExecutor:
    """Workers for gather: the pool's processes, whose limits become a sentence set down against the feed."""

    def __init__(self, pool: Executor) -> None:
        self._pool = pool

    async def run(self, work: Callable[..., Made], *values: object) -> Made:
        """Return what the function returns, raise what it raises, or WorkRefused at the limits."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work, *values)
        except TimeoutError:
            raise WorkLimitExceeded("reading it took longer than it may") from None
        except (MemoryError, BrokenExecutor):
            raise WorkLimitExceeded("reading it took more memory than it may") from None


def fetcher_of(fetch: FetchSettings) -> HttpFetcher:
    """Return the HTTP client with the limits of the settings."""
    return HttpFetcher(
        FetchLimits(
            user_agent=fetch.user_agent,
            allow_private=fetch.allow_private,
            total_seconds=fetch.timeout.total_seconds(),
            connections=fetch.connections,
            host_spacing=fetch.host_spacing.total_seconds(),
            proxy=proxy_of(fetch.proxy) if fetch.proxy else None,
        )
    )


def proxy_of(proxy: ProxySettings) -> Proxy:
    """Return the HTTP proxy of the settings."""
    return Proxy(proxy.url, proxy.username, proxy.password.reveal(), resolves_names=proxy.resolves)


def gatherer_of(settings: Settings, database: Database, fetcher: HttpFetcher, pool: Executor) -> Gatherer:
    """Return the gather stage."""
    return Gatherer(SqlGatherStore(database), fetcher, settings.folder, PooledExecutor(pool))
