"""Gathering into a real database: seen items survive, and articles are in order."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from service.gather.poll import Gatherer
from service.gather.stage import gather
from service.store.condense import SqlCondenseStore
from service.store.database import Database
from service.store.gather import SqlGatherStore
from service.store.subscribers import SqlSubscriberStore
from tests.builders import NOON, a_feed
from tests.gather.feeds import an_item, an_rss, numbered
from tests.gather.server import reply


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    opened = await Database.open(f"sqlite:///{tmp_path / 'caveat.db'}")
    yield opened
    await opened.close()


async def test_each_poll_builds_on_the_one_before(server, fetcher, database, tmp_path):
    feed, quiet = (
        a_feed(server.url(), poll_interval=timedelta(hours=1)),
        a_feed(server.url("/quiet"), name="Quiet"),
    )
    await SqlSubscriberStore(database).save_feeds([feed, quiet], NOON)
    server.routes["/feed"] = reply(numbered(range(5, 10)), etag='W/"a  b"')
    server.routes["/quiet"] = reply(numbered(range(50, 52)), etag='"q"')

    async def poll(hours: float):
        gatherer = Gatherer(SqlGatherStore(database), fetcher, tmp_path)  # as after a restart
        return await gather(gatherer, now=NOON + timedelta(hours=hours))

    first, soon = await poll(0), await poll(0.1)
    server.routes["/feed"] = reply(numbered(range(3, 9)), etag='"c"')
    later = await poll(30)

    assert [(r.polled, r.unchanged, r.new) for r in (first, soon, later)] == [(2, 0, 7), (0, 0, 0), (2, 1, 2)]
    assert {r.headers.get("if-none-match") for r in server.asked[2:]} == {'W/"a  b"', '"q"'}
    stored = await SqlCondenseStore(database).uncondensed(100)
    ours = [article.title.split(" ")[2] for article in stored if article.feed_id == feed.id]
    assert ours == ["9", "8", "7", "6", "5", "4", "3"]


async def test_entries_with_unsafe_characters_are_stored(server, fetcher, database, tmp_path):
    feed = a_feed(server.url())
    await SqlSubscriberStore(database).save_feeds([feed], NOON)
    title = "Bell \x07, NUL &#0;, lone &#xD800;, \u2028 line, \ue000name\ue001, " + "x" * 5_000
    server.routes["/feed"] = reply(an_rss(an_item(1, title="plain")).replace("plain", title))

    report = await gather(Gatherer(SqlGatherStore(database), fetcher, tmp_path), now=NOON)

    assert report.new == 1
    article = (await SqlCondenseStore(database).uncondensed(1))[0]
    assert article.title.isprintable()
    assert len(article.title) <= 300
