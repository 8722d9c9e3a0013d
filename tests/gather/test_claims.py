"""Several gatherers on one database: each feed is polled once, and a crash delays its feeds by a minute."""

from __future__ import annotations

import asyncio
from collections import Counter
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import select

from service.gather import stage
from service.gather.http.fetcher import FetchLimits, HttpFetcher
from service.gather.poll import Gatherer
from service.gather.stage import CLAIM_DURATION, gather
from service.store.database import Database
from service.store.gather import SqlGatherStore
from service.store.schema import articles
from service.store.subscribers import SqlSubscriberStore
from tests.builders import NOON, a_feed
from tests.gather.conftest import HOME
from tests.gather.feeds import numbered
from tests.gather.server import Request, Server, Wire, reply
from tests.store.kills import killed_at

PATHS = [f"/feed{n}" for n in range(20)]


@pytest.fixture
async def declared(database: Database, server: Server) -> Database:
    """Return a database of feeds that are all due."""
    for path in PATHS:
        server.routes[path] = reply(numbered([1]))
    feeds = [a_feed(server.url(path), name=path, full_text="never") for path in PATHS]
    await SqlSubscriberStore(database).save_feeds(feeds, NOON)
    return database


def asked(server: Server) -> Counter[str]:
    return Counter(path for path in server.paths() if path in PATHS)


async def test_two_gatherers_poll_each_feed_once(declared, server, fetcher, tmp_path: Path):
    async with HttpFetcher(FetchLimits(allow_private=HOME)) as other:
        crew = [Gatherer(SqlGatherStore(declared), one, tmp_path) for one in (fetcher, other)]
        reports = await asyncio.gather(*(gather(one, now=NOON) for one in crew))
    assert asked(server) == dict.fromkeys(PATHS, 1)
    assert sum(report.polled for report in reports) == len(PATHS)


async def stuck(server: Server, path: str) -> asyncio.Event:
    """Let the server hang at this path; return an event that its request sets."""
    reached = asyncio.Event()

    async def hang(_request: Request, _wire: Wire) -> None:
        reached.set()
        await asyncio.Event().wait()

    server.routes[path] = hang
    return reached


async def test_feeds_not_polled_by_a_stopped_gatherer_are_due_at_once(
    declared, server, fetcher, tmp_path: Path
):
    gatherer = Gatherer(SqlGatherStore(declared), fetcher, tmp_path)
    reached = await stuck(server, PATHS[0])
    work = asyncio.create_task(gather(gatherer, now=NOON))
    await reached.wait()
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)

    server.routes[PATHS[0]] = reply(numbered([1]))
    await gather(gatherer, now=NOON)
    assert set(asked(server)) == set(PATHS)
    assert await gatherer.store.claim_feeds(NOON, NOON) == []


async def test_feeds_of_a_killed_gatherer_are_polled_after_its_claim(
    declared, server, fetcher, tmp_path: Path
):
    # A killed worker leaves only its claims.
    assert len(await SqlGatherStore(declared).claim_feeds(NOON, NOON + CLAIM_DURATION)) == len(PATHS)

    successor = Gatherer(SqlGatherStore(declared), fetcher, tmp_path)
    assert (await gather(successor, now=NOON + CLAIM_DURATION / 2)).polled == 0
    assert (await gather(successor, now=NOON + CLAIM_DURATION)).polled == len(PATHS)
    assert asked(server) == dict.fromkeys(PATHS, 1)


@pytest.mark.parametrize("committed", [False, True])
async def test_after_a_crash_at_any_write_each_article_is_recorded_once(
    declared, server, monkeypatch, committed
):
    monkeypatch.setattr(stage, "GROUP_SIZE", 6)
    for number, path in enumerate(PATHS):
        server.routes[path] = reply(numbered([2 * number + 1, 2 * number]))
    now, crashes = NOON, 0
    async with HttpFetcher(FetchLimits(allow_private=HOME)) as fetcher:
        gatherer = Gatherer(SqlGatherStore(declared), fetcher, Path())
        # Killed in the claim of the first pass, in the first group of the second pass, and so on.
        while await killed_at(
            crashes + 1, partial(gather, gatherer, now=now), monkeypatch, committed=committed
        ):
            crashes += 1
            now += CLAIM_DURATION
    assert crashes >= 3

    assert await gatherer.store.claim_feeds(now, now) == []
    assert all(state.last_success_at for state in await gatherer.store.all_feeds())
    async with declared.read() as connection:
        places = (await connection.execute(select(articles.c.position, articles.c.title))).all()
    assert sorted(position for position, _ in places) == [*range(1, 2 * len(PATHS) + 1)]
    assert len({title for _, title in places}) == len(places)
