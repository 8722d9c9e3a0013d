"""Pictures of publishers, fetched as web pages are: within limits, and only where robots.txt allows it."""

from __future__ import annotations

import asyncio
import logging

from typing_extensions import override

from service.app.clock import Clock
from service.compose.ports import PictureSource
from service.core.errors import CaveatError
from service.core.model import Picture
from service.gather.http.robots import RobotsCache
from service.gather.pictures import PictureRefused, shrink_picture
from service.gather.ports import Fetched, Fetcher, FetchFailed, Workers, WorkLimitExceeded

FETCH_SECONDS = 5.0  # for robots.txt and the file: the issue waits for them
SHRINK_SECONDS = 10.0  # until a process of the pool runs, is free and has read the file

log = logging.getLogger("compose")


class FetchedPictures(PictureSource):
    """Fetches pictures with the HTTP client of the feeds; `workers` read the files."""

    def __init__(
        self,
        fetcher: Fetcher,
        workers: Workers,
        clock: Clock,
        *,
        fetch_seconds: float = FETCH_SECONDS,
        shrink_seconds: float = SHRINK_SECONDS,
    ) -> None:
        self._fetcher, self._workers, self._clock = fetcher, workers, clock
        self._robots = RobotsCache(fetcher)
        self._fetch_seconds, self._shrink_seconds = fetch_seconds, shrink_seconds

    @override
    async def picture(self, url: str) -> Picture | None:
        try:
            async with asyncio.timeout(self._fetch_seconds):
                body = await self._fetch(url)
            async with asyncio.timeout(self._shrink_seconds):
                return await self._workers.run(shrink_picture, body)
        except TimeoutError:
            reason = "it took longer than an issue waits for it"
        except (PictureRefused, WorkLimitExceeded, CaveatError) as refused:
            reason = str(refused)
        except Exception as error:  # noqa: BLE001 - an issue is sent without its picture
            reason = f"an unexpected error occurred ({type(error).__name__}: {error})"
        log.warning("picture_failed", extra={"url": url, "reason": reason})
        return None

    async def _fetch(self, url: str) -> bytes:
        """Return the file. Raises PictureRefused with the reason why there is none."""
        if not await self._robots.allows(url, self._clock()):
            raise PictureRefused("robots.txt forbids to fetch it")
        response = await self._fetcher.fetch(url)
        if isinstance(response, Fetched):
            return response.body
        raise PictureRefused(response.reason if isinstance(response, FetchFailed) else "it was removed")
