"""All stores together: from the poll of a feed to closed books, on both databases."""

from __future__ import annotations

from datetime import timedelta

from service.core import ids as identity
from service.core.model import (
    DeliveryState,
    DesiredSubscription,
    FeedState,
    Issue,
    Preferences,
    RenderedMail,
    SubscriptionStatus,
)
from service.deliver.ports import StateChange
from service.gather.ports import PollResult
from service.store.compose import SqlComposeStore
from service.store.condense import SqlCondenseStore
from service.store.database import Database
from service.store.deliver import SqlDeliverStore
from service.store.gather import SqlGatherStore
from service.store.subscribers import SqlSubscriberStore
from tests.builders import NOON, a_feed, a_subscriber, an_article, an_edition, condensed

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


async def test_an_article_becomes_a_delivery_that_is_sent_once(database: Database):
    gather, condense = SqlGatherStore(database), SqlCondenseStore(database)
    compose, deliver, people = (
        SqlComposeStore(database),
        SqlDeliverStore(database),
        SqlSubscriberStore(database),
    )
    edition = an_edition()
    await people.save_feeds([a_feed()], NOON)
    amina = a_subscriber()
    placement = DesiredSubscription(
        amina, "morning", Preferences(), edition, identity.edition_key(edition), NOON
    )
    applied = await people.save_roster_subscriptions([placement], NOON, starts_after=NOON - DAY)
    assert applied.added == 1

    [state] = await gather.claim_feeds(NOON, NOON + DAY)
    look = PollResult(FeedState(state.feed, next_poll_at=NOON + MINUTE, last_poll_at=NOON), (an_article(),))
    assert await gather.record_polls([look]) == [1]
    assert await gather.record_polls([look]) == [0]
    [article] = await condense.uncondensed(10)
    assert await compose.release_position(NOON) == 0
    await condense.record_summaries({article.id: condensed(article).summary}, NOON)
    assert await compose.release_position(NOON) == 1
    assert [told.article.id for told in await compose.released_articles(edition, 0, 1)] == [article.id]

    [group] = await compose.due_groups(NOON)
    assert (group.size, group.served_through, group.due_at) == (1, 0, NOON)
    issue = Issue(
        identity.issue_id(group.edition_key, "2026-03-02T07:00", 0),
        "morning",
        group.edition_key,
        "2026-03-02T07:00",
        NOON,
        0,
        1,
        RenderedMail("Subject", "<p>", "text"),
        (article.id,),
        NOON,
    )
    assert await compose.record_issue(group, issue, NOON + DAY, "file") == 1
    assert await compose.record_issue(group, issue, NOON + DAY, "file") == 0
    assert await compose.due_groups(NOON) == []

    batch = await deliver.take_batch("file", "a", NOON, NOON + MINUTE, 500)
    [delivery] = batch.deliveries
    assert delivery.id == identity.delivery_id(issue.id, amina.id, "file")
    assert (await deliver.take_batch("file", "b", NOON, NOON + MINUTE, 500)).deliveries == ()
    assert await deliver.record_changes("a", [StateChange(delivery, DeliveryState.ATTEMPTING, NOON)]) == {
        delivery.id
    }
    assert await deliver.record_changes("a", [StateChange(delivery, DeliveryState.SENT, NOON)]) == {
        delivery.id
    }
    assert await deliver.issue(issue.id) == issue

    [membership] = await people.memberships()
    assert membership.subscription.served_through == 1
    assert membership.subscription.status is SubscriptionStatus.ACTIVE
