"""People outside the files follow a newsletter's changed defaults, wherever they came from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import delete

from service.app.self_service import store_preferences
from service.app.transactional_mail import transactional_issue
from service.core.model import (
    Consent,
    ConsentWay,
    MailKind,
    Membership,
    Newsletter,
    Preferences,
    RenderedMail,
)
from service.store.database import Database
from service.store.roster_state import EDITIONS, SqlRosterState
from service.store.schema import settings
from service.store.subscribers import SqlSubscriberStore
from service.store.transactional import SqlSignUpStore
from service.subscribers.actions import pause, resume, unsubscribe
from service.subscribers.diff import differences
from service.subscribers.ports import SyncCounts
from service.subscribers.preferences import edition_for, placement_for
from service.subscribers.sync import RosterReport, apply_roster
from tests.builders import NOON, a_subscriber
from tests.store.stores import DAY, HOUR, Stores, an_issue
from tests.subscribers.rosters import EVENING, MORNING, a_roster, an_entry

DEFAULTS = {
    "schedule": "daily 16:00",
    "timezone": "Asia/Qatar",
    "stories": 3,
    "points": 2,
    "topics": ("science",),
    "languages": ("de", "en"),
    "language": "de",
    "format": "text",
    "follow": ("nile",),
    "mute": ("football",),
    "minutes": 9,
}
"""Another value for each key of a newsletter that a subscriber can have a value of their own for."""


async def apply(
    people: SqlSubscriberStore, *newsletters: Newsletter, entries: Sequence = (), now: datetime = NOON
) -> RosterReport:
    return await apply_roster(people, a_roster(*entries, newsletters=newsletters), now)


async def add(
    people: SqlSubscriberStore,
    *names: str,
    newsletter: Newsletter = MORNING,
    timezone: str | None = None,
    consent: ConsentWay = ConsentWay.IMPORT,
    **preferences: object,
) -> None:
    """Add subscribers as an import, or with `consent` API as the API, does."""
    persons = [a_subscriber(f"{name}@example.org", name=name.title(), timezone=timezone) for name in names]
    placed = [placement_for(one, newsletter, Preferences(**preferences), NOON) for one in persons]
    await people.add_subscriptions(placed, NOON, starts_after=NOON - DAY, consent=consent)


async def sign_up(people: SqlSubscriberStore, name: str) -> None:
    person = a_subscriber(f"{name}@example.org", timezone=None)
    mail = RenderedMail("Welcome", "", "Welcome")
    await SqlSignUpStore(people.database).confirm(
        placement_for(person, MORNING, Preferences(), NOON),
        NOON,
        starts_after=NOON - DAY,
        welcome=transactional_issue(MailKind.WELCOME, mail, "morning", person.id, NOON),
        channel="file",
        consent=Consent(ConsentWay.FORM),
    )


async def member(people: SqlSubscriberStore, name: str) -> Membership:
    [found] = await people.memberships(email=f"{name}@example.org")
    return found


@pytest.fixture
async def morning(people: SqlSubscriberStore) -> SqlSubscriberStore:
    """Give the store after the newsletter `morning` was applied, due daily at 07:00."""
    await apply(people, MORNING)
    return people


async def test_whoever_came_in_follows_every_kind_of_default(morning: SqlSubscriberStore):
    await add(morning, "imported")
    await add(morning, "api", consent=ConsentWay.API, stories=5)
    await sign_up(morning, "signed")
    await add(morning, "chosen")
    await store_preferences(
        morning, await member(morning, "chosen"), MORNING, Preferences(schedule="daily 09:00"), NOON
    )
    newsletter = MORNING
    for key, value in DEFAULTS.items():
        newsletter = replace(newsletter, **{key: value})
        await apply(morning, newsletter)
        for name in ("imported", "api", "signed", "chosen"):
            found = await member(morning, name)
            wanted = edition_for(newsletter, found.subscription.preferences, found.subscriber.timezone)
            assert found.edition == wanted, (name, key)
            assert getattr(found.edition, key) == value or (name, key) in {
                ("api", "stories"),
                ("chosen", "schedule"),
            }


async def test_own_values_and_their_due_times_stay(morning: SqlSubscriberStore):
    await add(morning, "amina", schedule="daily 09:00", timezone="Asia/Qatar")
    before = (await member(morning, "amina")).subscription
    assert (await apply(morning, replace(MORNING, schedule="daily 08:00"))).subscriptions == SyncCounts()
    assert (await member(morning, "amina")).subscription == before

    await apply(morning, replace(MORNING, schedule="daily 08:00", stories=3), now=NOON + 3 * HOUR)
    found = await member(morning, "amina")
    assert (found.edition.schedule, found.edition.stories) == ("daily 09:00", 3)
    assert found.subscription.next_due_at == before.next_due_at


async def test_a_file_person_with_a_choice_of_the_web_page_follows_the_other_defaults(
    people: SqlSubscriberStore,
):
    entries = [an_entry("amina")]
    await apply(people, MORNING, entries=entries)
    await store_preferences(people, await member(people, "amina"), MORNING, Preferences(stories=2), NOON)
    later = replace(MORNING, schedule="daily 08:00")
    roster = a_roster(*entries, newsletters=(later,))
    found = [one async for one in differences(people, roster, roster.feeds, NOON)]
    assert [one.detail for one in found] == ["schedule daily 07:00 -> daily 08:00"]

    await apply(people, later, entries=entries)
    amina = await member(people, "amina")
    assert (amina.edition.schedule, amina.edition.stories) == ("daily 08:00", 2)
    assert [one.action async for one in differences(people, roster, roster.feeds, NOON)] == ["stay"]


async def test_pauses_and_statuses_stay(morning: SqlSubscriberStore):
    await add(morning, "paused", "dated", "gone", "active")
    ids = {name: (await member(morning, name)).subscriber.id for name in ("paused", "dated", "gone")}
    await pause(morning, ids["paused"], "morning", NOON)
    await morning.pause_until(ids["dated"], "morning", date(2026, 3, 9), NOON)
    await unsubscribe(morning, ids["gone"], "morning", NOON)
    await apply(morning, replace(MORNING, schedule="daily 08:00", timezone="Asia/Qatar"), now=NOON + HOUR)

    members = {one.subscriber.name: one for one in await morning.memberships()}
    assert {name: one.subscription.status.value for name, one in members.items()} == {
        "Paused": "paused",
        "Dated": "paused",
        "Gone": "unsubscribed",
        "Active": "active",
    }
    assert {one.edition.schedule for one in members.values()} == {"daily 08:00"}
    dated = members["Dated"]
    assert dated.pause_end == date(2026, 3, 9)
    assert dated.subscription.next_due_at == datetime(2026, 3, 9, 5, tzinfo=NOON.tzinfo)


async def test_who_comes_back_after_a_move_does_not_get_a_year_of_articles(database: Database):
    stores = Stores(database)
    people = stores.subscribers
    await apply(people, MORNING)
    await add(people, "amina")
    amina = (await member(people, "amina")).subscriber.id
    await unsubscribe(people, amina, "morning", NOON)
    await stores.publish(*(f"Article {n}" for n in range(3)), at=NOON + DAY)
    await apply(people, replace(MORNING, schedule="daily 16:00"), now=NOON + 365 * DAY)
    assert await resume(people, amina, "morning", NOON + 365 * DAY)

    back = (await member(people, "amina")).subscription
    assert back.served_through == 3
    assert NOON + 365 * DAY < back.next_due_at < NOON + 366 * DAY


async def test_a_large_group_moves_without_a_write_to_its_subscriptions(morning: SqlSubscriberStore):
    await add(morning, *(f"reader{n}" for n in range(60)))
    await add(morning, "explicit", schedule="daily 07:00")
    before = {one.subscriber.name: one.subscription.next_due_at for one in await morning.memberships()}
    groups = {one.group for one in await morning.roster_state.alike_subscriptions("morning")}
    report = await apply(morning, replace(MORNING, schedule="daily 16:00"))

    assert report.subscriptions == SyncCounts(changed=60)
    after = await morning.roster_state.alike_subscriptions("morning")
    assert {one.group for one in after if one.people == 60} == groups
    explicit = await member(morning, "explicit")
    assert (explicit.edition.schedule, explicit.subscription.next_due_at) == (
        "daily 07:00",
        before["Explicit"],
    )


@pytest.mark.parametrize("names", [("amina",), ("amina", "carla", "dora")])
async def test_a_group_that_moves_to_where_another_one_leaves_is_not_mixed_with_it(
    morning: SqlSubscriberStore, names: tuple[str, ...]
):
    await add(morning, *names, stories=8)
    await add(morning, "ben", "emil", schedule="daily 08:00")
    await apply(morning, replace(MORNING, schedule="daily 08:00", stories=5))

    found = {one.subscriber.name: one.edition for one in await morning.memberships()}
    assert {edition.schedule for edition in found.values()} == {"daily 08:00"}
    assert {name for name, edition in found.items() if edition.stories == 8} == {n.title() for n in names}


@pytest.mark.parametrize(("schedule", "due"), [("daily 16:00", 3), ("daily 06:00", 17)])
async def test_nobody_misses_an_issue_or_gets_an_article_twice(database: Database, schedule: str, due: int):
    """At noon they move to later that day or to the next morning: after the issue of 07:00, and before it."""
    stores = Stores(database)
    await apply(stores.subscribers, MORNING, now=NOON - DAY)
    await add(stores.subscribers, "amina", "ben")
    await stores.publish("One", at=NOON - HOUR)
    first = await stores.due_group(NOON + DAY)
    assert first.due_at == NOON.replace(day=3, hour=6)
    after = first.due_at + timedelta(hours=6)
    planned = await stores.compose.record_issue(first, an_issue(first), first.due_at + DAY, "file")
    assert planned == 2
    await stores.publish("Two", at=after)
    newsletter = replace(MORNING, schedule=schedule)
    await apply(stores.subscribers, newsletter, now=after)

    assert await stores.compose.due_groups(after) == []
    second = await stores.due_group(after + DAY)
    assert second.due_at == after + due * HOUR
    assert (second.served_through, second.size, second.edition.schedule) == (1, 2, schedule)
    # Back again before that issue: they still have the place of their first one.
    await apply(stores.subscribers, MORNING, now=after + HOUR)
    back = await stores.due_group(after + DAY)
    assert (back.served_through, back.size, back.due_at) == (1, 2, first.due_at + DAY)


async def test_people_of_the_files_and_others_share_a_group_after_a_move(database: Database):
    stores = Stores(database)
    entries = [an_entry("ben"), an_entry("carla", schedule="daily 09:00")]
    await apply(stores.subscribers, MORNING, entries=entries)
    await add(stores.subscribers, "amina")
    await apply(stores.subscribers, replace(MORNING, schedule="daily 16:00"), entries=entries)
    due = await stores.compose.due_groups(NOON + DAY)
    assert [(group.edition.schedule, group.size) for group in due] == [("daily 16:00", 2), ("daily 09:00", 1)]


async def test_a_second_call_reads_no_subscription(
    morning: SqlSubscriberStore, monkeypatch: pytest.MonkeyPatch
):
    await add(morning, "amina")
    later = replace(MORNING, schedule="daily 08:00")
    await apply(morning, later)

    async def unexpected(*_: object, **__: object) -> None:
        raise AssertionError("the subscriptions were read")

    monkeypatch.setattr(SqlRosterState, "alike_subscriptions", unexpected)
    assert (await apply(morning, replace(later, title="Another title"))).subscriptions == SyncCounts()


async def test_subscriptions_that_an_older_version_left_behind_move_at_the_next_start(
    morning: SqlSubscriberStore,
):
    later = replace(MORNING, schedule="daily 08:00")
    await apply(morning, later)
    await add(morning, "amina", newsletter=MORNING)
    async with morning.database.write() as connection:
        await connection.execute(delete(settings).where(settings.c.name == EDITIONS))
    assert (await apply(morning, later)).subscriptions == SyncCounts(changed=1)
    assert (await member(morning, "amina")).edition.schedule == "daily 08:00"


async def test_a_newsletter_that_comes_back_has_its_readers_at_its_new_time(morning: SqlSubscriberStore):
    await add(morning, "amina")
    await apply(morning, EVENING)
    assert (await member(morning, "amina")).edition.schedule == "daily 07:00"
    await apply(morning, EVENING, replace(MORNING, schedule="daily 08:00"))
    amina = await member(morning, "amina")
    assert (amina.edition.schedule, amina.subscription.status) == ("daily 08:00", "active")
