"""Feed health in numbers and in sentences that an operator can act on."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.model import FeedState
from service.gather.entries.seen_items import FeedStatistics, serialize, to_timestamp, with_arrivals, with_cut
from service.gather.health import (
    feed_health,
    format_duration,
    format_duration_short,
    is_silent,
    source_health,
    sparkline,
)
from tests.builders import NOON, a_feed

DAY = timedelta(days=1)


def a_state(head: FeedStatistics = FeedStatistics(), **changes) -> FeedState:  # noqa: B008 - a frozen value
    defaults = {
        "last_success_at": NOON,
        "next_poll_at": NOON + timedelta(hours=1),
        "seen_items": serialize(head, []),
    }
    return FeedState(a_feed(), **(defaults | changes))


def a_rhythm(*back: float) -> FeedStatistics:
    """Return the statistics of a feed with items of that many days ago."""
    return with_arrivals(FeedStatistics(reads=9), [NOON - DAY * days for days in back], NOON)


def test_a_healthy_feed_has_no_flags():
    health = feed_health(a_state(a_rhythm(*range(20))), NOON)

    assert health.is_healthy
    assert health.per_day == pytest.approx(1, abs=0.1)
    assert health.silent_for == timedelta(0)
    assert health.days == (1,) * 14


def test_a_feed_never_polled_has_no_flags():
    health = feed_health(FeedState(a_feed()), NOON)

    assert health.is_healthy
    assert health.why == "never polled"
    assert (health.per_day, health.silent_for) == (None, None)


def test_failures_are_flagged_with_time_and_reason():
    state = a_state(failures=3, last_success_at=NOON - 2 * DAY, last_error="the server answered 500")

    health = feed_health(state, NOON)

    assert health.flags == ("failed 3 times in a row; last read 2 days ago: the server answered 500",)
    assert health.why == "failed 3 times in a row"


def test_silence_is_measured_by_the_feeds_own_rhythm():
    busy = a_rhythm(*(3 + n / 20 for n in range(200)))
    weekly = a_rhythm(*(3 + 7 * n for n in range(8)))

    assert feed_health(a_state(busy), NOON).flags == (
        "silent for 3 days; usually it publishes every 76 minutes",
    )
    assert feed_health(a_state(weekly), NOON).is_healthy


def test_a_feed_is_not_silent_while_it_was_not_polled():
    busy = a_rhythm(*(n / 20 for n in range(200)))

    assert feed_health(a_state(busy, last_success_at=NOON), NOON + 9 * DAY).is_healthy


def test_one_day_is_not_a_rhythm():
    assert feed_health(a_state(a_rhythm(*(3 + n / 20 for n in range(9)))), NOON).is_healthy


def test_weekends_off_are_a_rhythm_too():
    workdays = [n for n in range(60) if (NOON - n * DAY).weekday() < 5]
    head = a_rhythm(*[day + hour / 24 for day in workdays for hour in (0, 2, 4)])
    sunday = NOON + 6 * DAY

    assert not is_silent(head, NOON + 3 * DAY)
    assert is_silent(head, sunday + 3 * DAY)


def test_repeated_empty_documents_are_flagged():
    assert feed_health(a_state(FeedStatistics(blank=1)), NOON).is_healthy
    assert feed_health(a_state(FeedStatistics(blank=4)), NOON).flags == (
        "responds, but had no items at the last 4 polls",
    )


def test_a_move_and_a_burst_are_flagged():
    moved = FeedStatistics(
        moved_to="https://b.example/", moved_since=to_timestamp(NOON - 9 * DAY), moved_looks=9
    )
    held = FeedStatistics(held=190, held_at=to_timestamp(NOON - 2 * DAY), held_why="many appeared at once")

    assert feed_health(a_state(moved), NOON).flags == (
        "has moved permanently to https://b.example/; put that address into feeds.yaml",
    )
    assert feed_health(a_state(held), NOON).flags == (
        "190 items were held as old 2 days ago: many appeared at once",
    )
    assert feed_health(a_state(held), NOON + 20 * DAY).is_healthy


def test_texts_that_a_limit_cut_are_flagged():
    cut = with_cut(FeedStatistics(), ["", "a text was too long"], NOON - DAY)

    assert feed_health(a_state(cut), NOON).flags == ("1 text was cut 24 hours ago: a text was too long",)
    assert feed_health(a_state(cut), NOON + 20 * DAY).is_healthy


def test_faults_and_repeats_are_shares():
    health = feed_health(a_state(FeedStatistics(reads=10, faulty=4, seen=30, repeats=10)), NOON)

    assert (health.faulty, health.repeats) == (0.4, 0.25)


@pytest.mark.parametrize(
    ("length", "words"),
    [
        (timedelta(seconds=20), "less than a minute"),
        (timedelta(minutes=1), "1 minute"),
        (timedelta(minutes=80), "80 minutes"),
        (timedelta(hours=5), "5 hours"),
        (timedelta(hours=30), "30 hours"),
        (timedelta(days=9), "9 days"),
    ],
)
def test_durations_are_formatted(length: timedelta, words: str):
    assert format_duration(length) == words


@given(st.lists(st.integers(0, 10**6), max_size=40))
def test_a_sparkline_is_as_long_as_its_days(counts: list[int]):
    line = sparkline(counts)

    assert len(line) == len(counts)
    assert ("█" in line) == any(counts)


def test_a_quiet_day_is_lower_than_any_other():
    assert sparkline([0, 1, 1000, 500]) == "▁▂█▅"


# --- sources in notices ------------------------------------------------------------------------


def test_a_healthy_feed_is_a_healthy_source():
    standing = source_health(a_state(a_rhythm(*range(20))), NOON)

    assert standing.is_healthy
    assert (standing.name, standing.topics, standing.last_healthy_at) == ("The Example", ("world",), NOON)


def test_a_silent_feed_is_unhealthy_since_its_newest_item():
    standing = source_health(a_state(a_rhythm(*(3 + n / 20 for n in range(200)))), NOON)

    assert not standing.is_healthy
    assert standing.last_healthy_at == NOON - 3 * DAY


@pytest.mark.parametrize(
    ("failures", "hours", "every", "heard"),
    [
        (1, 1, 0.25, True),
        (9, 23, 0.25, True),
        (9, 24, 0.25, False),
        (1, 30, 24, True),
        (2, 49, 24, False),
        (2, None, 0.25, True),
        (3, None, 0.25, False),
    ],
)
def test_a_feed_that_fails_for_a_day_is_unhealthy_since_its_last_success(
    failures: int, hours: float | None, every: float, heard: bool
):
    read = None if hours is None else NOON - timedelta(hours=hours)
    state = a_state(a_rhythm(*range(20)), failures=failures, last_success_at=read, last_error="404")
    state = replace(state, feed=a_feed(poll_interval=timedelta(hours=every)))

    assert source_health(state, NOON).is_healthy == heard
    assert source_health(state, NOON).last_healthy_at == read


def test_problems_for_the_operator_are_not_shown_to_readers():
    head = replace(
        a_rhythm(*range(20)),
        moved_to="https://x.example/",
        held=9,
        held_at=to_timestamp(NOON),
        held_why="old",
    )
    state = a_state(head, last_error="the feed holds no entries")

    assert not feed_health(state, NOON).is_healthy
    assert source_health(state, NOON).is_healthy


def test_a_feed_never_polled_is_a_healthy_source():
    assert source_health(FeedState(a_feed()), NOON).is_healthy


@pytest.mark.parametrize(
    ("length", "said"),
    [
        (timedelta(seconds=-5), "0m"),
        (timedelta(minutes=99), "99m"),
        (timedelta(minutes=100), "2h"),
        (timedelta(hours=47), "47h"),
        (timedelta(days=21), "21d"),
    ],
)
def test_a_short_duration_fits_a_column(length: timedelta, said: str):
    assert format_duration_short(length) == said
