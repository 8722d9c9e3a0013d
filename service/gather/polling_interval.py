"""Cadence: when to look at a feed again. Pure.

    next look = max(own interval, TTL, freshness the server declared, Retry-After), capped, plus jitter

The own interval adapts to how often the feed publishes; after failures it doubles each time.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from service.core.ids import spread
from service.core.model import Feed
from service.gather.entries.seen_items import Head, instant

LONGEST = timedelta(hours=24)
"""However little is to be had, a feed is looked at once a day."""

LONGEST_WISH = timedelta(hours=6)
"""How far TTL and freshness are honoured: some servers declare a year for everything they serve."""

LONGEST_OWN = timedelta(hours=3)
"""A feed that publishes once a month is still looked at often enough for the next digest."""

LOOKS_PER_ITEM = 6
MOVE_HELD_FOR = timedelta(days=7)
MOVE_LOOKS = 3


@dataclass(frozen=True, slots=True)
class Next:
    """When the next look is due and, for a person, why then."""

    at: datetime
    why: str


def own_interval(feed: Feed, head: Head, now: datetime) -> timedelta:
    """Return a sixth of the time that usually passes between two items, within the feed's `every` and 3 h."""
    gap = usual_gap(head, now)
    if gap is None:
        return feed.every
    return max(feed.every, min(gap / LOOKS_PER_ITEM, LONGEST_OWN))


def usual_gap(head: Head, now: datetime) -> timedelta | None:
    """Return the mean time between two items over the days that are remembered, None while too few came."""
    total = sum(head.days.values())
    if total < 3:
        return None
    first = datetime.fromisoformat(min(head.days)).replace(tzinfo=now.tzinfo)
    return max(now - first, timedelta(hours=1)) / total


def after_answer(feed: Feed, head: Head, now: datetime, fresh_for: int | None) -> Next:
    """Return the next look after a look that went well."""
    wishes = (
        (own_interval(feed, head, now), "its own rhythm"),
        (min(timedelta(seconds=head.ttl), LONGEST_WISH), "the feed's TTL"),
        (min(timedelta(seconds=fresh_for or 0), LONGEST_WISH), "the server's cache headers"),
    )
    wait, why = max(wishes, key=lambda wish: wish[0])
    return Next(now + _jittered(feed, min(wait, LONGEST)), why)


def after_failure(feed: Feed, failures: int, now: datetime, retry_after: int | None) -> Next:
    """Return the next look after the `failures`th failed look in a row (1 for the first)."""
    wait = min(feed.every * 2 ** min(failures - 1, 12), LONGEST)
    why = "failed once" if failures == 1 else f"failed {failures} times in a row"
    asked = timedelta(seconds=min(retry_after or 0, int(LONGEST.total_seconds())))
    if asked > wait:
        wait, why = asked, "the server's Retry-After"
    return Next(now + _jittered(feed, wait), why)


def move_has_held(head: Head, now: datetime) -> bool:
    """Tell whether a permanent redirect has pointed to one place for long enough to go there at once."""
    since = instant(head.moved_since)
    return bool(head.moved_to and since and now - since >= MOVE_HELD_FOR and head.moved_looks >= MOVE_LOOKS)


def _jittered(feed: Feed, wait: timedelta) -> timedelta:
    """Add up to a tenth, the same for this feed every time, so that feeds do not march in step."""
    return wait + timedelta(seconds=spread(feed.id, int(wait.total_seconds() / 10)))
