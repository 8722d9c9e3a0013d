"""Health: how a feed is doing, told from the state that its looks left behind. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise

from service.core.model import FeedState, SourceHealth
from service.gather.entries.seen_items import FeedStatistics, from_timestamp, statistics_of
from service.gather.polling_interval import (
    MOVE_MIN_AGE,
    MOVE_MIN_POLLS,
    after_failure,
    after_success,
    usual_gap,
)

BARS = "▁▂▃▄▅▆▇█"
SPARKLINE_DAYS = 14
MIN_ITEMS = 5
MIN_DAYS = 3
MIN_BLANK_POLLS = 2
HELD_FLAG_DURATION = timedelta(days=14)
MIN_OUTAGE = timedelta(days=1)
"""So long a feed may fail before its readers are told."""
MIN_FAILURES_NEVER_READ = 3
"""After so many failed looks, neither will a new feed be read soon."""


@dataclass(frozen=True, slots=True)
class FeedHealth:
    """One feed's health. Shares are between 0 and 1, spans None while too little is known.

    per_day      items on a usual day; `usual_gap` the time that usually passes between two
    silent_for   the time since the newest item
    faulty       share of the documents whose markup was broken
    repeats      share of items that were old ones under new names
    days         items of each of the last 14 days, the last one today
    why          why the next look is when it is
    flags        sentences about what a person should look at, gravest first; empty when all is well
    """

    name: str
    url: str
    format: str
    last_success_at: datetime | None
    last_error: str | None
    failures: int
    next_look_at: datetime | None
    why: str
    per_day: float | None
    usual_gap: timedelta | None
    silent_for: timedelta | None
    faulty: float
    repeats: float
    entries: int
    days: tuple[int, ...]
    flags: tuple[str, ...]

    @property
    def is_healthy(self) -> bool:
        """Whether there is nothing that a person should look at."""
        return not self.flags


def feed_health(state: FeedState, now: datetime) -> FeedHealth:
    """Return the health of a feed at `now` (aware, UTC)."""
    head = statistics_of(state.seen_items)
    newest = from_timestamp(head.newest)
    gap = usual_gap(head, now)
    seen = head.seen + head.repeats
    return FeedHealth(
        name=state.feed.name,
        url=state.feed.url,
        format=head.format,
        last_success_at=state.last_success_at,
        last_error=state.last_error,
        failures=state.failures,
        next_look_at=state.next_poll_at,
        why=_why(state, head, now),
        per_day=timedelta(days=1) / gap if gap else None,
        usual_gap=gap,
        silent_for=now - newest if newest else None,
        faulty=head.faulty / head.reads if head.reads else 0.0,
        repeats=head.repeats / seen if seen else 0.0,
        entries=head.entries,
        days=items_per_day(head, now.date(), SPARKLINE_DAYS),
        flags=tuple(_flags(state, head, now)),
    )


def standing_of(state: FeedState, now: datetime) -> SourceHealth:
    """Return the feed as its readers may know it at `now` (aware, UTC): heard or not, and when last.

    Much that an operator should look at is none of their readers' business: a look that failed once, a move,
    items that were held.
    """
    head, read = statistics_of(state.seen_items), state.last_success_at
    if state.failures:
        patience = max(MIN_OUTAGE, 2 * state.feed.poll_interval)
        lost = state.failures >= MIN_FAILURES_NEVER_READ if read is None else now - read >= patience
        last = read
    else:
        lost, last = is_silent(head, min(read or now, now)), from_timestamp(head.newest)
    return SourceHealth(state.feed.name, state.feed.topics, is_healthy=not lost, last_healthy_at=last)


def sparkline(counts: Sequence[int]) -> str:
    """Draw counts as a line of bars; a day without items is the lowest bar, the fullest day the highest."""
    most = max(counts, default=0)
    if not most:
        return BARS[0] * len(counts)
    return "".join(BARS[0] if not n else BARS[max(1, round(n / most * (len(BARS) - 1)))] for n in counts)


def items_per_day(statistics: FeedStatistics, today: date, count: int) -> tuple[int, ...]:
    """Return how many items came on each of the last days, oldest first."""
    return tuple(
        statistics.days.get((today - timedelta(days=back)).isoformat(), 0)
        for back in range(count - 1, -1, -1)
    )


def format_duration(length: timedelta) -> str:
    """Write a span of time for a person, in its largest unit: `5 hours`, `9 days`."""
    for unit, size in (
        ("day", timedelta(days=1)),
        ("hour", timedelta(hours=1)),
        ("minute", timedelta(minutes=1)),
    ):
        if length >= size * (1 if unit == "minute" else 1.5):
            number = round(length / size)
            return f"{number} {unit}{'s' if number != 1 else ''}"
    return "less than a minute"


def format_duration_short(length: timedelta) -> str:
    """Write a span of time for a column: `5h`, `9d`."""
    minutes = max(round(length / timedelta(minutes=1)), 0)
    if minutes < 100:
        return f"{minutes}m"
    hours = round(minutes / 60)
    return f"{hours}h" if hours < 48 else f"{round(hours / 24)}d"


def is_silent(statistics: FeedStatistics, polled_at: datetime) -> bool:
    """Tell whether a feed's silence up to the last look is out of its rhythm: by far longer than any so far.

    The rhythm is that up to the newest item; what came on a day or two is none yet.
    """
    newest = from_timestamp(statistics.newest)
    if newest is None or sum(statistics.days.values()) < MIN_ITEMS or len(statistics.days) < MIN_DAYS:
        return False
    rhythm = usual_gap(statistics, newest) or timedelta(0)
    return polled_at - newest > max(4 * rhythm, 1.5 * _longest_pause(statistics), timedelta(days=1))


def _longest_pause(head: FeedStatistics) -> timedelta:
    """Return the longest time between two days with items, such as a weekend."""
    days = sorted(date.fromisoformat(day) for day in head.days)
    return max((later - earlier for earlier, later in pairwise(days)), default=timedelta(0))


def _flags(state: FeedState, head: FeedStatistics, now: datetime) -> list[str]:
    flags: list[str] = []
    if state.failures:
        times = "once" if state.failures == 1 else f"{state.failures} times in a row"
        since = (
            f"; last read {format_duration(now - state.last_success_at)} ago"
            if state.last_success_at
            else "; never read"
        )
        flags.append(f"failed {times}{since}: {state.last_error or 'no reason kept'}")
    elif head.blank >= MIN_BLANK_POLLS:
        flags.append(f"answers, but held nothing at the last {head.blank} looks")
    newest = from_timestamp(head.newest)
    looked = min(state.last_success_at or now, now)
    if newest and is_silent(head, looked):
        gap = usual_gap(head, newest)
        usual = f"; usually something comes every {format_duration(gap)}" if gap else ""
        flags.append(f"silent for {format_duration(looked - newest)}{usual}")
    if head.moved_to:
        since_when = from_timestamp(head.moved_since) or now
        held = head.moved_looks >= MOVE_MIN_POLLS and now - since_when >= MOVE_MIN_AGE
        word = "has moved for good" if held else "says that it has moved for good"
        flags.append(f"{word} to {head.moved_to}")
    held_at = from_timestamp(head.held_at)
    if held_at and now - held_at <= HELD_FLAG_DURATION:
        flags.append(
            f"{head.held} items were held as old {format_duration(now - held_at)} ago: {head.held_why}"
        )
    return flags


def _why(state: FeedState, head: FeedStatistics, now: datetime) -> str:
    if state.next_poll_at is None:
        return "never looked at so far"
    if state.failures:
        return after_failure(state.feed, state.failures, now, None).reason
    return after_success(state.feed, head, now, None).reason
