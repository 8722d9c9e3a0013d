"""Roster sync and the actions of subscribers, whose choice wins."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from service.app.self_service import store_preferences
from service.core.model import Preferences
from service.store.gather import SqlGatherStore
from service.store.subscribers import SqlSubscriberStore
from service.subscribers.actions import pause, resume, unsubscribe
from service.subscribers.diff import RosterAction, differences
from service.subscribers.ports import SyncCounts
from service.subscribers.sync import apply_roster
from tests.builders import NOON, a_feed
from tests.subscribers.rosters import EVENING, MORNING, a_roster, an_entry, stored_subscriptions

DAY = timedelta(days=1)


async def test_each_subscription_is_due_at_the_subscriber_s_local_time(people: SqlSubscriberStore):
    roster = a_roster(an_entry("amina", timezone="Asia/Qatar"), an_entry("ben", "morning", "evening"))
    report = await apply_roster(people, roster, NOON)

    assert report.feeds == SyncCounts(added=1)
    assert report.subscriptions == SyncCounts(added=3)
    assert await stored_subscriptions(people) == [
        "amina morning daily 07:00 active",
        "ben evening daily 18:00 active",
        "ben morning daily 07:00 active",
    ]
    hours = {m.subscriber.name: m.subscription.next_due_at.hour for m in await people.memberships()}
    assert hours["Amina"] == 4
    assert hours["Ben"] in {6, 17}


async def test_applying_again_changes_nothing(people: SqlSubscriberStore):
    roster = a_roster(an_entry("amina"), an_entry("ben", stories=3))
    await apply_roster(people, roster, NOON)
    before = await people.memberships()
    report = await apply_roster(people, roster, NOON + DAY)

    assert (report.feeds, report.subscriptions) == (SyncCounts(kept=1), SyncCounts(kept=2))
    assert await people.memberships() == before


async def test_a_removed_subscription_ends_and_can_return(people: SqlSubscriberStore):
    await apply_roster(people, a_roster(an_entry("amina"), an_entry("ben")), NOON)
    report = await apply_roster(people, a_roster(an_entry("amina")), NOON)
    assert report.subscriptions.ended == 1
    assert "ben morning daily 07:00 ended" in await stored_subscriptions(people)
    await apply_roster(people, a_roster(an_entry("amina"), an_entry("ben")), NOON)
    assert "ben morning daily 07:00 active" in await stored_subscriptions(people)


async def test_an_unsubscribe_wins_over_the_roster(people: SqlSubscriberStore):
    roster, nobody = a_roster(an_entry("amina", "morning", "evening")), a_roster()
    await apply_roster(people, roster, NOON)
    (amina, *_) = await people.memberships()
    await unsubscribe(people, amina.subscriber.id, "morning", NOON)
    for applied in (roster, nobody, roster):
        await apply_roster(people, applied, NOON + DAY)

    assert await stored_subscriptions(people) == [
        "amina evening daily 18:00 active",
        "amina morning daily 07:00 unsubscribed",
    ]


async def test_the_roster_adds_nothing_for_a_suppressed_subscriber(people: SqlSubscriberStore):
    await apply_roster(people, a_roster(an_entry("amina")), NOON)
    (amina,) = await people.memberships()
    await unsubscribe(people, amina.subscriber.id, None, NOON)
    await apply_roster(people, a_roster(an_entry("amina", "morning", "evening")), NOON)

    assert {m.suppressed for m in await people.memberships()} == {"unsubscribed from everything"}


async def test_own_preferences_win_over_the_roster(people: SqlSubscriberStore):
    await apply_roster(people, a_roster(an_entry("amina")), NOON)
    (amina,) = await people.memberships()
    await store_preferences(people, amina, MORNING, Preferences(schedule="daily 09:00"), NOON)
    await apply_roster(people, a_roster(an_entry("amina", schedule="daily 05:00")), NOON)

    assert await stored_subscriptions(people) == ["amina morning daily 09:00 active"]


async def test_a_subscriber_with_an_invalid_preference_stays_unchanged(people: SqlSubscriberStore):
    await apply_roster(people, a_roster(an_entry("amina"), an_entry("ben", "morning", "evening")), NOON)
    broken = an_entry("ben", schedule="someday 07:00")
    report = await apply_roster(people, a_roster(an_entry("amina"), broken), NOON)

    assert len(report.problems) == 1
    assert report.problems[0].startswith("ben@example.org stays as they were: there is no kind of schedule")
    assert (
        len(
            [
                line
                for line in await stored_subscriptions(people)
                if line.startswith("ben") and line.endswith("active")
            ]
        )
        == 2
    )


async def test_a_subscriber_with_an_unreadable_entry_stays_unchanged(people: SqlSubscriberStore):
    ben = an_entry("ben", "morning", "evening")
    await apply_roster(people, a_roster(an_entry("amina"), ben), NOON)
    await apply_roster(people, a_roster(an_entry("amina"), an_entry("ben", "morning")), NOON)
    await apply_roster(people, a_roster(an_entry("amina"), unread=(ben.subscriber.id,)), NOON)

    assert "ben morning daily 07:00 active" in await stored_subscriptions(people)
    assert "ben evening daily 18:00 ended" in await stored_subscriptions(people)


async def test_the_first_issue_reaches_back_one_day(
    people: SqlSubscriberStore, monkeypatch: pytest.MonkeyPatch
):
    seen = []
    save = type(people).save_roster_subscriptions

    async def watched(self, placements, now, *, starts_after):
        seen.append(starts_after)
        return await save(self, placements, now, starts_after=starts_after)

    monkeypatch.setattr(type(people), "save_roster_subscriptions", watched)
    await apply_roster(people, a_roster(), NOON)
    await apply_roster(people, a_roster(), NOON, starts_after=NOON)
    assert seen == [NOON - DAY, NOON]


class TestDifference:
    """`config diff`: what applying would do, and whose word stays."""

    async def found(self, people: SqlSubscriberStore, roster) -> list[str]:
        feeds = [state.feed for state in await SqlGatherStore(people.database).all_feeds()]
        lines = [d async for d in differences(people, roster, feeds, NOON)]
        return [f"{d.action} {d.name.partition('@')[0]} {d.newsletter}: {d.detail}" for d in lines]

    async def test_there_is_no_difference_after_applying(self, sqlite_people: SqlSubscriberStore):
        roster = a_roster(an_entry("amina"), an_entry("ben", "evening", stories=3))
        await apply_roster(sqlite_people, roster, NOON)
        assert await self.found(sqlite_people, roster) == []

    async def test_every_kind_of_difference_is_found(self, sqlite_people: SqlSubscriberStore):
        people = sqlite_people
        before = [an_entry(name) for name in ("amina", "ben", "carla", "dora", "emil", "fay", "gus")]
        await apply_roster(people, a_roster(*before), NOON)
        await apply_roster(people, a_roster(*before[:-1]), NOON)
        by_name = {m.subscriber.name: m for m in await people.memberships()}
        await unsubscribe(people, by_name["Ben"].subscriber.id, "morning", NOON)
        await pause(people, by_name["Carla"].subscriber.id, None, NOON)
        await store_preferences(people, by_name["Dora"], MORNING, Preferences(stories=2), NOON)
        await people.suppress("fay@example.org", "hard bounce", NOON)
        after = a_roster(
            an_entry("amina", schedule="daily 06:00"),
            *(an_entry(name) for name in ("ben", "carla", "dora", "fay", "gus", "new")),
            feeds=(a_feed(name="Renamed"), a_feed("https://other.example/rss")),
        )

        assert await self.found(people, after) == [
            "change https://news.example/rss : name The Example -> Renamed",
            "add https://other.example/rss : The Example",
            "change amina morning: schedule daily 07:00 -> daily 06:00",
            "stay ben morning: unsubscribed by their own choice",
            "stay carla morning: paused by their own choice",
            "stay dora morning: their own preferences: stories 2 -> 8",
            "end emil morning: was active",
            "stay fay morning: gets no mail: hard bounce",
            "return gus morning: had been removed from the roster",
            "add new morning: ",
        ]
        await apply_roster(people, after, NOON)
        assert {line.split()[0] for line in await self.found(people, after)} == {RosterAction.STAY}

    async def test_removed_feeds_end(self, sqlite_people: SqlSubscriberStore):
        await apply_roster(sqlite_people, a_roster(), NOON)
        assert await self.found(sqlite_people, a_roster(feeds=())) == [
            "end https://news.example/rss : The Example"
        ]


class TestChoices:
    """What a person says twice counts once, and can be taken back."""

    @pytest.fixture
    async def amina(self, people: SqlSubscriberStore) -> str:
        await apply_roster(people, a_roster(an_entry("amina", "morning", "evening")), NOON)
        return (await people.memberships())[0].subscriber.id

    async def test_repeating_an_action_changes_nothing(self, people: SqlSubscriberStore, amina: str):
        for choice, newsletter in ((pause, "morning"), (resume, "morning"), (unsubscribe, None)):
            assert await choice(people, amina, newsletter, NOON)
            assert await choice(people, amina, newsletter, NOON) == 0

    async def test_an_unknown_subscriber_changes_nothing(self, people: SqlSubscriberStore, amina: str):
        for choice in (pause, resume, unsubscribe):
            assert await choice(people, "f" * 32, None, NOON) == 0
            assert await choice(people, amina, "weekly", NOON) == 0

    async def test_resume_after_unsubscribing_from_everything_needs_a_newsletter(
        self, people: SqlSubscriberStore, amina: str
    ):
        await unsubscribe(people, amina, None, NOON)
        assert await resume(people, amina, None, NOON) == 0
        await resume(people, amina, "morning", NOON)

        assert {m.suppressed for m in await people.memberships()} == {None}
        assert await stored_subscriptions(people) == [
            "amina evening daily 18:00 unsubscribed",
            "amina morning daily 07:00 active",
        ]

    async def test_resume_does_not_lift_a_suppression_after_a_bounce(
        self, people: SqlSubscriberStore, amina: str
    ):
        await people.suppress("amina@example.org", "hard bounce", NOON)
        await unsubscribe(people, amina, None, NOON)
        await resume(people, amina, "morning", NOON)
        assert {m.suppressed for m in await people.memberships()} == {"hard bounce"}

    @pytest.mark.usefixtures("amina")
    async def test_an_action_without_effect_is_not_stored(self, people: SqlSubscriberStore):
        evening, morning = await people.memberships()
        assert not await store_preferences(people, morning, MORNING, Preferences(), NOON)
        assert await store_preferences(people, evening, EVENING, Preferences(stories=1), NOON)
        evening, morning = await people.memberships()
        assert (evening.chosen, morning.chosen) == (True, False)

    @pytest.mark.usefixtures("amina")
    async def test_the_cursor_stays_when_the_schedule_changes(self, people: SqlSubscriberStore):
        _, morning = await people.memberships()
        await store_preferences(people, replace(morning), MORNING, Preferences(schedule="daily 09:00"), NOON)
        _, after = await people.memberships()
        assert after.subscription.served_through == morning.subscription.served_through
        assert after.subscription.next_due_at == NOON.replace(day=3, hour=8)
