"""Fixtures of the tests over HTTP: a scripted server, and a fetcher that may reach it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from service.gather.http.fetcher import FetchLimits, HttpFetcher
from tests.gather.server import Server, serving

HOME = ("127.0.0.1",)


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with serving() as running:
        yield running


@pytest.fixture
async def fetcher() -> AsyncIterator[HttpFetcher]:
    async with HttpFetcher(FetchLimits(allow_private=HOME, total_seconds=1.0)) as running:
        yield running
