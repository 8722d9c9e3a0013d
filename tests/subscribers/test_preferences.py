"""Preferences become an edition; equal preferences in different spellings become the same edition."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.errors import UsageError
from service.core.model import PREFERENCE_FIELDS, Newsletter, Preferences
from service.subscribers.preferences import (
    PlacementBuilder,
    edition_for,
    own_preferences,
    placement_for,
)
from tests.builders import NOON, a_newsletter, a_subscriber, an_edition

MORNING = a_newsletter()


def test_without_preferences_the_edition_is_the_newsletter_s():
    assert edition_for(MORNING, Preferences(), None) == an_edition()


def test_the_zone_is_that_of_preferences_subscriber_or_newsletter():
    preference = Preferences(timezone="America/Lima")
    assert edition_for(MORNING, preference, "Asia/Qatar").timezone == "America/Lima"
    assert edition_for(MORNING, Preferences(), "Asia/Qatar").timezone == "Asia/Qatar"
    assert edition_for(MORNING, Preferences(), None).timezone == "Europe/Berlin"


def test_equal_preferences_give_the_same_edition():
    one = Preferences(schedule="Weekly  Tue,Monday,mon 7:00,07:00", topics=("World", " economy ", "world"))
    other = Preferences(schedule="weekly mon,tue 07:00", topics=("economy", "world"))
    assert edition_for(MORNING, one, None) == edition_for(MORNING, other, None)


def test_empty_topics_mean_all_and_differ_from_no_preference():
    assert edition_for(MORNING, Preferences(topics=()), None).topics == ()


@pytest.mark.parametrize(
    ("preference", "sentence"),
    [
        (Preferences(schedule="dayly 07:00"), "Did you mean daily?"),
        (Preferences(schedule="weekly someday 07:00"), "names no days of the week"),
        (Preferences(timezone="Berlin"), "Did you mean Europe/Berlin?"),
        (Preferences(timezone="../../etc/passwd"), "there is no time zone"),
        (Preferences(timezone="Europe"), "there is no time zone"),
        (Preferences(stories=0), "0 stories are not possible; choose from 1 to 50"),
        (Preferences(points=13), "13 key points are not possible; choose from 1 to 12"),
        (Preferences(language="English"), "'English' is no language"),
        (Preferences(format="pdf"), "there is no format 'pdf'; choose html or text"),
    ],
)
def test_an_invalid_preference_is_explained(preference: Preferences, sentence: str):
    with pytest.raises(UsageError) as refused:
        edition_for(MORNING, preference, None)
    assert sentence in str(refused.value)


def test_a_subscription_is_due_at_the_local_time_of_the_subscriber():
    amina = a_subscriber(timezone="Asia/Qatar")
    placement = placement_for(amina, MORNING, Preferences(schedule="daily 06:30"), NOON)
    assert placement.next_due_at == datetime(2026, 3, 3, 3, 30, tzinfo=UTC)


def test_a_builder_gives_the_same_subscriptions_as_single_calls():
    placer = PlacementBuilder(NOON)
    for zone in (None, "Asia/Qatar", "America/New_York", None):
        person = a_subscriber(timezone=zone)
        assert placer.build(person, MORNING, Preferences()) == placement_for(
            person, MORNING, Preferences(), NOON
        )


def test_own_preferences_are_only_those_that_differ():
    said = Preferences(schedule="Daily 7:00", timezone="Asia/Qatar", topics=("world",), stories=5, points=4)
    assert own_preferences(MORNING, said, "Asia/Qatar") == Preferences(stories=5)
    assert own_preferences(MORNING, said, None) == Preferences(timezone="Asia/Qatar", stories=5)
    assert edition_for(MORNING, own_preferences(MORNING, said, None), None) == edition_for(
        MORNING, said, None
    )


def test_languages_and_phrases_have_one_spelling():
    one = Preferences(languages=("en-GB", "nb"), follow=("Central  Bank", "WHO"), mute=("Horoscope",))
    other = Preferences(languages=("no", "en"), follow=("WHO", "central bank"), mute=("horoscope",))
    assert edition_for(MORNING, one, None) == edition_for(MORNING, other, None)
    assert edition_for(MORNING, one, None).follow == ("WHO", "central bank")


def test_empty_lists_differ_from_no_preference():
    newsletter = replace(MORNING, languages=("en",), follow=("climate",), mute=("horoscope",), minutes=5)
    assert edition_for(newsletter, Preferences(), None).languages == ("en",)
    everything = Preferences(languages=(), follow=(), mute=())
    assert own_preferences(newsletter, everything, None) == everything
    edition = edition_for(newsletter, everything, None)
    assert (edition.languages, edition.follow, edition.mute, edition.minutes) == ((), (), (), 5)


tags = st.lists(st.sampled_from(["en", "en-GB", "nb", "no", "zh-Hant", "pt-BR"]), max_size=3).map(tuple)
phrases = st.lists(st.text(max_size=10), max_size=4).map(tuple)
wishes = st.builds(
    Preferences,
    stories=st.none() | st.integers(1, 50),
    languages=st.none() | tags,
    follow=st.none() | phrases,
    mute=st.none() | phrases,
    minutes=st.none() | st.integers(1, 60),
)
letters = st.builds(
    a_newsletter, languages=tags, follow=phrases, mute=phrases, minutes=st.none() | st.integers(1, 60)
)


@given(letters, wishes)
def test_own_preferences_give_the_same_edition_and_are_their_own(newsletter: Newsletter, wanted: Preferences):
    own = own_preferences(newsletter, wanted, None)
    assert edition_for(newsletter, own, None) == edition_for(newsletter, wanted, None)
    assert own_preferences(newsletter, own, None) == own
    whole = Preferences(
        **{name: getattr(edition_for(newsletter, own, None), name) for name in PREFERENCE_FIELDS}
    )
    assert own_preferences(newsletter, whole, None) == own


def test_unset_preferences_follow_changes_of_the_newsletter():
    follows = own_preferences(MORNING, Preferences(schedule="daily 07:00", stories=5), None)
    later = edition_for(replace(MORNING, schedule="daily 09:00"), follows, None)
    assert (later.schedule, later.stories) == ("daily 09:00", 5)
