"""Due groups, the release position, and issues planned exactly once for each member of a group."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from service.core import ids as identity
from service.core.model import SentIssue, SubscriptionStatus
from tests.builders import NOON, a_subscriber, an_article, an_edition
from tests.store.stores import DAY, HOUR, MINUTE, Stores, a_desired_subscription, an_issue

EARLY = an_edition(schedule="daily 06:00")


# --- due groups --------------------------------------------------------------------------------


async def test_subscribers_with_one_edition_and_one_cursor_form_a_group(stores: Stores):
    await stores.subscribe("amina", "ben", "chloe")
    group = await stores.due_group()
    assert (group.edition, group.size, group.due_at, group.subscriber_ids) == (an_edition(), 3, NOON, None)
    assert group.edition_key == identity.edition_key(an_edition())


async def test_a_group_is_not_due_before_its_due_time(stores: Stores):
    await stores.subscribe("amina")
    assert await stores.compose.due_groups(NOON - MINUTE) == []
    assert len(await stores.compose.due_groups(NOON + DAY)) == 1


async def test_the_longest_overdue_group_comes_first(stores: Stores):
    late_subscription = a_desired_subscription("ben", EARLY, next_due_at=NOON - HOUR)
    await stores.subscribers.save_roster_subscriptions(
        [a_desired_subscription("amina"), late_subscription], NOON - DAY, starts_after=NOON
    )
    assert [g.edition.schedule for g in await stores.compose.due_groups(NOON)] == [
        "daily 06:00",
        "daily 07:00",
    ]


async def test_a_group_counts_only_active_subscribers(stores: Stores):
    await stores.subscribe("amina", "ben", "chloe")
    for name, status in (("ben", "paused"), ("chloe", "unsubscribed")):
        person = a_subscriber(f"{name}@example.org")
        await stores.subscribers.set_status(person.id, None, SubscriptionStatus(status), NOON)
    assert (await stores.due_group()).size == 1


async def test_a_group_without_active_subscribers_is_not_due(stores: Stores):
    await stores.subscribe("amina")
    await stores.subscribers.set_status(a_subscriber().id, None, SubscriptionStatus.PAUSED, NOON)
    assert await stores.compose.due_groups(NOON) == []


# --- released articles -------------------------------------------------------------------------


async def test_the_release_position_of_an_empty_store_is_zero(stores: Stores):
    assert await stores.compose.release_position(NOON) == 0


async def test_an_uncondensed_article_holds_back_later_articles(stores: Stores):
    await stores.publish("One")
    await stores.store_articles([an_article("Two")])
    await stores.publish("Three")
    assert await stores.compose.release_position(NOON) == 1


async def test_an_article_set_aside_holds_back_no_other(stores: Stores):
    await stores.store_articles([an_article("Poison")])
    await stores.publish("Harbour")
    for _ in range(3):
        await stores.condense.record_failure(an_article("Poison").id, "no", NOON)
    assert await stores.compose.release_position(NOON) == 2
    assert [c.article.title for c in await stores.compose.released_articles(an_edition(), 0, 2)] == [
        "Harbour"
    ]


async def test_an_article_is_released_only_after_it_has_settled(stores: Stores):
    await stores.publish("Old", at=NOON - HOUR)
    await stores.publish("Fresh", at=NOON - MINUTE)
    assert await stores.compose.release_position(NOON - 10 * MINUTE) == 1
    assert await stores.compose.release_position(NOON - MINUTE) == 2


async def test_an_edition_gets_the_articles_of_its_range_and_topics(stores: Stores):
    await stores.publish("One", "Two")
    await stores.publish("Market", topics=("economy", "world"))
    await stores.publish("Cup", topics=("sport",))

    async def titles(after: int, through: int, *topics: str) -> list[str]:
        released = await stores.compose.released_articles(an_edition(topics=topics), after, through)
        return [condensed.article.title for condensed in released]

    assert await titles(0, 4, "world") == ["One", "Two", "Market"]
    assert await titles(1, 3, "world", "economy") == ["Two", "Market"]
    assert await titles(0, 4, "sport") == ["Cup"]
    assert await titles(0, 4) == ["One", "Two", "Market", "Cup"]
    assert await titles(4, 4) == []


# --- issues ------------------------------------------------------------------------------------


async def test_an_issue_is_planned_for_each_member_and_advances_their_cursor(stores: Stores):
    issue = await stores.plan_issue_for("amina", "ben")
    assert await stores.deliver.issue(issue.id) == issue
    assert await stores.states(issue) == {"amina": "planned", "ben": "planned"}
    for name in ("amina", "ben"):
        subscription = await stores.subscription(name)
        assert (subscription.served_through, subscription.next_due_at) == (1, NOON + DAY)


async def test_recording_an_issue_twice_plans_it_once(stores: Stores):
    await stores.subscribe("amina", "ben")
    group = await stores.due_group()
    issue = an_issue(group)
    assert await stores.compose.record_issue(group, issue, NOON + DAY, "file") == 2
    assert await stores.compose.record_issue(group, issue, NOON + DAY, "file") == 0
    assert (await stores.queries.issues())[0].books.due == 2


async def test_only_one_of_many_concurrent_workers_plans_an_issue(stores: Stores):
    await stores.subscribe("amina", "ben", "chloe")
    group = await stores.due_group()
    planned = await asyncio.gather(
        *(stores.compose.record_issue(group, an_issue(group), NOON + DAY, "file") for _ in range(10))
    )
    assert sorted(planned) == [0] * 9 + [3]
    [details] = await stores.queries.issues()
    assert (details.books.due, details.books.waiting, details.books.closed) == (3, 3, True)


async def test_a_subscriber_who_changed_edition_after_the_group_was_read_is_not_served(stores: Stores):
    await stores.subscribe("amina", "ben")
    group = await stores.due_group()
    await stores.subscribers.save_preferences(
        a_desired_subscription("ben", EARLY, next_due_at=NOON + HOUR), NOON
    )
    assert await stores.compose.record_issue(group, an_issue(group), NOON + DAY, "file") == 1

    ben = await stores.subscription("ben")
    assert (ben.served_through, ben.next_due_at) == (0, NOON + HOUR)
    own_group = await stores.due_group(NOON + HOUR)
    assert (own_group.edition, own_group.size, own_group.served_through) == (EARLY, 1, 0)


async def test_a_change_of_edition_during_planning_serves_each_article_once(stores: Stores):
    for round_ in range(10):
        name = f"reader{round_}"
        edition = an_edition(stories=10 + round_)
        other = an_edition(stories=10 + round_, points=2)
        await stores.subscribers.add_subscriptions(
            [a_desired_subscription(name, edition)], NOON, starts_after=NOON - DAY
        )
        group = await stores.due_group()
        planned, _ = await asyncio.gather(
            stores.compose.record_issue(group, an_issue(group), NOON + DAY, "file"),
            stores.subscribers.save_preferences(
                a_desired_subscription(name, other, next_due_at=NOON + 2 * DAY), NOON
            ),
        )
        subscription = await stores.subscription(name)
        assert subscription.edition_key == identity.edition_key(other)
        assert (
            subscription.served_through == planned
        )  # 1 when the issue came first, 0 when it served no subscriber


async def test_a_subscriber_who_unsubscribed_after_the_group_was_read_gets_no_delivery(stores: Stores):
    await stores.subscribe("amina", "ben")
    group = await stores.due_group()
    ben = a_subscriber("ben@example.org")
    await stores.subscribers.set_status(ben.id, "morning", SubscriptionStatus.UNSUBSCRIBED, NOON)
    issue = an_issue(group)
    assert await stores.compose.record_issue(group, issue, NOON + DAY, "file") == 1
    assert await stores.states(issue) == {"amina": "planned"}


async def test_an_issue_without_members_is_not_stored(stores: Stores):
    await stores.subscribe("amina")
    group = replace(await stores.due_group(), served_through=7)
    assert await stores.compose.record_issue(group, an_issue(group), NOON + DAY, "file") == 0
    assert await stores.queries.issues() == []


async def test_a_late_member_gets_the_stored_issue_and_its_cursor(stores: Stores):
    await stores.subscribe("amina")
    group = await stores.due_group()
    first = an_issue(group, through=3)
    await stores.compose.record_issue(group, first, NOON + DAY, "file")
    await stores.subscribers.add_subscriptions([a_desired_subscription("ben")], NOON, starts_after=NOON - DAY)
    late_issue = replace(an_issue(group, through=5), article_ids=("c",))
    assert late_issue.id == first.id
    assert await stores.compose.record_issue(await stores.due_group(), late_issue, NOON + DAY, "file") == 1
    assert await stores.deliver.issue(first.id) == first
    assert (await stores.subscription("ben")).served_through == 3
    assert (await stores.queries.issues())[0].books.due == 2


async def test_subscribers_with_the_same_edition_and_cursor_rejoin_a_group(stores: Stores):
    await stores.subscribe("amina", "ben")
    await stores.subscribers.save_preferences(a_desired_subscription("ben", EARLY, next_due_at=NOON), NOON)
    await stores.subscribers.save_preferences(
        a_desired_subscription("chloe", EARLY, next_due_at=NOON - HOUR), NOON
    )
    for group in await stores.compose.due_groups(NOON):
        issue = an_issue(group, through=4, occurrence=str(group.due_at))
        await stores.compose.record_issue(group, issue, NOON + DAY, "file")
    sizes = {g.edition.schedule: g.size for g in await stores.compose.due_groups(NOON + DAY)}
    assert sizes == {"daily 06:00": 2, "daily 07:00": 1}


async def test_the_cursor_of_a_paused_subscriber_advances_with_the_group(stores: Stores):
    await stores.subscribe("amina", "ben")
    ben = a_subscriber("ben@example.org")
    await stores.subscribers.set_status(ben.id, "morning", SubscriptionStatus.PAUSED, NOON)
    group = await stores.due_group()
    await stores.compose.record_issue(group, an_issue(group), NOON + DAY, "file")
    await stores.subscribers.set_status(ben.id, "morning", SubscriptionStatus.ACTIVE, NOON)
    subscription = await stores.subscription("ben")
    assert (subscription.served_through, subscription.next_due_at) == (1, NOON + DAY)


async def test_a_skipped_issue_advances_the_due_time_and_if_asked_the_cursor(stores: Stores):
    await stores.subscribe("amina", "ben")
    group = await stores.due_group()
    assert await stores.compose.skip_issue(group, NOON + DAY, None) == 2
    assert ((await stores.subscription()).served_through, (await stores.subscription()).next_due_at) == (
        0,
        NOON + DAY,
    )
    assert await stores.compose.skip_issue(group, NOON + 2 * DAY, 9) == 0
    assert await stores.compose.skip_issue(await stores.due_group(NOON + DAY), NOON + 2 * DAY, 9) == 2
    assert (await stores.subscription()).served_through == 9


# --- manual sends ------------------------------------------------------------------------------


async def test_a_manual_send_to_all_advances_the_cursor_and_keeps_the_due_time(stores: Stores):
    await stores.subscribers.save_roster_subscriptions(
        [a_desired_subscription("amina"), a_desired_subscription("ben", next_due_at=NOON + HOUR)],
        NOON,
        starts_after=NOON - DAY,
    )
    [group] = await stores.compose.groups_of("morning", None)
    assert (group.size, group.due_at, group.subscriber_ids) == (2, None, None)
    assert await stores.compose.record_issue(group, an_issue(group), None, "file") == 2
    assert [(await stores.subscription(n)).served_through for n in ("amina", "ben")] == [1, 1]
    assert [(await stores.subscription(n)).next_due_at for n in ("amina", "ben")] == [NOON, NOON + HOUR]
    assert await stores.compose.record_issue(group, an_issue(group), None, "file") == 0


async def test_a_manual_send_to_some_takes_them_out_of_their_group(stores: Stores):
    await stores.subscribe("amina", "ben", "chloe")
    wanted = [a_subscriber(f"{name}@example.org").id for name in ("ben", "chloe", "stranger")]
    [group] = await stores.compose.groups_of("morning", wanted)
    assert group.size == 2
    assert set(group.subscriber_ids or ()) == set(wanted[:2])
    issue = an_issue(group, occurrence="manual:x")
    assert await stores.compose.record_issue(group, issue, None, "file") == 2
    assert await stores.states(issue) == {"ben": "planned", "chloe": "planned"}
    assert [(await stores.subscription(n)).served_through for n in ("amina", "ben", "chloe")] == [0, 1, 1]
    assert {(g.served_through, g.size) for g in await stores.compose.due_groups(NOON)} == {(0, 1), (1, 2)}


async def test_a_hundred_concurrent_manual_sends_plan_one_delivery(stores: Stores):
    await stores.subscribe("amina", "ben")
    [group] = await stores.compose.groups_of("morning", [a_subscriber().id])
    issue = an_issue(group, occurrence="manual:x")
    planned = await asyncio.gather(
        *(stores.compose.record_issue(group, issue, None, "file") for _ in range(100))
    )
    assert sum(planned) == 1


async def test_an_unknown_newsletter_or_subscriber_has_no_groups(stores: Stores):
    await stores.subscribe("amina")
    assert await stores.compose.groups_of("evening", None) == []
    assert await stores.compose.groups_of("morning", ["stranger"]) == []
    assert await stores.compose.groups_of("morning", []) == []


async def test_a_repeat_starts_where_the_last_issue_started(stores: Stores):
    await stores.subscribe("amina", "ben")
    [group] = await stores.compose.groups_of("morning", None)
    assert await stores.compose.last_issue_start(group) is None
    await stores.compose.record_issue(group, an_issue(group, through=4), None, "file")
    [group] = await stores.compose.groups_of("morning", None)
    await stores.compose.record_issue(group, an_issue(group, through=6), None, "file")
    [group] = await stores.compose.groups_of("morning", [a_subscriber().id])
    assert (group.served_through, await stores.compose.last_issue_start(group)) == (6, 4)


async def test_the_articles_recently_sent_to_a_group_are_known(stores: Stores):
    await stores.subscribe("amina", "ben")
    [group] = await stores.compose.groups_of("morning", None)
    assert await stores.compose.recently_sent(group, NOON - DAY) == {}
    first = an_issue(group, through=4)
    await stores.compose.record_issue(group, first, None, "file")
    [group] = await stores.compose.groups_of("morning", None)

    sent = SentIssue(first.id, first.due_at)
    assert await stores.compose.recently_sent(group, NOON) == {"a": sent, "b": sent}
    assert await stores.compose.recently_sent(group, NOON + HOUR) == {}
    stranger = replace(group, served_through=0)
    assert await stores.compose.recently_sent(stranger, NOON) == {}


async def test_an_article_sent_twice_belongs_to_the_first_issue(stores: Stores):
    await stores.subscribe("amina")
    [group] = await stores.compose.groups_of("morning", None)
    first = an_issue(group, through=4)
    await stores.compose.record_issue(group, first, None, "file")
    [group] = await stores.compose.groups_of("morning", None)
    second = replace(an_issue(group, through=6, occurrence="later"), article_ids=("b", "c"))
    await stores.compose.record_issue(group, second, None, "file")
    [group] = await stores.compose.groups_of("morning", None)

    found = await stores.compose.recently_sent(group, NOON)
    assert {article: issue.id for article, issue in found.items()} == {
        "a": first.id,
        "b": first.id,
        "c": second.id,
    }
