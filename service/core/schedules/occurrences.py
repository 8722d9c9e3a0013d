"""Occurrences of a schedule: local times as instants, across clock changes.

One rule holds for every kind of schedule. A local time that a clock change skips is due at the first valid
instant after the gap; a local time that occurs twice is due at its first occurrence only. Local times that
fall on one instant, such as two in one gap, make one occurrence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import takewhile
from zoneinfo import ZoneInfo

from service.core.errors import UsageError

MAX_DAYS_AHEAD = 800  # searched for an occurrence; each schedule has one in every calendar year


@dataclass(frozen=True, slots=True)
class Schedule:
    """A parsed schedule: `matches` selects local days, `times` are the local times on each, sorted.

    `text` is its one spelling, which is stored and compared.
    """

    text: str
    matches: Callable[[date], bool]
    times: tuple[time, ...]


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One due time: the local date and time, which is also its name, and the UTC instant."""

    local: datetime
    at: datetime

    @property
    def name(self) -> str:
        """The occurrence as a key, such as `2026-03-29T07:00`."""
        return self.local.isoformat(timespec="minutes")


def next_occurrence(schedule: Schedule, zone: ZoneInfo, after: datetime) -> Occurrence:
    """Return the first occurrence whose instant lies strictly after `after` (aware, UTC)."""
    return next(_following(schedule, zone, after))


def occurrences(schedule: Schedule, zone: ZoneInfo, after: datetime, until: datetime) -> Iterator[Occurrence]:
    """Yield the occurrences with `after < instant <= until`, in order."""
    return takewhile(lambda found: found.at <= until, _following(schedule, zone, after))


def _following(schedule: Schedule, zone: ZoneInfo, after: datetime) -> Iterator[Occurrence]:
    """Yield every occurrence after `after`, without an end."""
    # A zone can be a day ahead or behind, and a gap can push an instant past its local date.
    first = after.astimezone(zone).date() - timedelta(days=1)
    for local in _local_times(schedule, first):
        at = instant_of(local, zone)
        if at > after:
            yield Occurrence(local, at)
            after = at


def _local_times(schedule: Schedule, first: date) -> Iterator[datetime]:
    for day in _days(schedule, first):
        for moment in schedule.times:
            yield datetime.combine(day, moment)


def _days(schedule: Schedule, first: date) -> Iterator[date]:
    day, searched = first, 0
    while searched < MAX_DAYS_AHEAD:
        searched += 1
        if schedule.matches(day):
            yield day
            searched = 0
        day += timedelta(days=1)
    raise UsageError(f"the schedule {schedule.text!r} names no day of the next two years")


def instant_of(local: datetime, zone: ZoneInfo) -> datetime:
    """Return the UTC instant of a naive local time: after the gap in spring, the first of two in autumn."""
    early = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if early.astimezone(zone).replace(tzinfo=None) == local:
        return early
    # PEP 495: inside a gap, fold=0 uses the offset before the change and fold=1 the offset after it. The two
    # instants enclose the change itself, which is the first valid instant after the gap.
    late = local.replace(tzinfo=zone, fold=1).astimezone(UTC)
    return _change_between(min(early, late), max(early, late), zone)


def start_of_day(day: date, zone: ZoneInfo) -> datetime:
    """Return the instant, in UTC, at which a local day begins."""
    return instant_of(datetime.combine(day, time(0, 0)), zone)


def _change_between(low: datetime, high: datetime, zone: ZoneInfo) -> datetime:
    """Return the instant, to the second, at which the zone's offset changes in `low < change <= high`."""
    before = low.astimezone(zone).utcoffset()
    while high - low > timedelta(seconds=1):
        middle = low + timedelta(seconds=(high - low) // timedelta(seconds=2))
        if middle.astimezone(zone).utcoffset() == before:
            low = middle
        else:
            high = middle
    return high
