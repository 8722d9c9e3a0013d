"""Health: how a feed is doing, told from the state that its looks left behind. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise

from service.core.model import FeedState, Standing
from service.gather.entries.seen_items import Head, head_of, instant
from service.gather.polling_interval import MOVE_HELD_FOR, MOVE_LOOKS, after_answer, after_failure, usual_gap

BARS = "▁▂▃▄▅▆▇█"
SHOWN_DAYS = 14
ENOUGH_ITEMS = 5
ENOUGH_DAYS = 3
BLANK_LOOKS = 2
HELD_SHOWN_FOR = timedelta(days=14)
READERS_WAIT = timedelta(days=1)
"""So long a feed may fail before its readers are told."""
NEVER_READ = 3
"""After so many failed looks, neither will a new feed be read soon."""


@dataclass(frozen=True, slots=True)
class Health:
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
    def well(self) -> bool:
        """Whether there is nothing that a person should look at."""
        return not self.flags


def health_of(state: FeedState, now: datetime) -> Health:
    """Return the health of a feed at `now` (aware, UTC)."""
    head = head_of(state.memory)
    newest = instant(head.newest)
    gap = usual_gap(head, now)
    seen = head.seen + head.repeats
    return Health(
        name=state.feed.name,
        url=state.feed.url,
        format=head.format,
        last_success_at=state.last_success_at,
        last_error=state.last_error,
        failures=state.failures,
        next_look_at=state.next_look_at,
        why=_why(state, head, now),
        per_day=timedelta(days=1) / gap if gap else None,
        usual_gap=gap,
        silent_for=now - newest if newest else None,
        faulty=head.faulty / head.reads if head.reads else 0.0,
        repeats=head.repeats / seen if seen else 0.0,
        entries=head.entries,
        days=last_days(head, now.date(), SHOWN_DAYS),
        flags=tuple(_flags(state, head, now)),
    )


def standing_of(state: FeedState, now: datetime) -> Standing:
    """Return the feed as its readers may know it at `now` (aware, UTC): heard or not, and when last.

    Much that an operator should look at is none of their readers' business: a look that failed once, a move,
    items that were held.
    """
    head, read = head_of(state.memory), state.last_success_at
    if state.failures:
        patience = max(READERS_WAIT, 2 * state.feed.every)
        lost = state.failures >= NEVER_READ if read is None else now - read >= patience
        last = read
    else:
        lost, last = is_silent(head, min(read or now, now)), instant(head.newest)
    return Standing(state.feed.name, state.feed.topics, heard=not lost, last_heard=last)


def sparkline(counts: Sequence[int]) -> str:
    """Draw counts as a line of bars; a day without items is the lowest bar, the fullest day the highest."""
    most = max(counts, default=0)
    if not most:
        return BARS[0] * len(counts)
    return "".join(BARS[0] if not n else BARS[max(1, round(n / most * (len(BARS) - 1)))] for n in counts)


def last_days(head: Head, today: date, count: int) -> tuple[int, ...]:
    """Return how many items came on each of the last days, oldest first."""
    return tuple(
        head.days.get((today - timedelta(days=back)).isoformat(), 0) for back in range(count - 1, -1, -1)
    )


def span(length: timedelta) -> str:
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


def brief(length: timedelta) -> str:
    """Write a span of time for a column: `5h`, `9d`."""
    minutes = max(round(length / timedelta(minutes=1)), 0)
    if minutes < 100:
        return f"{minutes}m"
    hours = round(minutes / 60)
    return f"{hours}h" if hours < 48 else f"{round(hours / 24)}d"


def is_silent(head: Head, looked: datetime) -> bool:
    """Tell whether a feed's silence up to the last look is out of its rhythm: by far longer than any so far.

    The rhythm is that up to the newest item; what came on a day or two is none yet.
    """
    newest = instant(head.newest)
    if newest is None or sum(head.days.values()) < ENOUGH_ITEMS or len(head.days) < ENOUGH_DAYS:
        return False
    rhythm = usual_gap(head, newest) or timedelta(0)
    return looked - newest > max(4 * rhythm, 1.5 * _longest_pause(head), timedelta(days=1))


def _longest_pause(head: Head) -> timedelta:
    """Return the longest time between two days with items, such as a weekend."""
    days = sorted(date.fromisoformat(day) for day in head.days)
    return max((later - earlier for earlier, later in pairwise(days)), default=timedelta(0))


def _flags(state: FeedState, head: Head, now: datetime) -> list[str]:
    flags: list[str] = []
    if state.failures:
        times = "once" if state.failures == 1 else f"{state.failures} times in a row"
        since = (
            f"; last read {span(now - state.last_success_at)} ago"
            if state.last_success_at
            else "; never read"
        )
        flags.append(f"failed {times}{since}: {state.last_error or 'no reason kept'}")
    elif head.blank >= BLANK_LOOKS:
        flags.append(f"answers, but held nothing at the last {head.blank} looks")
    newest = instant(head.newest)
    looked = min(state.last_success_at or now, now)
    if newest and is_silent(head, looked):
        gap = usual_gap(head, newest)
        usual = f"; usually something comes every {span(gap)}" if gap else ""
        flags.append(f"silent for {span(looked - newest)}{usual}")
    if head.moved_to:
        since_when = instant(head.moved_since) or now
        held = head.moved_looks >= MOVE_LOOKS and now - since_when >= MOVE_HELD_FOR
        word = "has moved for good" if held else "says that it has moved for good"
        flags.append(f"{word} to {head.moved_to}")
    held_at = instant(head.held_at)
    if held_at and now - held_at <= HELD_SHOWN_FOR:
        flags.append(f"{head.held} items were held as old {span(now - held_at)} ago: {head.held_why}")
    return flags


def _why(state: FeedState, head: Head, now: datetime) -> str:
    if state.next_look_at is None:
        return "never looked at so far"
    if state.failures:
        return after_failure(state.feed, state.failures, now, None).why
    return after_answer(state.feed, head, now, None).why
