"""Listings for the doors, and what the sweep finds unfinished."""

from __future__ import annotations

from service.core.model import DeliveryState as State
from service.core.read_models import PendingWork, RecordCounts
from tests.builders import NOON, a_feed, a_subscriber, an_article, an_edition
from tests.store.house import DAY, HOUR, MINUTE, House, a_placement, an_issue


async def test_in_an_empty_house_nothing_is_unfinished(house: House):
    assert await house.overview.pending_work(NOON) == PendingWork()


async def test_the_sweep_sees_what_waits_for_each_stage(house: House):
    await house.people.save_feeds([a_feed(), a_feed("https://two.example/rss")], NOON)
    await house.issue_to("amina", "ben")
    await house.arrive([an_article()])
    assert await house.overview.pending_work(NOON - MINUTE) == PendingWork(feeds=1, articles=1)
    assert await house.overview.pending_work(NOON) == PendingWork(feeds=2, articles=1, deliveries=2)
    assert await house.overview.pending_work(NOON + DAY) == PendingWork(2, 1, 1, 2)


async def test_what_a_worker_holds_is_unfinished_once_its_lease_has_run_out(house: House):
    await house.issue_to("amina", "ben")
    one, _ = (await house.take("a")).deliveries
    await house.mark("a", [one], State.ATTEMPTING)
    assert (await house.overview.pending_work(NOON)).deliveries == 0
    assert (await house.overview.pending_work(NOON + MINUTE)).deliveries == 2


async def test_the_next_moment_is_the_end_of_a_lease_or_a_turn_that_is_to_come(house: House):
    assert await house.overview.next_delivery_due(NOON) is None
    await house.issue_to("amina", "ben", "carla")
    assert await house.overview.next_delivery_due(NOON - HOUR) == NOON
    assert await house.overview.next_delivery_due(NOON) is None
    one, two, _ = (await house.take("a")).deliveries
    assert await house.overview.next_delivery_due(NOON) == NOON + MINUTE
    await house.mark("a", [one], State.ATTEMPTING)
    await house.mark("a", [two], State.SENT)
    assert await house.overview.next_delivery_due(NOON) == NOON + MINUTE
    assert await house.overview.next_delivery_due(NOON + MINUTE) is None


async def test_issues_are_listed_newest_first_with_their_books(house: House):
    morning = await house.issue_to("amina", "ben")
    [delivery, _] = (await house.take("a")).deliveries
    await house.mark("a", [delivery], State.SENT)
    evening = await house.issue_to("amina", edition=an_edition("evening"))
    lines = await house.overview.issues()
    assert [line.id for line in lines] == [evening.id, morning.id]
    assert [line.id for line in await house.overview.issues("morning")] == [morning.id]
    assert len(await house.overview.issues(limit=1)) == 1
    line = lines[1]
    assert (line.newsletter, line.subject, line.channel) == ("morning", "Talks resume", "file")
    assert (line.edition, line.edition_key) == (an_edition(), morning.edition_key)
    assert (line.served_from, line.served_through, line.article_ids) == (0, 1, ("a", "b"))
    assert (line.books.due, line.books.sent, line.books.waiting, line.books.closed) == (2, 1, 1, True)


async def test_books_that_do_not_close_are_seen(house: House):
    await house.issue_to("amina", "ben")
    async with house.database.write() as connection:
        await connection.exec_driver_sql("DELETE FROM deliveries WHERE subscriber = 1")
    [line] = await house.overview.issues()
    assert not line.books.closed


async def test_an_issue_is_found_by_the_beginning_of_its_id(house: House):
    issue = await house.issue_to("amina")
    assert [line.id for line in await house.overview.issues_by_prefix(issue.id[:8])] == [issue.id]
    assert await house.overview.issues_by_prefix("zz") == []


async def test_deliveries_of_an_issue_by_state_and_by_page(house: House):
    issue = await house.issue_to(*(f"reader{n}" for n in range(5)))
    batch = (await house.take("a", limit=2)).deliveries
    await house.mark("a", batch, State.REFUSED, reply="550 no")
    refused = await house.overview.deliveries(issue.id, states=[State.REFUSED])
    assert [(line.id, line.reply, line.attempts) for line in refused] == [(d.id, "550 no", 1) for d in batch]
    assert refused[0].issue_id == issue.id
    pages, after = [], None
    while page := await house.overview.deliveries(issue.id, after=after, limit=2):
        pages.append(len(page))
        after = page[-1].id
    assert pages == [2, 2, 1]


async def test_a_delivery_is_found_by_its_id_and_by_its_person(house: House):
    issue = await house.issue_to("amina", "ben")
    [line] = await house.overview.deliveries_to(a_subscriber().id)
    assert (line.issue_id, line.occurrence) == (issue.id, issue.occurrence)
    assert await house.overview.delivery(line.id) == line
    assert await house.overview.delivery("nobody's") is None


async def test_feeds_are_listed_with_what_they_brought(house: House):
    other = a_feed("https://two.example/rss", name="Another")
    await house.people.save_feeds([a_feed(), other], NOON)
    await house.arrive([an_article("One"), an_article("Two", gathered_at=NOON)])
    await house.people.save_feeds([a_feed()], NOON)
    lines = await house.overview.feeds()
    assert [(line.state.feed.name, line.active, line.articles) for line in lines] == [
        ("The Example", True, 2),
        ("Another", False, 0),
    ]
    assert [line.last_article_at for line in lines] == [NOON, None]


async def test_articles_are_listed_newest_first_and_found_by_id(house: House):
    await house.publish("One")
    await house.arrive([an_article("Two")])
    two, one = await house.overview.articles()
    assert [(two.article.title, two.state), (one.article.title, one.state)] == [
        ("Two", "new"),
        ("One", "condensed"),
    ]
    assert two.summary is None
    assert one.summary is not None
    assert await house.overview.articles_by_prefix(one.article.id[:10]) == [one]
    assert await house.overview.articles_by_id([one.article.id, "other"]) == [one]
    assert len(await house.overview.articles(limit=1)) == 1


async def test_counts(house: House):
    await house.people.save_roster_subscriptions([a_placement("ben")], NOON, starts_after=NOON)
    await house.publish("One", at=NOON - HOUR)
    await house.people.suppress("chloe@example.org", "complaint", NOON)
    assert await house.overview.counts() == RecordCounts(
        feeds=1, articles=1, subscribers=1, subscriptions=1, issues=0, suppressions=1
    )


async def test_an_issue_that_nobody_could_be_given_is_not_listed(house: House):
    await house.subscribe("amina")
    group = await house.group()
    await house.compose.record_issue(group, an_issue(group), NOON + DAY, "file")
    await house.compose.record_issue(group, an_issue(group, occurrence="again"), NOON + DAY, "file")
    assert len(await house.overview.issues()) == 1
