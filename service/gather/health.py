"""Feed health, derived from the state that polls have stored. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise

from service.core.model import FeedState, SourceHealth
from service.gather.entries.seen_items import FeedStatistics, from_timestamp, statistics_of
from service.gather.polling_interval import after_failure, after_success, move_is_confirmed, usual_gap

BARS = "▁▂▃▄▅▆▇█"
SPARKLINE_DAYS = 14
MIN_ITEMS = 5  # remembered items, and days with items, from which a publishing rhythm is known
MIN_DAYS = 3
MIN_BLANK_POLLS = 2  # in a row, before they are flagged
HELD_FLAG_DURATION = timedelta(days=14)
CUT_FLAG_DURATION = timedelta(days=14)
MIN_OUTAGE = timedelta(days=1)  # of a feed before digests mention it
MIN_FAILURES_NEVER_READ = 3  # in a row, before digests mention a feed that was never read


@dataclass(frozen=True, slots=True)
class FeedHealth:
    """One feed's health. Shares are between 0 and 1; a time span is None while too little is known.

    per_day      items on a usual day; `usual_gap` is the usual time between two items
    silent_for   time since the newest item
    faulty       share of documents with broken markup
    repeats      share of items that were old items under new names
    days         items on each of the last 14 days, today last
    why          the reason for the time of the next poll
    flags        sentences about problems, most serious first; empty for a healthy feed
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
        """Whether there are no flags."""
        return not self.flags


def feed_health(state: FeedState, now: datetime) -> FeedHealth:
    """Return the health of a feed at `now` (aware, UTC)."""
    statistics = statistics_of(state.seen_items)
    newest = from_timestamp(statistics.newest)
    gap = usual_gap(statistics, now)
    seen = statistics.seen + statistics.repeats
    return FeedHealth(
        name=state.feed.name,
        url=state.feed.url,
        format=statistics.format,
        last_success_at=state.last_success_at,
        last_error=state.last_error,
        failures=state.failures,
        next_look_at=state.next_poll_at,
        why=_reason(state, statistics, now),
        per_day=timedelta(days=1) / gap if gap else None,
        usual_gap=gap,
        silent_for=now - newest if newest else None,
        faulty=statistics.faulty / statistics.reads if statistics.reads else 0.0,
        repeats=statistics.repeats / seen if seen else 0.0,
        entries=statistics.entries,
        days=items_per_day(statistics, now.date(), SPARKLINE_DAYS),
        flags=tuple(_flags(state, statistics, now)),
    )


def source_health(state: FeedState, now: datetime) -> SourceHealth:
    """Return the health of a feed as digests mention it, at `now` (aware, UTC).

    Only a long outage or silence counts. A single failure, a move or held items concern the operator alone.
    """
    statistics, read = statistics_of(state.seen_items), state.last_success_at
    if state.failures:
        outage = max(MIN_OUTAGE, 2 * state.feed.poll_interval)
        lost = state.failures >= MIN_FAILURES_NEVER_READ if read is None else now - read >= outage
        last = read
    else:
        lost, last = is_silent(statistics, min(read or now, now)), from_timestamp(statistics.newest)
    return SourceHealth(state.feed.name, state.feed.topics, is_healthy=not lost, last_healthy_at=last)


def sparkline(counts: Sequence[int]) -> str:
    """Draw counts as bars: the lowest for a day without items, the highest for the day with most items."""
    most = max(counts, default=0)
    if not most:
        return BARS[0] * len(counts)
    return "".join(BARS[0] if not n else BARS[max(1, round(n / most * (len(BARS) - 1)))] for n in counts)


def items_per_day(statistics: FeedStatistics, today: date, count: int) -> tuple[int, ...]:
    """Return the number of new items on each of the last `count` days, oldest first."""
    return tuple(
        statistics.days.get((today - timedelta(days=back)).isoformat(), 0)
        for back in range(count - 1, -1, -1)
    )


def format_duration(length: timedelta) -> str:
    """Return a time span in its largest unit: `5 hours`, `9 days`."""
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
    """Return a time span for a table column: `5h`, `9d`."""
    minutes = max(round(length / timedelta(minutes=1)), 0)
    if minutes < 100:
        return f"{minutes}m"
    hours = round(minutes / 60)
    return f"{hours}h" if hours < 48 else f"{round(hours / 24)}d"


def is_silent(statistics: FeedStatistics, polled_at: datetime) -> bool:
    """Return whether the time without items up to `polled_at` is far longer than usual for the feed.

    Usual is the rhythm up to the newest item; a feed with few items, or items on few days, has none yet.
    """
    newest = from_timestamp(statistics.newest)
    if newest is None or sum(statistics.days.values()) < MIN_ITEMS or len(statistics.days) < MIN_DAYS:
        return False
    rhythm = usual_gap(statistics, newest) or timedelta(0)
    return polled_at - newest > max(4 * rhythm, 1.5 * _longest_pause(statistics), timedelta(days=1))


def _longest_pause(statistics: FeedStatistics) -> timedelta:
    """Return the longest time between two days with items, such as a weekend."""
    days = sorted(date.fromisoformat(day) for day in statistics.days)
    return max((later - earlier for earlier, later in pairwise(days)), default=timedelta(0))


def _flags(state: FeedState, statistics: FeedStatistics, now: datetime) -> list[str]:
    flags: list[str] = []
    if state.failures:
        times = "once" if state.failures == 1 else f"{state.failures} times in a row"
        since = (
            f"; last read {format_duration(now - state.last_success_at)} ago"
            if state.last_success_at
            else "; never read"
        )
        flags.append(f"failed {times}{since}: {state.last_error or 'unknown reason'}")
    elif statistics.blank >= MIN_BLANK_POLLS:
        flags.append(f"responds, but had no items at the last {statistics.blank} polls")
    newest = from_timestamp(statistics.newest)
    polled_at = min(state.last_success_at or now, now)
    if newest and is_silent(statistics, polled_at):
        gap = usual_gap(statistics, newest)
        usual = f"; usually it publishes every {format_duration(gap)}" if gap else ""
        flags.append(f"silent for {format_duration(polled_at - newest)}{usual}")
    if statistics.moved_to:
        confirmed = move_is_confirmed(statistics, now)
        flags.append(
            f"{'has moved' if confirmed else 'redirects'} permanently to {statistics.moved_to}"
            f"{'; put that address into feeds.yaml' if confirmed else ''}"
        )
    held_at = from_timestamp(statistics.held_at)
    if held_at and now - held_at <= HELD_FLAG_DURATION:
        ago = f"{format_duration(now - held_at)} ago"
        flags.append(f"{statistics.held} items were held as old {ago}: {statistics.held_why}")
    cut_at = from_timestamp(statistics.cut_at)
    if cut_at and now - cut_at <= CUT_FLAG_DURATION:
        ago = f"{format_duration(now - cut_at)} ago"
        flags.append(f"{_texts(statistics.cut)} cut {ago}: {statistics.cut_why}")
    return flags


def _texts(count: int) -> str:
    return "1 text was" if count == 1 else f"{count} texts were"


def _reason(state: FeedState, statistics: FeedStatistics, now: datetime) -> str:
    if state.next_poll_at is None:
        return "never polled"
    if state.failures:
        return after_failure(state.feed, state.failures, now, None).reason
    return after_success(state.feed, statistics, now, None).reason
