"""Compose gets the feed health by gather's rule, from the stored state."""

from __future__ import annotations

from datetime import timedelta

from service.app.factories.compose import StoredFeedHealth
from service.core.model import FeedState
from service.gather.ports import PollResult
from service.store.database import Database
from service.store.gather import SqlGatherStore
from service.store.queries import Queries
from tests.builders import NOON, a_feed

DAY = timedelta(days=1)


async def test_every_feed_of_the_roster_has_a_health_even_one_that_ended(sqlite_url: str):
    database = await Database.open(sqlite_url)
    gather, standings = SqlGatherStore(database), StoredFeedHealth(Queries(database))
    good, bad, ended = (
        a_feed(f"https://{name}.example/rss", name=name.title()) for name in ("good", "bad", "ended")
    )
    read = NOON - 3 * DAY
    await gather.record_polls([PollResult(FeedState(good, last_success_at=NOON))])
    await gather.record_polls(
        [PollResult(FeedState(bad, last_success_at=read, failures=9, last_error="token=s3cret"))]
    )
    await gather.record_polls([PollResult(FeedState(ended, last_success_at=read, failures=1), gone=True)])
    found = {standing.name: standing for standing in await standings.source_health(NOON)}
    await database.close()

    assert {name: standing.is_healthy for name, standing in found.items()} == {
        "Good": True,
        "Bad": False,
        "Ended": False,
    }
    assert found["Ended"].last_healthy_at == read
    assert "s3cret" not in str(found)
