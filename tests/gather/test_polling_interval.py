"""The polling interval: how often a feed publishes, and what its server asks for."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.gather.entries.seen_items import FeedStatistics, to_timestamp
from service.gather.polling_interval import (
    MAX_INTERVAL,
    after_failure,
    after_success,
    move_is_confirmed,
    own_interval,
    usual_gap,
)
from tests.builders import NOON, a_feed

FEED = a_feed(poll_interval=timedelta(minutes=15))
HOUR = 3600


def days(*counts: int) -> dict[str, int]:
    """Return statistics with the number of items of each day up to today."""
    first = NOON.date() - timedelta(days=len(counts) - 1)
    return {(first + timedelta(days=n)).isoformat(): count for n, count in enumerate(counts) if count}


def wait(next_look) -> float:
    """Return the minutes until the next poll without its jitter, which is at most a tenth."""
    return (next_look.at - NOON) / timedelta(minutes=1)


def test_a_little_known_feed_is_polled_at_the_configured_interval():
    assert own_interval(FEED, FeedStatistics(), NOON) == FEED.poll_interval


def test_a_busy_feed_is_polled_no_more_often_than_configured():
    assert own_interval(FEED, FeedStatistics(days=days(*[200] * 10)), NOON) == FEED.poll_interval


def test_a_daily_feed_is_polled_less_often():
    head = FeedStatistics(days=days(*[1] * 20))
    gap = usual_gap(head, NOON)

    assert gap is not None
    assert timedelta(hours=23) < gap < timedelta(hours=25)
    assert own_interval(FEED, head, NOON) == timedelta(hours=3)
    assert (
        timedelta(minutes=30)
        < own_interval(FEED, FeedStatistics(days=days(*[6] * 20)), NOON)
        < timedelta(hours=1)
    )


@pytest.mark.parametrize("every", [timedelta(minutes=1), timedelta(hours=1), timedelta(hours=12)])
def test_an_interval_that_is_not_the_default_applies_to_a_feed_that_publishes_little(every: timedelta):
    assert own_interval(a_feed(poll_interval=every), FeedStatistics(days=days(*[1] * 20)), NOON) == every


def test_a_monthly_feed_is_still_polled_for_the_next_digest():
    assert own_interval(FEED, FeedStatistics(days=days(1, *[0] * 25, 1, *[0] * 25, 1)), NOON) == timedelta(
        hours=3
    )


@pytest.mark.parametrize(
    ("head", "fresh_for", "minutes", "why"),
    [
        (FeedStatistics(), None, 15, "how often it publishes"),
        (FeedStatistics(), 60, 15, "how often it publishes"),
        (FeedStatistics(ttl=HOUR), None, 60, "the feed's TTL"),
        (FeedStatistics(ttl=HOUR), 2 * HOUR, 120, "the server's cache headers"),
        (FeedStatistics(ttl=365 * 24 * HOUR), None, 360, "the feed's TTL"),
        (FeedStatistics(), 365 * 24 * HOUR, 360, "the server's cache headers"),
    ],
)
def test_the_longest_interval_wins_up_to_its_limit(
    head: FeedStatistics, fresh_for: int | None, minutes: float, why: str
):
    following = after_success(FEED, head, NOON, fresh_for)

    assert minutes <= wait(following) <= minutes * 1.1
    assert following.reason == why


@pytest.mark.parametrize(
    ("failures", "retry_after", "minutes", "why"),
    [
        (1, None, 15, "failed once"),
        (2, None, 30, "failed 2 times in a row"),
        (5, None, 240, "failed 5 times in a row"),
        (30, None, 24 * 60, "failed 30 times in a row"),
        (1, HOUR, 60, "the server's Retry-After"),
        (1, 60, 15, "failed once"),
        (1, 10**9, 24 * 60, "the server's Retry-After"),
    ],
)
def test_failures_double_the_wait_up_to_a_day(
    failures: int, retry_after: int | None, minutes: float, why: str
):
    following = after_failure(FEED, failures, NOON, retry_after)

    assert minutes <= wait(following) <= minutes * 1.1
    assert following.reason == why


@given(st.integers(0, 10**9), st.none() | st.integers(0, 10**9), st.integers(1, 10**6), st.text(max_size=9))
def test_no_feed_is_polled_too_soon_or_never(ttl: int, fresh_for: int | None, failures: int, name: str):
    feed = a_feed(f"https://news.example/{name}")
    for following in (
        after_success(feed, FeedStatistics(ttl=ttl), NOON, fresh_for),
        after_failure(feed, failures, NOON, fresh_for),
    ):
        assert feed.poll_interval <= following.at - NOON <= MAX_INTERVAL * 1.1


def test_feeds_are_not_polled_all_at_once():
    looks = {
        after_success(a_feed(f"https://{n}.example/"), FeedStatistics(), NOON, None).at for n in range(50)
    }

    assert len(looks) > 30
    assert after_success(FEED, FeedStatistics(), NOON, None) == after_success(
        FEED, FeedStatistics(), NOON, None
    )


def test_a_move_is_confirmed_after_some_polls_and_days():
    week = timedelta(days=7)
    held = FeedStatistics(moved_to="https://b.example/", moved_since=to_timestamp(NOON - week), moved_looks=3)

    assert move_is_confirmed(held, NOON)
    assert not move_is_confirmed(held, NOON - timedelta(hours=1))
    assert not move_is_confirmed(
        FeedStatistics(moved_to="https://b.example/", moved_since=to_timestamp(NOON - week), moved_looks=2),
        NOON,
    )
    assert not move_is_confirmed(FeedStatistics(), NOON)
