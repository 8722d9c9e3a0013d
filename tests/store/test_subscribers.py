"""Roster subscriptions, choices of subscribers, and suppressed addresses."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from service.core import ids as identity
from service.core.model import DesiredSubscription, Preferences, SubscriptionStatus
from service.subscribers.ports import SyncCounts
from tests.builders import NOON, a_feed, a_subscriber, an_article, an_edition
from tests.store.stores import DAY, HOUR, Stores, a_desired_subscription, an_issue

ACTIVE, PAUSED = SubscriptionStatus.ACTIVE, SubscriptionStatus.PAUSED
UNSUBSCRIBED, ENDED = SubscriptionStatus.UNSUBSCRIBED, SubscriptionStatus.ENDED
AMINA = a_subscriber().id
EARLY = an_edition(schedule="daily 06:00")


def early(name: str = "amina") -> DesiredSubscription:
    return a_desired_subscription(
        name, EARLY, preferences=Preferences(schedule="daily 06:00"), next_due_at=NOON + HOUR
    )


async def declare(stores: Stores, *desired: DesiredSubscription) -> SyncCounts:
    return await stores.subscribers.save_roster_subscriptions(desired, NOON, starts_after=NOON - DAY)


# --- feeds -------------------------------------------------------------------------------------


async def test_saving_feeds_counts_the_changes(stores: Stores):
    one, two = a_feed("https://one.example/rss"), a_feed("https://two.example/rss")
    assert await stores.subscribers.save_feeds([one, two], NOON) == SyncCounts(added=2)
    assert await stores.subscribers.save_feeds([one, two], NOON) == SyncCounts(kept=2)
    renamed = replace(one, name="Number one", topics=("retail",))
    assert await stores.subscribers.save_feeds([renamed], NOON) == SyncCounts(changed=1, ended=1)
    assert [state.feed for state in await stores.gather.all_feeds()] == [renamed]


async def test_a_feed_that_returns_keeps_its_poll_state(stores: Stores):
    await stores.subscribers.save_feeds([a_feed()], NOON)
    await stores.store_articles([an_article()])
    await stores.subscribers.save_feeds([], NOON)
    assert await stores.gather.claim_feeds(NOON + DAY, NOON + 2 * DAY) == []
    assert await stores.subscribers.save_feeds([a_feed()], NOON) == SyncCounts(changed=1)
    [state] = await stores.gather.claim_feeds(NOON + DAY, NOON + 2 * DAY)
    assert state.next_poll_at == NOON


# --- the roster --------------------------------------------------------------------------------


async def test_saving_a_roster_counts_the_changes(stores: Stores):
    assert await declare(
        stores, a_desired_subscription("amina"), a_desired_subscription("ben")
    ) == SyncCounts(added=2)
    assert await declare(
        stores, a_desired_subscription("amina"), a_desired_subscription("ben")
    ) == SyncCounts(kept=2)
    assert await declare(stores, early("amina")) == SyncCounts(changed=1, ended=1)


async def test_a_membership_has_the_subscriber_edition_and_subscription(stores: Stores):
    desired = early()
    await declare(stores, desired)
    membership = await stores.membership()
    assert membership.subscriber == desired.subscriber
    assert membership.edition == EARLY
    assert membership.suppressed is None
    subscription = membership.subscription
    assert (subscription.newsletter, subscription.preferences, subscription.status) == (
        "morning",
        desired.preferences,
        ACTIVE,
    )
    assert (subscription.edition_key, subscription.next_due_at) == (desired.edition_key, desired.next_due_at)


async def test_memberships_are_listed_by_address_and_newsletter(stores: Stores):
    await declare(
        stores,
        a_desired_subscription("ben"),
        a_desired_subscription("amina", an_edition("zenith")),
        a_desired_subscription("amina"),
    )

    async def listed(**which: str) -> list[tuple[str, str]]:
        found = await stores.subscribers.memberships(**which)
        return [(m.subscriber.email[0], m.subscription.newsletter) for m in found]

    assert await listed() == [("a", "morning"), ("a", "zenith"), ("b", "morning")]
    assert await listed(newsletter="morning") == [("a", "morning"), ("b", "morning")]
    assert await listed(email="AMINA@example.org") == [("a", "morning"), ("a", "zenith")]
    assert await listed(subscriber_id=AMINA, newsletter="zenith") == [("a", "zenith")]
    assert await listed(email="nobody@example.org") == []


async def test_the_cursor_of_a_new_subscriber_is_before_the_articles_since_its_start(stores: Stores):
    await stores.publish("Before", at=NOON - 2 * DAY)
    await stores.publish("Since", at=NOON - DAY)
    await declare(stores, a_desired_subscription())
    assert (await stores.subscription()).served_through == 1


async def test_a_changed_edition_changes_the_due_time_and_keeps_the_cursor(stores: Stores):
    await stores.publish("Before", at=NOON - 2 * DAY)
    await declare(stores, a_desired_subscription())
    await declare(stores, early())
    subscription = await stores.subscription()
    assert (subscription.edition_key, subscription.next_due_at) == (identity.edition_key(EARLY), NOON + HOUR)
    assert subscription.served_through == 1


async def test_an_unchanged_edition_keeps_its_due_time(stores: Stores):
    await declare(stores, a_desired_subscription())
    await declare(stores, a_desired_subscription(next_due_at=NOON + DAY))
    assert (await stores.subscription()).next_due_at == NOON


async def test_a_changed_name_or_spelling_is_saved(stores: Stores):
    await declare(stores, a_desired_subscription())
    person = a_subscriber("Amina@example.org", name="Dr Amina", timezone="Asia/Qatar")
    assert await declare(stores, a_desired_subscription(subscriber=person)) == SyncCounts(changed=1)
    assert (await stores.membership()).subscriber == person


@pytest.mark.parametrize("choice", [PAUSED, UNSUBSCRIBED])
async def test_a_status_chosen_by_the_subscriber_overrides_the_roster(
    stores: Stores, choice: SubscriptionStatus
):
    await declare(stores, a_desired_subscription())
    assert await stores.subscribers.set_status(AMINA, "morning", choice, NOON) == 1
    assert await declare(stores, a_desired_subscription()) == SyncCounts(kept=1)
    assert (await stores.subscription()).status is choice


async def test_preferences_of_the_subscriber_override_the_roster(stores: Stores):
    await declare(stores, a_desired_subscription())
    await stores.subscribers.save_preferences(early(), NOON)
    assert await declare(stores, a_desired_subscription()) == SyncCounts(kept=1)
    subscription = await stores.subscription()
    assert (subscription.edition_key, subscription.preferences) == (
        identity.edition_key(EARLY),
        Preferences(schedule="daily 06:00"),
    )


async def test_an_ended_subscription_becomes_active_when_the_roster_lists_it_again(stores: Stores):
    await declare(stores, a_desired_subscription())
    await declare(stores)
    assert (await stores.subscription()).status is ENDED
    assert await stores.compose.due_groups(NOON) == []
    assert await declare(stores, a_desired_subscription()) == SyncCounts(changed=1)
    assert (await stores.subscription()).status is ACTIVE


@pytest.mark.parametrize("choice", [PAUSED, UNSUBSCRIBED])
async def test_a_returning_subscription_keeps_the_status_chosen_by_the_subscriber(
    stores: Stores, choice: SubscriptionStatus
):
    await declare(stores, a_desired_subscription())
    await stores.subscribers.set_status(AMINA, "morning", choice, NOON)
    await declare(stores)
    await declare(stores, a_desired_subscription())
    assert (await stores.subscription()).status is choice


async def test_a_subscriber_who_unsubscribes_after_the_end_stays_unsubscribed(stores: Stores):
    await declare(stores, a_desired_subscription())
    await declare(stores)
    await stores.subscribers.set_status(AMINA, None, UNSUBSCRIBED, NOON)
    await declare(stores, a_desired_subscription())
    assert (await stores.subscription()).status is UNSUBSCRIBED


async def test_a_subscriber_cannot_resume_what_the_roster_ended(stores: Stores):
    await declare(stores, a_desired_subscription())
    await declare(stores)
    await stores.subscribers.set_status(AMINA, None, ACTIVE, NOON)
    assert (await stores.subscription()).status is ENDED


async def test_a_returning_subscriber_is_due_at_the_next_scheduled_time(stores: Stores):
    await declare(stores, a_desired_subscription())
    await declare(stores)
    await stores.subscribers.save_roster_subscriptions(
        [a_desired_subscription()], NOON + DAY, starts_after=NOON
    )
    subscription = await stores.subscription()
    assert subscription.next_due_at == NOON.replace(day=4, hour=6)  # 07:00 in Berlin
    assert subscription.served_through == 0


async def test_a_subscriber_resuming_after_a_long_pause_gets_only_recent_articles(stores: Stores):
    await declare(stores, a_desired_subscription())
    await stores.subscribers.set_status(AMINA, None, PAUSED, NOON)
    for day in range(1, 11):
        await stores.publish(f"News of day {day}", at=NOON + day * DAY)
    await stores.subscribers.set_status(AMINA, None, ACTIVE, NOON + 10 * DAY + HOUR)
    subscription = await stores.subscription()
    # The last two due times were 06:00 (UTC) on days 9 and 10; articles since the first of them are sent.
    assert subscription.served_through == 8
    assert subscription.next_due_at == NOON.replace(hour=6) + 11 * DAY


async def test_a_subscriber_resuming_while_the_group_is_due_is_served_with_it(stores: Stores):
    await declare(stores, a_desired_subscription("amina"), a_desired_subscription("ben"))
    await stores.subscribers.set_status(AMINA, None, PAUSED, NOON)
    await stores.subscribers.set_status(AMINA, None, ACTIVE, NOON + HOUR)
    assert (await stores.due_group()).size == 2


async def test_thousands_of_subscriptions_are_saved_in_one_call(stores: Stores):
    many = [a_desired_subscription(f"reader{n}") for n in range(5_000)]
    assert await declare(stores, *many) == SyncCounts(added=5_000)
    assert (await stores.due_group()).size == 5_000
    assert await declare(stores, *many[:-1]) == SyncCounts(kept=4_999, ended=1)


# --- imports -----------------------------------------------------------------------------------


async def test_an_import_and_the_roster_do_not_change_the_subscriptions_of_each_other(stores: Stores):
    await declare(stores, a_desired_subscription("amina"))
    added = await stores.subscribers.add_subscriptions(
        [a_desired_subscription("ben")], NOON, starts_after=NOON - DAY
    )
    assert added == SyncCounts(added=1)
    assert await declare(stores, a_desired_subscription("amina")) == SyncCounts(kept=1)
    assert [(await stores.subscription(name)).status for name in ("amina", "ben")] == [ACTIVE, ACTIVE]


async def test_an_import_neither_resubscribes_a_subscriber_nor_removes_a_name(stores: Stores):
    await declare(stores, a_desired_subscription())
    await stores.subscribers.set_status(AMINA, None, UNSUBSCRIBED, NOON)
    nameless = a_desired_subscription(subscriber=a_subscriber(name=""))
    assert await stores.subscribers.add_subscriptions([nameless], NOON, starts_after=NOON) == SyncCounts(
        kept=1
    )
    membership = await stores.membership()
    assert (membership.subscription.status, membership.subscriber.name) == (UNSUBSCRIBED, "Amina")


# --- choices of subscribers --------------------------------------------------------------------


async def test_a_subscriber_who_signs_up_gets_the_cursor_of_the_group(stores: Stores):
    await stores.publish("One", "Two", at=NOON - HOUR)
    await declare(stores, a_desired_subscription("ben"))
    await stores.subscribers.save_preferences(a_desired_subscription("amina"), NOON)
    assert (await stores.subscription("amina")).served_through == (
        await stores.subscription("ben")
    ).served_through
    assert (await stores.due_group()).size == 2


async def test_a_status_can_be_set_for_all_newsletters_at_once(stores: Stores):
    await declare(stores, a_desired_subscription(), a_desired_subscription("amina", an_edition("evening")))
    assert await stores.subscribers.set_status(AMINA, None, UNSUBSCRIBED, NOON) == 2
    assert await stores.subscribers.set_status(AMINA, None, UNSUBSCRIBED, NOON) == 0


async def test_resuming_all_newsletters_does_not_resume_an_unsubscribed_one(stores: Stores):
    await declare(stores, a_desired_subscription(), a_desired_subscription("amina", an_edition("evening")))
    await stores.subscribers.set_status(AMINA, "evening", UNSUBSCRIBED, NOON)
    assert await stores.subscribers.set_status(AMINA, None, PAUSED, NOON) == 1
    assert await stores.subscribers.set_status(AMINA, None, ACTIVE, NOON) == 1
    memberships = await stores.subscribers.memberships(subscriber_id=AMINA)
    assert {m.subscription.newsletter: m.subscription.status for m in memberships} == {
        "morning": ACTIVE,
        "evening": UNSUBSCRIBED,
    }
    assert await stores.subscribers.set_status(AMINA, "evening", ACTIVE, NOON) == 1


async def test_setting_the_status_of_an_unknown_subscriber_changes_nothing(stores: Stores):
    assert await stores.subscribers.set_status("stranger", None, PAUSED, NOON) == 0


async def test_two_concurrent_changes_are_both_saved(stores: Stores):
    await declare(stores, a_desired_subscription())
    await asyncio.gather(
        stores.subscribers.save_preferences(early(), NOON),
        stores.subscribers.set_status(AMINA, "morning", PAUSED, NOON),
    )
    subscription = await stores.subscription()
    assert (subscription.edition_key, subscription.status) == (identity.edition_key(EARLY), PAUSED)


# --- suppression, erasure and signing key ------------------------------------------------------


async def test_an_address_in_any_spelling_is_suppressed_until_it_is_unsuppressed(stores: Stores):
    await declare(stores, a_desired_subscription())
    await stores.subscribers.suppress("AMINA@example.org", "hard bounce", NOON)
    await stores.subscribers.suppress("amina@example.org", "complaint", NOON)
    assert (await stores.membership()).suppressed == "hard bounce"
    assert await stores.subscribers.unsuppress("Amina@Example.org")
    assert not await stores.subscribers.unsuppress("amina@example.org")
    assert (await stores.membership()).suppressed is None


async def test_an_erased_subscriber_leaves_no_address_and_the_books_close(stores: Stores):
    await declare(stores, a_desired_subscription("amina"), a_desired_subscription("ben"))
    group = await stores.due_group()
    issue = an_issue(group)
    await stores.compose.record_issue(group, issue, NOON + DAY, "file")
    assert await stores.subscribers.erase("Amina@example.org")
    assert not await stores.subscribers.erase("amina@example.org")
    assert await stores.subscribers.memberships(email="amina@example.org") == []
    batch = await stores.take_batch("a")
    assert ([d.address for d in batch.deliveries], batch.suppressed) == (["ben@example.org"], 1)
    [line] = await stores.queries.issues()
    assert line.books.closed
    assert "amina" not in str(await stores.queries.deliveries(issue.id)).lower()


async def test_the_signing_key_is_created_once(stores: Stores):
    key = await stores.subscribers.signing_key()
    assert len(key) == 32
    assert await stores.subscribers.signing_key() == key


async def test_subscribers_are_listed_by_page_in_the_order_of_arrival(stores: Stores):
    await stores.subscribe("carla", "amina", "ben")
    await stores.subscribe("amina", edition=an_edition("evening"))
    seen: list[str] = []
    last: str | None = None
    while page := await stores.subscribers.memberships_page(last, 2):
        seen += [f"{m.subscriber.email.split('@')[0]} {m.subscription.newsletter}" for m in page]
        last = page[-1].subscriber.id

    assert seen == ["carla morning", "amina evening", "amina morning", "ben morning"]


async def test_a_membership_shows_whether_it_was_declared_or_chosen(stores: Stores):
    await stores.subscribe("amina")
    assert ((await stores.membership()).declared, (await stores.membership()).chosen) == (True, False)
    await stores.subscribers.save_preferences(a_desired_subscription("amina", an_edition(stories=3)), NOON)
    assert ((await stores.membership()).declared, (await stores.membership()).chosen) == (True, True)


async def test_known_subscribers_are_distinguished_from_unknown_ones(stores: Stores):
    await stores.subscribe("amina")
    amina, ben = a_desired_subscription("amina").subscriber.id, a_desired_subscription("ben").subscriber.id
    assert await stores.subscribers.known_subscribers([amina, ben]) == {amina}
    assert await stores.subscribers.known_subscribers([]) == set()


async def test_an_address_without_a_subscriber_has_a_suppression_reason(stores: Stores):
    await stores.subscribers.suppress("Nobody@example.org", "complaint", NOON)
    found = await stores.subscribers.suppression("nobody@example.org")
    assert found is not None
    assert found.reason == "complaint"
    assert await stores.subscribers.suppression("amina@example.org") is None
