"""The guard: a roster that would end too many subscriptions changes nothing until a person confirms it."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import timedelta

import pytest

from service.core.errors import ChangeHeld
from service.core.model import HeldChange, Newsletter, Roster
from service.store.queries import Queries
from service.store.subscribers import SqlSubscriberStore
from service.subscribers.guard import held_change, is_too_much
from service.subscribers.preferences import placement_for
from service.subscribers.sync import apply_roster
from tests.builders import NOON, a_feed
from tests.subscribers.rosters import EVENING, MORNING, a_roster, an_entry, stored_subscriptions

TEN = tuple(an_entry(f"reader{number}") for number in range(10))


@pytest.mark.parametrize(
    ("ended", "running", "held"),
    [
        (0, 0, False),
        (5, 5, False),  # five people are few, whatever their share
        (6, 6, True),
        (6, 30, False),  # a fifth is not more than a fifth
        (6, 29, True),
        (200, 1_000, False),
        (201, 1_000, True),
    ],
)
def test_more_than_five_and_more_than_a_fifth_is_too_much(ended: int, running: int, held: bool):
    assert is_too_much(ended, running) is held


def test_people_of_the_files_are_not_hidden_behind_many_others():
    declared = {(f"person{number}", "morning") for number in range(8)}
    change = held_change(declared, {"morning": 9_000}, placed=(), kept=(), removed=())

    assert change == HeldChange(8, 8, (("morning", 8),))


async def active(people: SqlSubscriberStore) -> int:
    return sum(line.endswith(" active") for line in await stored_subscriptions(people))


@pytest.mark.parametrize(
    "after",
    [
        a_roster(),
        a_roster(feeds=()),
        a_roster(*TEN[:4]),
        Roster((), (), ()),
        # Each subscriber is "unreadable", because their newsletter is gone.
        a_roster(newsletters=(EVENING,), unread=tuple(entry.subscriber.id for entry in TEN)),
    ],
    ids=["emptied", "emptied with the feeds", "cut off", "no file has anything", "newsletter removed"],
)
async def test_a_held_roster_changes_nothing_until_it_is_confirmed(people: SqlSubscriberStore, after: Roster):
    await apply_roster(people, a_roster(*TEN), NOON)
    with pytest.raises(ChangeHeld, match=r"would end \d+ of 10 subscriptions \(morning \d+\)"):
        await apply_roster(people, after, NOON + timedelta(hours=1))

    assert await active(people) == 10
    assert [line.state.feed for line in await Queries(people.database).feeds() if line.active] == [a_feed()]
    held = await people.roster_state.held()
    assert held is not None
    assert held.since == NOON + timedelta(hours=1)

    await apply_roster(people, after, NOON, confirmed=True)
    assert await people.roster_state.held() is None
    await apply_roster(people, after, NOON)  # what is in force is no change


async def test_a_restored_roster_ends_the_hold(people: SqlSubscriberStore):
    await apply_roster(people, a_roster(*TEN), NOON)
    with pytest.raises(ChangeHeld):
        await apply_roster(people, a_roster(), NOON)
    await apply_roster(people, a_roster(*TEN), NOON)

    assert await people.roster_state.held() is None


async def test_a_removed_newsletter_counts_the_people_of_no_file(people: SqlSubscriberStore):
    imported = [placement_for(entry.subscriber, MORNING, entry.newsletters[0][1], NOON) for entry in TEN]
    await apply_roster(people, a_roster(), NOON)
    await people.add_subscriptions(imported, NOON, starts_after=NOON)

    with pytest.raises(ChangeHeld, match="would end 10 of 10"):
        await apply_roster(people, a_roster(newsletters=(EVENING,)), NOON)
    await apply_roster(people, a_roster(), NOON)  # without people in the files, they stay


async def test_a_confirmation_holds_for_one_roster_only(people: SqlSubscriberStore):
    first, emptied = (replace(a_roster(*who), fingerprint=str(len(who))) for who in (TEN, ()))
    await apply_roster(people, first, NOON)
    await people.roster_state.confirm(emptied.fingerprint)
    with pytest.raises(ChangeHeld):
        await apply_roster(people, replace(emptied, fingerprint="another"), NOON)
    await apply_roster(people, emptied, NOON)
    await apply_roster(people, first, NOON)

    with pytest.raises(ChangeHeld):
        await apply_roster(people, emptied, NOON)


async def test_people_who_left_by_themselves_are_not_counted(people: SqlSubscriberStore):
    await apply_roster(people, a_roster(*TEN), NOON)
    for entry in TEN[:6]:
        await people.suppress(entry.subscriber.email, "test", NOON)
        await people.erase(entry.subscriber.email)

    report = await apply_roster(people, a_roster(), NOON)
    assert report.subscriptions.ended == 4


async def test_the_newsletters_in_force_are_stored_with_every_key(people: SqlSubscriberStore):
    other = {int: 3, float: 2.0, bool: True, str: "other", type(None): "other", tuple: ("a", "b")}
    values = {
        field.name: other.get(type(getattr(MORNING, field.name)), timedelta(minutes=90))
        for field in fields(Newsletter)
    }
    changed = Newsletter(**values | {"id": "all", "minutes": 4, "review": timedelta(minutes=30)})
    assert all(getattr(changed, f.name) != getattr(MORNING, f.name) for f in fields(Newsletter))
    await people.roster_state.record((MORNING, changed), "x")

    assert await people.roster_state.newsletters() == (MORNING, changed)
