"""Polling interval: when a feed is polled again. Pure.

    next poll = max(own interval, TTL, freshness lifetime, Retry-After), capped, plus jitter

The own interval adapts to how often the feed publishes, unless feeds.yaml sets another one than the default;
after failures it doubles each time.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from service.core.ids import stable_jitter
from service.core.model import DEFAULT_POLL_INTERVAL, Feed
from service.gather.entries.seen_items import FeedStatistics, from_timestamp

MAX_INTERVAL = timedelta(hours=24)
MAX_REQUESTED_INTERVAL = timedelta(hours=6)  # for TTL and freshness: some servers declare a year
MAX_OWN_INTERVAL = timedelta(hours=3)  # so that the rare item of a slow feed is in the next digest
POLLS_PER_ITEM = 6
MOVE_MIN_AGE = timedelta(days=7)
MOVE_MIN_POLLS = 3


@dataclass(frozen=True, slots=True)
class NextPoll:
    """When the next poll is due, and the reason as a phrase for people."""

    at: datetime
    reason: str


def own_interval(feed: Feed, statistics: FeedStatistics, now: datetime) -> timedelta:
    """Return the feed's `every`, or by default a sixth of the usual time between two items, at most 3 h."""
    gap = usual_gap(statistics, now)
    if gap is None or feed.poll_interval != DEFAULT_POLL_INTERVAL:
        return feed.poll_interval
    return max(feed.poll_interval, min(gap / POLLS_PER_ITEM, MAX_OWN_INTERVAL))


def usual_gap(statistics: FeedStatistics, now: datetime) -> timedelta | None:
    """Return the mean time between two items over the remembered days, None for fewer than three items."""
    total = sum(statistics.days.values())
    if total < 3:
        return None
    first = datetime.fromisoformat(min(statistics.days)).replace(tzinfo=now.tzinfo)
    return max(now - first, timedelta(hours=1)) / total


def after_success(
    feed: Feed, statistics: FeedStatistics, now: datetime, fresh_seconds: int | None
) -> NextPoll:
    """Return the next poll after a successful one."""
    intervals = (
        (own_interval(feed, statistics, now), "how often it publishes"),
        (min(timedelta(seconds=statistics.ttl), MAX_REQUESTED_INTERVAL), "the feed's TTL"),
        (min(timedelta(seconds=fresh_seconds or 0), MAX_REQUESTED_INTERVAL), "the server's cache headers"),
    )
    wait, reason = max(intervals, key=lambda interval: interval[0])
    return NextPoll(now + _jittered(feed, min(wait, MAX_INTERVAL)), reason)


def after_failure(feed: Feed, failures: int, now: datetime, retry_after_seconds: int | None) -> NextPoll:
    """Return the next poll after `failures` failed polls in a row (1 for the first)."""
    wait = min(feed.poll_interval * 2 ** min(failures - 1, 12), MAX_INTERVAL)
    reason = "failed once" if failures == 1 else f"failed {failures} times in a row"
    requested = timedelta(seconds=min(retry_after_seconds or 0, int(MAX_INTERVAL.total_seconds())))
    if requested > wait:
        wait, reason = requested, "the server's Retry-After"
    return NextPoll(now + _jittered(feed, wait), reason)


def move_is_confirmed(statistics: FeedStatistics, now: datetime) -> bool:
    """Return whether the target of a move is polled directly.

    A permanent redirect must have had one target long enough; a move that the feed announced needs no time.
    """
    if statistics.announced:
        return statistics.announced == statistics.moved_to
    since = from_timestamp(statistics.moved_since)
    return bool(
        statistics.moved_to
        and since
        and now - since >= MOVE_MIN_AGE
        and statistics.moved_looks >= MOVE_MIN_POLLS
    )


def _jittered(feed: Feed, wait: timedelta) -> timedelta:
    """Add up to a tenth, always the same for this feed, so that feeds are not polled all at once."""
    return wait + timedelta(seconds=stable_jitter(feed.id, int(wait.total_seconds() / 10)))
