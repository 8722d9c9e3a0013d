"""Cadence: when to look at a feed again. Pure.

    next look = max(own interval, TTL, freshness the server declared, Retry-After), capped, plus jitter

The own interval adapts to how often the feed publishes; after failures it doubles each time.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from service.core.ids import stable_jitter
from service.core.model import Feed
from service.gather.entries.seen_items import FeedStatistics, from_timestamp

MAX_INTERVAL = timedelta(hours=24)
"""However little is to be had, a feed is looked at once a day."""

MAX_REQUESTED_INTERVAL = timedelta(hours=6)
"""How far TTL and freshness are honoured: some servers declare a year for everything they serve."""

MAX_OWN_INTERVAL = timedelta(hours=3)
"""A feed that publishes once a month is still looked at often enough for the next digest."""

POLLS_PER_ITEM = 6
MOVE_MIN_AGE = timedelta(days=7)
MOVE_MIN_POLLS = 3


@dataclass(frozen=True, slots=True)
class NextPoll:
    """When the next look is due and, for a person, why then."""

    at: datetime
    reason: str


def own_interval(feed: Feed, statistics: FeedStatistics, now: datetime) -> timedelta:
    """Return a sixth of the time that usually passes between two items, within the feed's `every` and 3 h."""
    gap = usual_gap(statistics, now)
    if gap is None:
        return feed.poll_interval
    return max(feed.poll_interval, min(gap / POLLS_PER_ITEM, MAX_OWN_INTERVAL))


def usual_gap(statistics: FeedStatistics, now: datetime) -> timedelta | None:
    """Return the mean time between two items over the days that are remembered, None while too few came."""
    total = sum(statistics.days.values())
    if total < 3:
        return None
    first = datetime.fromisoformat(min(statistics.days)).replace(tzinfo=now.tzinfo)
    return max(now - first, timedelta(hours=1)) / total


def after_success(
    feed: Feed, statistics: FeedStatistics, now: datetime, fresh_seconds: int | None
) -> NextPoll:
    """Return the next look after a look that went well."""
    wishes = (
        (own_interval(feed, statistics, now), "its own rhythm"),
        (min(timedelta(seconds=statistics.ttl), MAX_REQUESTED_INTERVAL), "the feed's TTL"),
        (min(timedelta(seconds=fresh_seconds or 0), MAX_REQUESTED_INTERVAL), "the server's cache headers"),
    )
    wait, why = max(wishes, key=lambda wish: wish[0])
    return NextPoll(now + _jittered(feed, min(wait, MAX_INTERVAL)), why)


def after_failure(feed: Feed, failures: int, now: datetime, retry_after_seconds: int | None) -> NextPoll:
    """Return the next look after the `failures`th failed look in a row (1 for the first)."""
    wait = min(feed.poll_interval * 2 ** min(failures - 1, 12), MAX_INTERVAL)
    why = "failed once" if failures == 1 else f"failed {failures} times in a row"
    asked = timedelta(seconds=min(retry_after_seconds or 0, int(MAX_INTERVAL.total_seconds())))
    if asked > wait:
        wait, why = asked, "the server's Retry-After"
    return NextPoll(now + _jittered(feed, wait), why)


def move_is_confirmed(statistics: FeedStatistics, now: datetime) -> bool:
    """Tell whether a permanent redirect has pointed to one place for long enough to go there at once."""
    since = from_timestamp(statistics.moved_since)
    return bool(
        statistics.moved_to
        and since
        and now - since >= MOVE_MIN_AGE
        and statistics.moved_looks >= MOVE_MIN_POLLS
    )


def _jittered(feed: Feed, wait: timedelta) -> timedelta:
    """Add up to a tenth, the same for this feed every time, so that feeds do not march in step."""
    return wait + timedelta(seconds=stable_jitter(feed.id, int(wait.total_seconds() / 10)))
