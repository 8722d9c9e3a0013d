"""What applying the roster would change, in the words of the configuration."""

from __future__ import annotations

from dataclasses import replace

from service.core.model import Feed, Roster
from service.store.subscribers import SqlSubscriberStore
from service.subscribers.diff import differences
from service.subscribers.sync import apply_roster
from tests.builders import NOON, a_feed
from tests.subscribers.rosters import MORNING, a_roster, an_entry


async def details(people: SqlSubscriberStore, roster: Roster, *known: Feed) -> list[str]:
    return [found.detail async for found in differences(people, roster, known, NOON)]


async def test_changed_preferences_are_named_with_both_values(sqlite_people: SqlSubscriberStore):
    await apply_roster(sqlite_people, a_roster(an_entry("amina")), NOON)
    wanted = replace(MORNING, languages=("en", "fr"), follow=("rain",), mute=("chess", "WHO"), minutes=5)
    roster = a_roster(an_entry("amina"), newsletters=(wanted,))

    assert await details(sqlite_people, roster, a_feed()) == [
        "languages all -> en, fr; follow none -> rain; mute none -> WHO, chess; minutes none -> 5"
    ]


async def test_changed_weights_and_categories_of_a_feed_are_named(sqlite_people: SqlSubscriberStore):
    feed = a_feed(weight=2.0, categories=(("business", "economy"), ("sport", "sports")))

    assert await details(sqlite_people, a_roster(feeds=(feed,)), a_feed()) == [
        "weight 1.0 -> 2.0; categories none -> business: economy, sport: sports"
    ]
