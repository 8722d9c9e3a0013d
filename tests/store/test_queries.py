"""Listings for CLI and web, and the pending work that the sweep finds."""

from __future__ import annotations

from sqlalchemy import text

from service.core.model import DeliveryState as State
from service.core.read_models import PendingWork, RecordCounts
from tests.builders import NOON, a_feed, a_subscriber, an_article, an_edition
from tests.store.stores import DAY, HOUR, MINUTE, Stores, a_desired_subscription, an_issue


async def test_an_empty_store_has_no_pending_work(stores: Stores):
    assert await stores.queries.pending_work(NOON) == PendingWork()


async def test_pending_work_is_counted_by_stage(stores: Stores):
    await stores.subscribers.save_feeds([a_feed(), a_feed("https://two.example/rss")], NOON)
    await stores.plan_issue_for("amina", "ben")
    await stores.store_articles([an_article()])
    assert await stores.queries.pending_work(NOON - MINUTE) == PendingWork(feeds=1, articles=1)
    assert await stores.queries.pending_work(NOON) == PendingWork(feeds=2, articles=1, deliveries=2)
    assert await stores.queries.pending_work(NOON + DAY) == PendingWork(2, 1, 1, 2)


async def test_a_leased_delivery_is_pending_after_its_lease_has_expired(stores: Stores):
    await stores.plan_issue_for("amina", "ben")
    one, _ = (await stores.take_batch("a")).deliveries
    await stores.record_state("a", [one], State.ATTEMPTING)
    assert (await stores.queries.pending_work(NOON)).deliveries == 0
    assert (await stores.queries.pending_work(NOON + MINUTE)).deliveries == 2


async def test_the_next_due_time_is_a_planned_delivery_or_the_end_of_a_lease(stores: Stores):
    assert await stores.queries.next_delivery_due(NOON) is None
    await stores.plan_issue_for("amina", "ben", "carla")
    assert await stores.queries.next_delivery_due(NOON - HOUR) == NOON
    assert await stores.queries.next_delivery_due(NOON) is None
    one, two, _ = (await stores.take_batch("a")).deliveries
    assert await stores.queries.next_delivery_due(NOON) == NOON + MINUTE
    await stores.record_state("a", [one], State.ATTEMPTING)
    await stores.record_state("a", [two], State.SENT)
    assert await stores.queries.next_delivery_due(NOON) == NOON + MINUTE
    assert await stores.queries.next_delivery_due(NOON + MINUTE) is None


async def test_issues_are_listed_newest_first_with_their_books(stores: Stores):
    morning = await stores.plan_issue_for("amina", "ben")
    [delivery, _] = (await stores.take_batch("a")).deliveries
    await stores.record_state("a", [delivery], State.SENT)
    evening = await stores.plan_issue_for("amina", edition=an_edition("evening"))
    lines = await stores.queries.issues()
    assert [line.id for line in lines] == [evening.id, morning.id]
    assert [line.id for line in await stores.queries.issues("morning")] == [morning.id]
    assert len(await stores.queries.issues(limit=1)) == 1
    line = lines[1]
    assert (line.newsletter, line.subject, line.channel) == ("morning", "Talks resume", "file")
    assert (line.edition, line.edition_key) == (an_edition(), morning.edition_key)
    assert (line.served_from, line.served_through, line.article_ids) == (0, 1, ("a", "b"))
    assert (line.books.due, line.books.sent, line.books.waiting, line.books.closed) == (2, 1, 1, True)


async def test_books_that_do_not_close_are_detected(stores: Stores):
    await stores.plan_issue_for("amina", "ben")
    async with stores.database.write() as connection:
        await connection.execute(text("DELETE FROM deliveries WHERE subscriber = 1"))
    [line] = await stores.queries.issues()
    assert not line.books.closed


async def test_an_issue_is_found_by_the_prefix_of_its_id(stores: Stores):
    issue = await stores.plan_issue_for("amina")
    assert [line.id for line in await stores.queries.issues_by_prefix(issue.id[:8])] == [issue.id]
    assert await stores.queries.issues_by_prefix("zz") == []


async def test_deliveries_of_an_issue_are_listed_by_state_and_by_page(stores: Stores):
    issue = await stores.plan_issue_for(*(f"reader{n}" for n in range(5)))
    batch = (await stores.take_batch("a", limit=2)).deliveries
    await stores.record_state("a", batch, State.REFUSED, reply="550 no")
    refused = await stores.queries.deliveries(issue.id, states=[State.REFUSED])
    assert [(line.id, line.reply, line.attempts) for line in refused] == [(d.id, "550 no", 1) for d in batch]
    assert refused[0].issue_id == issue.id
    pages, after = [], None
    while page := await stores.queries.deliveries(issue.id, after=after, limit=2):
        pages.append(len(page))
        after = page[-1].id
    assert pages == [2, 2, 1]


async def test_a_delivery_is_found_by_its_id_and_by_its_subscriber(stores: Stores):
    issue = await stores.plan_issue_for("amina", "ben")
    [line] = await stores.queries.deliveries_to(a_subscriber().id)
    assert (line.issue_id, line.occurrence) == (issue.id, issue.occurrence)
    assert await stores.queries.delivery(line.id) == line
    assert await stores.queries.delivery("unknown") is None


async def test_feeds_are_listed_with_their_number_of_articles(stores: Stores):
    other = a_feed("https://two.example/rss", name="Another")
    await stores.subscribers.save_feeds([a_feed(), other], NOON)
    await stores.store_articles([an_article("One"), an_article("Two", gathered_at=NOON)])
    await stores.subscribers.save_feeds([a_feed()], NOON)
    lines = await stores.queries.feeds()
    assert [(line.state.feed.name, line.active, line.articles) for line in lines] == [
        ("The Example", True, 2),
        ("Another", False, 0),
    ]
    assert [line.last_article_at for line in lines] == [NOON, None]


async def test_articles_are_listed_newest_first_and_found_by_id(stores: Stores):
    await stores.publish("One")
    await stores.store_articles([an_article("Two")])
    two, one = await stores.queries.articles()
    assert [(two.article.title, two.state), (one.article.title, one.state)] == [
        ("Two", "new"),
        ("One", "condensed"),
    ]
    assert two.summary is None
    assert one.summary is not None
    assert await stores.queries.articles_by_prefix(one.article.id[:10]) == [one]
    assert await stores.queries.articles_by_id([one.article.id, "other"]) == [one]
    assert len(await stores.queries.articles(limit=1)) == 1


async def test_records_are_counted(stores: Stores):
    await stores.subscribers.save_roster_subscriptions(
        [a_desired_subscription("ben")], NOON, starts_after=NOON
    )
    await stores.publish("One", at=NOON - HOUR)
    await stores.subscribers.suppress("chloe@example.org", "complaint", NOON)
    assert await stores.queries.counts() == RecordCounts(
        feeds=1, articles=1, subscribers=1, subscriptions=1, issues=0, suppressions=1
    )


async def test_an_issue_without_deliveries_is_not_listed(stores: Stores):
    await stores.subscribe("amina")
    group = await stores.due_group()
    await stores.compose.record_issue(group, an_issue(group), NOON + DAY, "file")
    await stores.compose.record_issue(group, an_issue(group, occurrence="again"), NOON + DAY, "file")
    assert len(await stores.queries.issues()) == 1
