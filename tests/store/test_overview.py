"""What the first page reads: groups that are due, drafts, feeds in trouble, articles by time."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import update

from service.core.model import FeedState, SubscriptionStatus
from service.gather.ports import PollResult
from service.store import overview
from service.store.database import Database
from service.store.newsletter_sizes import edition_sizes
from service.store.overview import OverviewQueries
from service.store.schema import feeds
from tests.builders import NOON, a_feed, a_subscriber, an_article
from tests.store.stores import DAY, HOUR


@pytest.fixture
def queries(database: Database) -> OverviewQueries:
    return OverviewQueries(database)


async def test_due_groups_have_the_number_of_members_who_will_get_the_issue(stores, queries):
    await stores.subscribe("amina", "ben", "chloe")
    await stores.subscribers.set_status(
        a_subscriber("ben@example.org").id, None, SubscriptionStatus.UNSUBSCRIBED, NOON
    )
    [group] = await queries.due_groups(NOON + HOUR)
    assert (group.newsletter, group.due_at, group.size) == ("morning", NOON, 2)
    assert await queries.due_groups(NOON) == []


async def test_a_group_without_active_members_is_not_due(stores, queries):
    await stores.subscribe("amina")
    await stores.subscribers.set_status(a_subscriber().id, None, SubscriptionStatus.UNSUBSCRIBED, NOON)
    assert await queries.due_groups(NOON + HOUR) == []


async def test_people_who_are_suppressed_count_nowhere(stores, queries):
    """Today, Newsletters and a manual send count the same members; a suppressed stranger changes nothing."""
    await stores.subscribe("amina", "ben", "chloe")
    for name in ("ben", "stranger"):
        await stores.subscribers.suppress(f"{name}@example.org", "complained", NOON)
    [due] = await queries.due_groups(NOON + HOUR)
    [edition] = await edition_sizes(stores.database)
    [group] = await stores.compose.groups_of("morning", None)
    assert (due.size, edition.readers, group.size) == (2, 2, 2)
    for name in ("amina", "chloe"):
        await stores.subscribers.suppress(f"{name}@example.org", "complained", NOON)
    assert await queries.due_groups(NOON + HOUR) == []
    assert await edition_sizes(stores.database) == []
    assert await stores.compose.groups_of("morning", None) == []


async def test_large_groups_are_counted_once_a_minute(stores, queries, monkeypatch):
    monkeypatch.setattr(overview, "MANY", 2)
    await stores.subscribe("amina", "ben")
    assert [group.size for group in await queries.due_groups(NOON + HOUR)] == [2]
    await stores.subscribe("amina", "ben", "chloe")
    assert [group.size for group in await queries.due_groups(NOON + HOUR)] == [2]
    monkeypatch.setattr(overview, "MANY", 10)
    overview._sizes.get(stores.database, None, overview._GroupSizes).until = 0
    assert [group.size for group in await queries.due_groups(NOON + HOUR)] == [3]


@pytest.mark.parametrize(
    ("changes", "is_named"),
    [
        ({}, False),
        ({"failures": 2}, False),
        ({"failures": 3}, True),
        ({"failures": 1, "last_success_at": NOON - 2 * DAY}, True),
        ({"failures": 0, "last_success_at": NOON - 2 * DAY}, False),
        ({"gone_at": NOON}, True),
        ({"gone_at": NOON, "active": False}, False),
    ],
)
async def test_feeds_in_trouble(stores, queries, changes, is_named):
    feed = a_feed()
    await stores.subscribers.save_feeds([feed], NOON)
    async with stores.database.write() as connection:
        await connection.execute(update(feeds).values({"last_success_at": NOON, **changes}))
    found = await queries.troubled_feeds(NOON)
    assert [one.id for one in found] == ([feed.id] if is_named else [])


async def test_articles_are_counted_by_the_time_of_their_arrival(stores, queries):
    at = [NOON, NOON + timedelta(minutes=14), NOON + timedelta(minutes=15), NOON - DAY]
    new = tuple(
        replace(an_article(f"Story {number}"), gathered_at=moment) for number, moment in enumerate(at)
    )
    await stores.gather.record_polls([PollResult(FeedState(a_feed()), articles=new)])
    bounds = [NOON - 2 * DAY, NOON - DAY, NOON, NOON + timedelta(minutes=15), NOON + DAY]
    assert await queries.articles_by_day(bounds) == [0, 1, 2, 1]


async def test_late_deliveries_are_counted_with_the_oldest(stores, queries):
    await stores.plan_issue_for("amina", "ben")
    assert await queries.late_deliveries(NOON - HOUR) == (0, None)
    assert await queries.late_deliveries(NOON + HOUR) == (2, NOON)


async def test_an_empty_database_says_so(stores, queries):
    assert await queries.presence() == (False, False)
    await stores.subscribers.save_feeds([a_feed()], NOON)
    await stores.subscribe("amina")
    assert await queries.presence() == (True, True)
