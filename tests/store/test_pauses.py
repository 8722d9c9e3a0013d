"""A pause until a date ends by itself, with an issue that has what came meanwhile."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from service.core.model import Preferences, SubscriptionStatus
from tests.builders import NOON, a_subscriber, an_edition
from tests.store.stores import DAY, HOUR, MINUTE, Stores, a_desired_subscription, an_issue

ACTIVE, PAUSED = SubscriptionStatus.ACTIVE, SubscriptionStatus.PAUSED
UNSUBSCRIBED = SubscriptionStatus.UNSUBSCRIBED
AMINA = a_subscriber().id
BERLIN = an_edition()  # daily 07:00
RETURN_DAY = date(2026, 3, 9)  # NOON is on 2 March
MIDNIGHT = datetime(2026, 3, 8, 23, 0, tzinfo=UTC)  # the start of that day in Berlin
RETURN_AT = datetime(2026, 3, 9, 6, 0, tzinfo=UTC)
TOMORROW = datetime(2026, 3, 3, 6, 0, tzinfo=UTC)


async def paused(stores: Stores, *others: str) -> None:
    """Subscribe Amina and others, all due tomorrow at seven, and pause hers until RETURN_DAY."""
    await stores.publish("Before the pause", at=NOON - HOUR)
    await stores.subscribe("amina", *others, next_due_at=TOMORROW)
    assert await stores.subscribers.pause_until(AMINA, "morning", RETURN_DAY, NOON) == 1


async def test_a_pause_until_a_date_is_due_at_the_first_time_from_that_day_on(stores: Stores):
    await paused(stores)
    membership = await stores.membership()
    subscription = membership.subscription
    assert (subscription.status, subscription.paused_until) == (PAUSED, MIDNIGHT)
    assert (subscription.next_due_at, subscription.served_through) == (RETURN_AT, 0)
    assert membership.pause_end == RETURN_DAY


async def test_nothing_is_due_before_and_the_return_issue_has_the_cursor_of_the_pause(stores: Stores):
    await paused(stores, "ben")
    group = await stores.due_group(TOMORROW)
    assert group.size == 1
    await stores.compose.record_issue(group, an_issue(group), TOMORROW + DAY, "file")
    for _ in range(5):
        group = await stores.due_group(group.due_at + DAY)
        await stores.compose.skip_issue(group, group.due_at + DAY, 1)

    assert (await stores.membership()).subscription.status is PAUSED
    returning, daily = sorted(await stores.compose.due_groups(RETURN_AT), key=lambda g: g.served_through)
    assert (returning.size, returning.served_through, returning.due_at) == (1, 0, RETURN_AT)
    assert (daily.size, daily.served_through) == (1, 1)
    subscription = await stores.subscription()
    assert (subscription.status, subscription.paused_until) == (ACTIVE, None)


async def test_the_pause_is_over_when_the_day_begins_in_the_time_zone_of_the_subscription(stores: Stores):
    await paused(stores)
    assert (await stores.queries.pending_work(MIDNIGHT - MINUTE)).groups == 0
    await stores.compose.due_groups(MIDNIGHT - MINUTE)
    assert (await stores.subscription()).status is PAUSED

    assert (await stores.queries.pending_work(MIDNIGHT)).groups == 1
    assert await stores.compose.due_groups(MIDNIGHT) == []
    assert (await stores.subscription()).status is ACTIVE
    assert [g.size for g in await stores.compose.groups_of("morning", None)] == [1]


async def test_a_paused_subscriber_gets_no_manual_send_and_keeps_the_articles_for_later(stores: Stores):
    await stores.publish("One", at=NOON - HOUR)
    # Due at the very time of the return, with the same cursor: one group before the pause, two after it.
    await stores.subscribe("amina", "ben", next_due_at=RETURN_AT)
    await stores.subscribers.pause_until(AMINA, "morning", RETURN_DAY, NOON)
    [group] = await stores.compose.groups_of("morning", None)
    assert group.size == 1
    assert await stores.compose.record_issue(group, an_issue(group), None, "file") == 1

    assert (await stores.subscription("ben")).served_through == 1
    assert (await stores.subscription("amina")).served_through == 0
    found = {g.served_through: g.size for g in await stores.compose.due_groups(RETURN_AT)}
    assert found == {0: 1, 1: 1}


async def test_an_early_return_is_due_next_with_the_articles_since_the_pause(stores: Stores):
    await paused(stores)
    assert await stores.subscribers.set_status(AMINA, "morning", ACTIVE, NOON + 3 * DAY) == 1
    subscription = await stores.subscription()
    assert (subscription.status, subscription.paused_until) == (ACTIVE, None)
    assert (subscription.next_due_at, subscription.served_through) == (TOMORROW + 3 * DAY, 0)


@pytest.mark.parametrize("status", [PAUSED, UNSUBSCRIBED])
async def test_another_status_removes_the_date(stores: Stores, status: SubscriptionStatus):
    await paused(stores)
    await stores.subscribers.set_status(AMINA, "morning", status, NOON)
    await stores.compose.due_groups(RETURN_AT)
    subscription = await stores.subscription()
    assert (subscription.status, subscription.paused_until) == (status, None)
    assert subscription.next_due_at == TOMORROW


async def test_a_later_date_replaces_the_first_one_and_the_same_date_changes_nothing(stores: Stores):
    await paused(stores)
    assert await stores.subscribers.pause_until(AMINA, None, RETURN_DAY, NOON + HOUR) == 0
    assert await stores.subscribers.pause_until(AMINA, None, date(2026, 3, 10), NOON + HOUR) == 1
    assert (await stores.subscription()).next_due_at == RETURN_AT + DAY


async def test_a_pause_without_an_end_gets_one(stores: Stores):
    await stores.subscribe("amina", next_due_at=TOMORROW)
    await stores.subscribers.set_status(AMINA, "morning", PAUSED, NOON)
    assert await stores.subscribers.pause_until(AMINA, "morning", RETURN_DAY, NOON) == 1
    await stores.compose.due_groups(RETURN_AT)
    assert (await stores.subscription()).status is ACTIVE


async def test_unsubscribed_newsletters_stay_unsubscribed_unless_they_are_named(stores: Stores):
    await stores.subscribe("amina", next_due_at=TOMORROW)
    await stores.subscribers.set_status(AMINA, "morning", UNSUBSCRIBED, NOON)
    assert await stores.subscribers.pause_until(AMINA, None, RETURN_DAY, NOON) == 0
    assert (await stores.subscription()).status is UNSUBSCRIBED
    assert await stores.subscribers.pause_until(AMINA, "morning", RETURN_DAY, NOON) == 1


async def test_applying_the_roster_changes_the_edition_and_not_the_pause(stores: Stores):
    await paused(stores)
    early = an_edition(schedule="daily 06:00")
    await stores.subscribe("amina", edition=early, next_due_at=TOMORROW - HOUR)
    subscription = await stores.subscription()
    assert (subscription.status, subscription.paused_until) == (PAUSED, MIDNIGHT)
    assert (subscription.next_due_at, subscription.served_through) == (RETURN_AT - HOUR, 0)


async def test_in_another_time_zone_the_pause_ends_on_the_same_day(stores: Stores):
    await paused(stores)
    there = an_edition(timezone="America/New_York")
    wanted = a_desired_subscription("amina", there, preferences=Preferences(timezone="America/New_York"))
    await stores.subscribers.save_preferences(wanted, NOON)
    membership = await stores.membership()
    assert membership.pause_end == RETURN_DAY
    assert membership.subscription.next_due_at == datetime(2026, 3, 9, 11, 0, tzinfo=UTC)


async def test_a_subscription_that_leaves_the_roster_and_returns_after_the_pause_is_active(stores: Stores):
    await paused(stores)
    await stores.subscribe()
    await stores.compose.due_groups(RETURN_AT)
    assert (await stores.subscription()).status is SubscriptionStatus.ENDED
    back = replace(a_desired_subscription("amina"), next_due_at=RETURN_AT + DAY)
    await stores.subscribers.save_roster_subscriptions([back], RETURN_AT, starts_after=RETURN_AT - DAY)
    assert (await stores.subscription()).status is ACTIVE


async def test_an_erased_subscriber_leaves_no_pause(stores: Stores):
    await paused(stores)
    await stores.subscribers.erase("amina@example.org")
    assert await stores.compose.due_groups(RETURN_AT) == []


async def test_on_a_day_that_clocks_begin_late_the_pause_ends_with_the_day(stores: Stores):
    # In Santiago, 6 September 2026 begins at 01:00.
    chile = an_edition(schedule="daily 00:30", timezone="America/Santiago")
    await stores.subscribe("amina", edition=chile, next_due_at=TOMORROW)
    await stores.subscribers.pause_until(AMINA, "morning", date(2026, 9, 6), NOON)
    subscription = await stores.subscription()
    assert subscription.paused_until == subscription.next_due_at == datetime(2026, 9, 6, 4, 0, tzinfo=UTC)
    assert (await stores.membership()).pause_end == date(2026, 9, 6)
