"""What the roster declares, what a person chooses, and who must not be mailed."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from service.core import ids as identity
from service.core.model import DesiredSubscription, Preferences, SubscriptionStatus
from service.subscribers.ports import SyncCounts
from tests.builders import NOON, a_feed, a_subscriber, an_article, an_edition
from tests.store.house import DAY, HOUR, House, a_placement, an_issue

ACTIVE, PAUSED = SubscriptionStatus.ACTIVE, SubscriptionStatus.PAUSED
UNSUBSCRIBED, ENDED = SubscriptionStatus.UNSUBSCRIBED, SubscriptionStatus.ENDED
AMINA = a_subscriber().id
EARLY = an_edition(schedule="daily 06:00")


def early(name: str = "amina") -> DesiredSubscription:
    return a_placement(name, EARLY, preferences=Preferences(schedule="daily 06:00"), next_due_at=NOON + HOUR)


async def declare(house: House, *placements: DesiredSubscription) -> SyncCounts:
    return await house.people.save_roster_subscriptions(placements, NOON, starts_after=NOON - DAY)


# --- feeds -------------------------------------------------------------------------------------


async def test_applying_feeds_says_what_changed(house: House):
    one, two = a_feed("https://one.example/rss"), a_feed("https://two.example/rss")
    assert await house.people.save_feeds([one, two], NOON) == SyncCounts(added=2)
    assert await house.people.save_feeds([one, two], NOON) == SyncCounts(kept=2)
    renamed = replace(one, name="Number one", topics=("house",))
    assert await house.people.save_feeds([renamed], NOON) == SyncCounts(changed=1, ended=1)
    assert [state.feed for state in await house.gather.all_feeds()] == [renamed]


async def test_a_feed_that_comes_back_remembers_its_looks(house: House):
    await house.people.save_feeds([a_feed()], NOON)
    await house.arrive([an_article()])
    await house.people.save_feeds([], NOON)
    assert await house.gather.claim_feeds(NOON + DAY, NOON + 2 * DAY) == []
    assert await house.people.save_feeds([a_feed()], NOON) == SyncCounts(changed=1)
    [state] = await house.gather.claim_feeds(NOON + DAY, NOON + 2 * DAY)
    assert state.next_poll_at == NOON


# --- the roster --------------------------------------------------------------------------------


async def test_applying_a_roster_says_what_changed(house: House):
    assert await declare(house, a_placement("amina"), a_placement("ben")) == SyncCounts(added=2)
    assert await declare(house, a_placement("amina"), a_placement("ben")) == SyncCounts(kept=2)
    assert await declare(house, early("amina")) == SyncCounts(changed=1, ended=1)


async def test_a_membership_tells_who_what_and_where(house: House):
    placement = early()
    await declare(house, placement)
    membership = await house.membership()
    assert membership.subscriber == placement.subscriber
    assert membership.edition == EARLY
    assert membership.suppressed is None
    place = membership.subscription
    assert (place.newsletter, place.preferences, place.status) == ("morning", placement.preferences, ACTIVE)
    assert (place.edition_key, place.next_due_at) == (placement.edition_key, placement.next_due_at)


async def test_memberships_are_listed_by_address_and_newsletter(house: House):
    await declare(house, a_placement("ben"), a_placement("amina", an_edition("zenith")), a_placement("amina"))

    async def listed(**which: str) -> list[tuple[str, str]]:
        found = await house.people.memberships(**which)
        return [(m.subscriber.email[0], m.subscription.newsletter) for m in found]

    assert await listed() == [("a", "morning"), ("a", "zenith"), ("b", "morning")]
    assert await listed(newsletter="morning") == [("a", "morning"), ("b", "morning")]
    assert await listed(email="AMINA@example.org") == [("a", "morning"), ("a", "zenith")]
    assert await listed(subscriber_id=AMINA, newsletter="zenith") == [("a", "zenith")]
    assert await listed(email="nobody@example.org") == []


async def test_a_new_reader_is_told_what_was_gathered_since_the_start(house: House):
    await house.publish("Before", at=NOON - 2 * DAY)
    await house.publish("Since", at=NOON - DAY)
    await declare(house, a_placement())
    assert (await house.place()).served_through == 1


async def test_a_changed_edition_changes_the_moment_but_not_what_was_told(house: House):
    await house.publish("Before", at=NOON - 2 * DAY)
    await declare(house, a_placement())
    await declare(house, early())
    place = await house.place()
    assert (place.edition_key, place.next_due_at) == (identity.edition_key(EARLY), NOON + HOUR)
    assert place.served_through == 1


async def test_an_unchanged_edition_keeps_its_moment(house: House):
    await declare(house, a_placement())
    await declare(house, a_placement(next_due_at=NOON + DAY))
    assert (await house.place()).next_due_at == NOON


async def test_a_changed_name_or_spelling_is_taken_over(house: House):
    await declare(house, a_placement())
    person = a_subscriber("Amina@example.org", name="Dr Amina", timezone="Asia/Qatar")
    assert await declare(house, a_placement(subscriber=person)) == SyncCounts(changed=1)
    assert (await house.membership()).subscriber == person


@pytest.mark.parametrize("choice", [PAUSED, UNSUBSCRIBED])
async def test_a_persons_word_wins_over_the_roster(house: House, choice: SubscriptionStatus):
    await declare(house, a_placement())
    assert await house.people.set_status(AMINA, "morning", choice, NOON) == 1
    assert await declare(house, a_placement()) == SyncCounts(kept=1)
    assert (await house.place()).status is choice


async def test_a_persons_wishes_win_over_the_roster(house: House):
    await declare(house, a_placement())
    await house.people.save_preferences(early(), NOON)
    assert await declare(house, a_placement()) == SyncCounts(kept=1)
    place = await house.place()
    assert (place.edition_key, place.preferences) == (
        identity.edition_key(EARLY),
        Preferences(schedule="daily 06:00"),
    )


async def test_what_the_roster_ends_is_active_again_when_it_comes_back(house: House):
    await declare(house, a_placement())
    await declare(house)
    assert (await house.place()).status is ENDED
    assert await house.compose.due_groups(NOON) == []
    assert await declare(house, a_placement()) == SyncCounts(changed=1)
    assert (await house.place()).status is ACTIVE


@pytest.mark.parametrize("choice", [PAUSED, UNSUBSCRIBED])
async def test_what_comes_back_comes_back_as_the_person_left_it(house: House, choice: SubscriptionStatus):
    await declare(house, a_placement())
    await house.people.set_status(AMINA, "morning", choice, NOON)
    await declare(house)
    await declare(house, a_placement())
    assert (await house.place()).status is choice


async def test_whoever_unsubscribes_after_the_end_stays_unsubscribed(house: House):
    await declare(house, a_placement())
    await declare(house)
    await house.people.set_status(AMINA, None, UNSUBSCRIBED, NOON)
    await declare(house, a_placement())
    assert (await house.place()).status is UNSUBSCRIBED


async def test_a_person_cannot_undo_what_the_roster_ended(house: House):
    await declare(house, a_placement())
    await declare(house)
    await house.people.set_status(AMINA, None, ACTIVE, NOON)
    assert (await house.place()).status is ENDED


async def test_whoever_comes_back_hears_at_their_next_hour_and_not_at_once(house: House):
    await declare(house, a_placement())
    await declare(house)
    await house.people.save_roster_subscriptions([a_placement()], NOON + DAY, starts_after=NOON)
    place = await house.place()
    assert place.next_due_at == NOON.replace(day=4, hour=6)  # 07:00 in Berlin
    assert place.served_through == 0


async def test_whoever_comes_back_after_weeks_is_not_told_the_news_of_weeks(house: House):
    await declare(house, a_placement())
    await house.people.set_status(AMINA, None, PAUSED, NOON)
    for day in range(1, 11):
        await house.publish(f"News of day {day}", at=NOON + day * DAY)
    await house.people.set_status(AMINA, None, ACTIVE, NOON + 10 * DAY + HOUR)
    place = await house.place()
    # The last two moments were at 06:00 (UTC) on days 9 and 10; what came after the first of them is told.
    assert place.served_through == 8
    assert place.next_due_at == NOON.replace(hour=6) + 11 * DAY


async def test_whoever_comes_back_while_the_others_are_due_is_served_with_them(house: House):
    await declare(house, a_placement("amina"), a_placement("ben"))
    await house.people.set_status(AMINA, None, PAUSED, NOON)
    await house.people.set_status(AMINA, None, ACTIVE, NOON + HOUR)
    assert (await house.group()).size == 2


async def test_thousands_are_applied_in_one_go(house: House):
    many = [a_placement(f"reader{n}") for n in range(5_000)]
    assert await declare(house, *many) == SyncCounts(added=5_000)
    assert (await house.group()).size == 5_000
    assert await declare(house, *many[:-1]) == SyncCounts(kept=4_999, ended=1)


# --- imports -----------------------------------------------------------------------------------


async def test_an_import_leaves_everybody_else_alone_and_the_roster_leaves_it_alone(house: House):
    await declare(house, a_placement("amina"))
    added = await house.people.add_subscriptions([a_placement("ben")], NOON, starts_after=NOON - DAY)
    assert added == SyncCounts(added=1)
    assert await declare(house, a_placement("amina")) == SyncCounts(kept=1)
    assert [(await house.place(name)).status for name in ("amina", "ben")] == [ACTIVE, ACTIVE]


async def test_an_import_does_not_bring_back_whoever_unsubscribed_or_take_a_name_away(house: House):
    await declare(house, a_placement())
    await house.people.set_status(AMINA, None, UNSUBSCRIBED, NOON)
    nameless = a_placement(subscriber=a_subscriber(name=""))
    assert await house.people.add_subscriptions([nameless], NOON, starts_after=NOON) == SyncCounts(kept=1)
    membership = await house.membership()
    assert (membership.subscription.status, membership.subscriber.name) == (UNSUBSCRIBED, "Amina")


# --- choices -----------------------------------------------------------------------------------


async def test_whoever_joins_by_themselves_stands_where_the_others_stand(house: House):
    await house.publish("One", "Two", at=NOON - HOUR)
    await declare(house, a_placement("ben"))
    await house.people.save_preferences(a_placement("amina"), NOON)
    assert (await house.place("amina")).served_through == (await house.place("ben")).served_through
    assert (await house.group()).size == 2


async def test_for_all_newsletters_at_once(house: House):
    await declare(house, a_placement(), a_placement("amina", an_edition("evening")))
    assert await house.people.set_status(AMINA, None, UNSUBSCRIBED, NOON) == 2
    assert await house.people.set_status(AMINA, None, UNSUBSCRIBED, NOON) == 0


async def test_resuming_everything_does_not_bring_back_what_was_unsubscribed(house: House):
    await declare(house, a_placement(), a_placement("amina", an_edition("evening")))
    await house.people.set_status(AMINA, "evening", UNSUBSCRIBED, NOON)
    assert await house.people.set_status(AMINA, None, PAUSED, NOON) == 1
    assert await house.people.set_status(AMINA, None, ACTIVE, NOON) == 1
    memberships = await house.people.memberships(subscriber_id=AMINA)
    assert {m.subscription.newsletter: m.subscription.status for m in memberships} == {
        "morning": ACTIVE,
        "evening": UNSUBSCRIBED,
    }
    assert await house.people.set_status(AMINA, "evening", ACTIVE, NOON) == 1


async def test_a_strangers_status_cannot_be_set(house: House):
    assert await house.people.set_status("stranger", None, PAUSED, NOON) == 0


async def test_two_changes_at_once_both_count(house: House):
    await declare(house, a_placement())
    await asyncio.gather(
        house.people.save_preferences(early(), NOON),
        house.people.set_status(AMINA, "morning", PAUSED, NOON),
    )
    place = await house.place()
    assert (place.edition_key, place.status) == (identity.edition_key(EARLY), PAUSED)


# --- suppression, erasure, key -----------------------------------------------------------------


async def test_an_address_is_suppressed_however_it_is_spelled_until_it_is_allowed_again(house: House):
    await declare(house, a_placement())
    await house.people.suppress("AMINA@example.org", "hard bounce", NOON)
    await house.people.suppress("amina@example.org", "complaint", NOON)
    assert (await house.membership()).suppressed == "hard bounce"
    assert await house.people.unsuppress("Amina@Example.org")
    assert not await house.people.unsuppress("amina@example.org")
    assert (await house.membership()).suppressed is None


async def test_whoever_is_erased_leaves_no_address_behind_and_the_books_still_close(house: House):
    await declare(house, a_placement("amina"), a_placement("ben"))
    group = await house.group()
    issue = an_issue(group)
    await house.compose.record_issue(group, issue, NOON + DAY, "file")
    assert await house.people.erase("Amina@example.org")
    assert not await house.people.erase("amina@example.org")
    assert await house.people.memberships(email="amina@example.org") == []
    batch = await house.take("a")
    assert ([d.address for d in batch.deliveries], batch.suppressed) == (["ben@example.org"], 1)
    [line] = await house.overview.issues()
    assert line.books.closed
    assert "amina" not in str(await house.overview.deliveries(issue.id)).lower()


async def test_the_signing_key_is_made_once(house: House):
    key = await house.people.signing_key()
    assert len(key) == 32
    assert await house.people.signing_key() == key


async def test_people_are_listed_page_by_page_in_the_order_in_which_they_came(house: House):
    await house.subscribe("carla", "amina", "ben")
    await house.subscribe("amina", edition=an_edition("evening"))
    seen: list[str] = []
    last: str | None = None
    while page := await house.people.memberships_page(last, 2):
        seen += [f"{m.subscriber.email.split('@')[0]} {m.subscription.newsletter}" for m in page]
        last = page[-1].subscriber.id

    assert seen == ["carla morning", "amina evening", "amina morning", "ben morning"]


async def test_a_membership_tells_who_said_so(house: House):
    await house.subscribe("amina")
    assert ((await house.membership()).declared, (await house.membership()).chosen) == (True, False)
    await house.people.save_preferences(a_placement("amina", an_edition(stories=3)), NOON)
    assert ((await house.membership()).declared, (await house.membership()).chosen) == (True, True)


async def test_the_known_are_told_from_the_unknown(house: House):
    await house.subscribe("amina")
    amina, ben = a_placement("amina").subscriber.id, a_placement("ben").subscriber.id
    assert await house.people.known_subscribers([amina, ben]) == {amina}
    assert await house.people.known_subscribers([]) == set()


async def test_why_an_address_is_suppressed_can_be_asked_whoever_it_belongs_to(house: House):
    await house.people.suppress("Nobody@example.org", "complaint", NOON)
    assert await house.people.suppression("nobody@example.org") == "complaint"
    assert await house.people.suppression("amina@example.org") is None
