"""Who is due, what may be told, and issues planned exactly once for everybody who still stands there."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from service.core import ids as identity
from service.core.model import SubscriptionStatus
from tests.builders import NOON, a_subscriber, an_article, an_edition
from tests.store.stores import DAY, HOUR, MINUTE, Stores, a_desired_subscription, an_issue

EARLY = an_edition(schedule="daily 06:00")


# --- who is due --------------------------------------------------------------------------------


async def test_people_with_one_edition_who_were_told_the_same_are_one_group(stores: Stores):
    await stores.subscribe("amina", "ben", "chloe")
    group = await stores.due_group()
    assert (group.edition, group.size, group.due_at, group.subscriber_ids) == (an_edition(), 3, NOON, None)
    assert group.edition_key == identity.edition_key(an_edition())


async def test_nobody_is_due_before_the_moment(stores: Stores):
    await stores.subscribe("amina")
    assert await stores.compose.due_groups(NOON - MINUTE) == []
    assert len(await stores.compose.due_groups(NOON + DAY)) == 1


async def test_who_waits_longest_comes_first(stores: Stores):
    late = a_desired_subscription("ben", EARLY, next_due_at=NOON - HOUR)
    await stores.subscribers.save_roster_subscriptions(
        [a_desired_subscription("amina"), late], NOON - DAY, starts_after=NOON
    )
    assert [g.edition.schedule for g in await stores.compose.due_groups(NOON)] == [
        "daily 06:00",
        "daily 07:00",
    ]


async def test_only_the_active_count(stores: Stores):
    await stores.subscribe("amina", "ben", "chloe")
    for name, status in (("ben", "paused"), ("chloe", "unsubscribed")):
        person = a_subscriber(f"{name}@example.org")
        await stores.subscribers.set_status(person.id, None, SubscriptionStatus(status), NOON)
    assert (await stores.due_group()).size == 1


async def test_a_group_in_which_nobody_is_active_is_not_due(stores: Stores):
    await stores.subscribe("amina")
    await stores.subscribers.set_status(a_subscriber().id, None, SubscriptionStatus.PAUSED, NOON)
    assert await stores.compose.due_groups(NOON) == []


# --- what may be told --------------------------------------------------------------------------


async def test_nothing_is_tellable_while_there_is_nothing(stores: Stores):
    assert await stores.compose.release_position(NOON) == 0


async def test_an_article_that_waits_for_its_summary_holds_up_those_behind_it(stores: Stores):
    await stores.publish("One")
    await stores.store_articles([an_article("Two")])
    await stores.publish("Three")
    assert await stores.compose.release_position(NOON) == 1


async def test_an_article_that_was_set_aside_holds_up_nobody(stores: Stores):
    await stores.store_articles([an_article("Poison")])
    await stores.publish("Harbour")
    for _ in range(3):
        await stores.condense.record_failure(an_article("Poison").id, "no", NOON)
    assert await stores.compose.release_position(NOON) == 2
    assert [c.article.title for c in await stores.compose.released_articles(an_edition(), 0, 2)] == [
        "Harbour"
    ]


async def test_an_article_is_not_told_before_it_has_settled(stores: Stores):
    await stores.publish("Old", at=NOON - HOUR)
    await stores.publish("Fresh", at=NOON - MINUTE)
    assert await stores.compose.release_position(NOON - 10 * MINUTE) == 1
    assert await stores.compose.release_position(NOON - MINUTE) == 2


async def test_an_edition_is_told_what_lies_in_its_range_and_topics(stores: Stores):
    await stores.publish("One", "Two")
    await stores.publish("Market", topics=("economy", "world"))
    await stores.publish("Cup", topics=("sport",))

    async def titles(after: int, through: int, *topics: str) -> list[str]:
        told = await stores.compose.released_articles(an_edition(topics=topics), after, through)
        return [condensed.article.title for condensed in told]

    assert await titles(0, 4, "world") == ["One", "Two", "Market"]
    assert await titles(1, 3, "world", "economy") == ["Two", "Market"]
    assert await titles(0, 4, "sport") == ["Cup"]
    assert await titles(0, 4) == ["One", "Two", "Market", "Cup"]
    assert await titles(4, 4) == []


# --- issues ------------------------------------------------------------------------------------


async def test_an_issue_is_planned_for_each_member_and_moves_them_on(stores: Stores):
    issue = await stores.plan_issue_for("amina", "ben")
    assert await stores.deliver.issue(issue.id) == issue
    assert await stores.states(issue) == {"amina": "planned", "ben": "planned"}
    for name in ("amina", "ben"):
        place = await stores.subscription(name)
        assert (place.served_through, place.next_due_at) == (1, NOON + DAY)


async def test_recording_an_issue_twice_plans_it_once(stores: Stores):
    await stores.subscribe("amina", "ben")
    group = await stores.due_group()
    issue = an_issue(group)
    assert await stores.compose.record_issue(group, issue, NOON + DAY, "file") == 2
    assert await stores.compose.record_issue(group, issue, NOON + DAY, "file") == 0
    assert (await stores.queries.issues())[0].books.due == 2


async def test_of_many_workers_that_plan_one_issue_at_once_one_does(stores: Stores):
    await stores.subscribe("amina", "ben", "chloe")
    group = await stores.due_group()
    planned = await asyncio.gather(
        *(stores.compose.record_issue(group, an_issue(group), NOON + DAY, "file") for _ in range(10))
    )
    assert sorted(planned) == [0] * 9 + [3]
    [line] = await stores.queries.issues()
    assert (line.books.due, line.books.waiting, line.books.closed) == (3, 3, True)


async def test_who_changes_their_edition_meanwhile_is_neither_served_twice_nor_missed(stores: Stores):
    await stores.subscribe("amina", "ben")
    group = await stores.due_group()
    await stores.subscribers.save_preferences(
        a_desired_subscription("ben", EARLY, next_due_at=NOON + HOUR), NOON
    )
    assert await stores.compose.record_issue(group, an_issue(group), NOON + DAY, "file") == 1

    ben = await stores.subscription("ben")
    assert (ben.served_through, ben.next_due_at) == (0, NOON + HOUR)
    own = await stores.due_group(NOON + HOUR)
    assert (own.edition, own.size, own.served_through) == (EARLY, 1, 0)


async def test_a_change_of_edition_and_an_issue_at_once_tell_everything_once(stores: Stores):
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
        place = await stores.subscription(name)
        assert place.edition_key == identity.edition_key(other)
        assert place.served_through == planned  # 1 when the issue came first, 0 when it served nobody


async def test_who_unsubscribed_meanwhile_gets_no_delivery(stores: Stores):
    await stores.subscribe("amina", "ben")
    group = await stores.due_group()
    ben = a_subscriber("ben@example.org")
    await stores.subscribers.set_status(ben.id, "morning", SubscriptionStatus.UNSUBSCRIBED, NOON)
    issue = an_issue(group)
    assert await stores.compose.record_issue(group, issue, NOON + DAY, "file") == 1
    assert await stores.states(issue) == {"amina": "planned"}


async def test_an_issue_for_nobody_is_not_kept(stores: Stores):
    await stores.subscribe("amina")
    group = replace(await stores.due_group(), served_through=7)
    assert await stores.compose.record_issue(group, an_issue(group), NOON + DAY, "file") == 0
    assert await stores.queries.issues() == []


async def test_who_comes_late_to_a_stored_issue_gets_it_as_it_is_and_stands_where_it_ends(stores: Stores):
    await stores.subscribe("amina")
    group = await stores.due_group()
    first = an_issue(group, through=3)
    await stores.compose.record_issue(group, first, NOON + DAY, "file")
    await stores.subscribers.add_subscriptions([a_desired_subscription("ben")], NOON, starts_after=NOON - DAY)
    late = replace(an_issue(group, through=5), article_ids=("c",))
    assert late.id == first.id
    assert await stores.compose.record_issue(await stores.due_group(), late, NOON + DAY, "file") == 1
    assert await stores.deliver.issue(first.id) == first
    assert (await stores.subscription("ben")).served_through == 3
    assert (await stores.queries.issues())[0].books.due == 2


async def test_who_went_another_way_rejoins_a_group_when_told_the_same(stores: Stores):
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


async def test_whoever_is_paused_stands_along_and_is_not_told_later_what_the_others_were(stores: Stores):
    await stores.subscribe("amina", "ben")
    ben = a_subscriber("ben@example.org")
    await stores.subscribers.set_status(ben.id, "morning", SubscriptionStatus.PAUSED, NOON)
    group = await stores.due_group()
    await stores.compose.record_issue(group, an_issue(group), NOON + DAY, "file")
    await stores.subscribers.set_status(ben.id, "morning", SubscriptionStatus.ACTIVE, NOON)
    place = await stores.subscription("ben")
    assert (place.served_through, place.next_due_at) == (1, NOON + DAY)


async def test_moving_on_without_an_issue(stores: Stores):
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


# --- by hand -----------------------------------------------------------------------------------


async def test_a_manual_send_to_all_tells_and_leaves_the_next_moment_as_it_is(stores: Stores):
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


async def test_a_hundred_manual_sends_at_once_plan_once(stores: Stores):
    await stores.subscribe("amina", "ben")
    [group] = await stores.compose.groups_of("morning", [a_subscriber().id])
    issue = an_issue(group, occurrence="manual:x")
    planned = await asyncio.gather(
        *(stores.compose.record_issue(group, issue, None, "file") for _ in range(100))
    )
    assert sum(planned) == 1


async def test_there_are_no_groups_of_an_unknown_newsletter_or_of_strangers(stores: Stores):
    await stores.subscribe("amina")
    assert await stores.compose.groups_of("evening", None) == []
    assert await stores.compose.groups_of("morning", ["stranger"]) == []
    assert await stores.compose.groups_of("morning", []) == []


async def test_a_repeat_begins_where_the_last_issue_began(stores: Stores):
    await stores.subscribe("amina", "ben")
    [group] = await stores.compose.groups_of("morning", None)
    assert await stores.compose.last_issue_start(group) is None
    await stores.compose.record_issue(group, an_issue(group, through=4), None, "file")
    [group] = await stores.compose.groups_of("morning", None)
    await stores.compose.record_issue(group, an_issue(group, through=6), None, "file")
    [group] = await stores.compose.groups_of("morning", [a_subscriber().id])
    assert (group.served_through, await stores.compose.last_issue_start(group)) == (6, 4)


async def test_what_members_were_told_lately_is_known_by_the_articles(stores: Stores):
    await stores.subscribe("amina", "ben")
    [group] = await stores.compose.groups_of("morning", None)
    assert await stores.compose.recently_sent(group, NOON - DAY) == set()
    await stores.compose.record_issue(group, an_issue(group, through=4), None, "file")
    [group] = await stores.compose.groups_of("morning", None)

    assert await stores.compose.recently_sent(group, NOON) == {"a", "b"}
    assert await stores.compose.recently_sent(group, NOON + HOUR) == set()
    stranger = replace(group, served_through=0)
    assert await stores.compose.recently_sent(stranger, NOON) == set()
