"""Which items of a feed are too old to be news. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from service.core.model import Feed

DORMANT_AFTER = timedelta(days=60)  # a feed without an item for longer has no news when it is first read
MAX_RHYTHM = timedelta(days=60)  # counted of a feed that publishes less often
MIN_DATES = 3  # that show a rhythm


@dataclass(frozen=True, slots=True)
class AgeLimit:
    """The earliest date of an item that is news, and why older ones are held, as a phrase for people."""

    oldest: datetime
    reason: str


def age_limit(feed: Feed, dates: Iterable[datetime], now: datetime, *, first: bool) -> AgeLimit | None:
    """Return the limit for a document whose items have these `dates`, None for no limit.

    With `max_age` it counts from now. Without, it holds for the `first` poll only, so that a late article
    with an old date is not lost, and counts from the feed's latest item, so that a feed that is quiet for
    some weeks still shows what it last published; a feed with a slow rhythm gets more time.
    """
    if feed.max_age is not None:
        return _limit(now, feed.max_age, "max_age")
    if not first:
        return None
    known = sorted(min(date, now) for date in dates)
    latest = known[-1] if known and known[-1] >= now - DORMANT_AFTER else now
    return _limit(latest, max(feed.default_max_age, _rhythm(known)), "max_age left out")


def _limit(latest: datetime, age: timedelta, setting: str) -> AgeLimit:
    oldest = latest - age
    return AgeLimit(oldest, f"they are dated before {oldest:%Y-%m-%d} ({setting})")


def _rhythm(dates: list[datetime]) -> timedelta:
    """Return twice the median time between two items, zero for too few of them."""
    gaps = sorted(later - earlier for earlier, later in pairwise(dates))
    return min(2 * gaps[(len(gaps) - 1) // 2], MAX_RHYTHM) if len(dates) >= MIN_DATES else timedelta(0)
