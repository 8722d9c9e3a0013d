"""Schedules: the instants at which an issue is due, in the subscriber's time zone, across clock changes.

A schedule is written as a word and its details: `daily 07:00`, `daily 07:00,18:30`, `weekdays 06:30`,
`weekends 09:00`, `weekly mon,thu 07:00`, `monthly 1,15 08:00`. In a month without the given day, the last day
of the month is used. A local time that a clock change skips is due at the first valid instant after the gap;
a local time that occurs twice is due at its first occurrence only.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from service.core.errors import UnknownName, UsageError

WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
DAYS = {name: number for number, day in enumerate(WEEK) for name in (day, day[:3])}
MAX_DAYS_AHEAD = 400  # searched for an occurrence; each schedule has at least one within a month


@dataclass(frozen=True, slots=True)
class Schedule:
    """A parsed schedule: `matches` selects local days, `times` are the local times on each, sorted."""

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


def _every_day(_details: str) -> Callable[[date], bool]:
    return lambda _day: True


def _weekdays(_details: str) -> Callable[[date], bool]:
    return lambda day: day.weekday() < 5


def _weekends(_details: str) -> Callable[[date], bool]:
    return lambda day: day.weekday() >= 5


def _weekly(details: str) -> Callable[[date], bool]:
    names = [name for name in details.split(",") if name]
    if not names or not all(name in DAYS for name in names):
        raise UsageError(f"{details!r} names no days of the week; write them as mon,thu")
    wanted = frozenset(DAYS[name] for name in names)
    return lambda day: day.weekday() in wanted


def _monthly(details: str) -> Callable[[date], bool]:
    days = [int(part) for part in details.split(",") if part.isdecimal()]
    if not days or len(days) != len(details.split(",")) or not all(1 <= d <= 31 for d in days):
        raise UsageError(f"{details!r} names no days of the month; write them as 1,15")

    def falls_on(day: date) -> bool:
        last = monthrange(day.year, day.month)[1]
        return any(min(wanted, last) == day.day for wanted in days)

    return falls_on


@dataclass(frozen=True, slots=True)
class _ScheduleKind:
    """A kind of schedule: the parser of its details, and an example for error messages."""

    read: Callable[[str], Callable[[date], bool]]
    takes_days: bool
    example: str


SCHEDULE_KINDS: dict[str, _ScheduleKind] = {
    "daily": _ScheduleKind(_every_day, takes_days=False, example="daily 07:00"),
    "weekdays": _ScheduleKind(_weekdays, takes_days=False, example="weekdays 06:30"),
    "weekends": _ScheduleKind(_weekends, takes_days=False, example="weekends 09:00"),
    "weekly": _ScheduleKind(_weekly, takes_days=True, example="weekly mon,thu 07:00"),
    "monthly": _ScheduleKind(_monthly, takes_days=True, example="monthly 1,15 08:00"),
}


def parse_schedule(text: str) -> Schedule:
    """Return the schedule written as `text`.

    Raises UnknownName for a word that is not in SCHEDULE_KINDS, UsageError for details that do not fit it.
    """
    word, *details = text.strip().lower().split() or [""]
    kind = SCHEDULE_KINDS.get(word)
    if kind is None:
        raise UnknownName("kind of schedule", word, SCHEDULE_KINDS)
    if len(details) != 1 + kind.takes_days:
        raise UsageError(f"{text!r} is no schedule; write it like {kind.example!r}")
    times = tuple(sorted({_read_time(part, kind.example) for part in details[-1].split(",")}))
    return Schedule(kind.read(details[0] if kind.takes_days else ""), times)


def _read_time(text: str, example: str) -> time:
    match = re.fullmatch(r"(\d{1,2}):(\d{2})", text)
    if not match or int(match[1]) > 23 or int(match[2]) > 59:
        raise UsageError(f"{text!r} is no time of day; write it like {example!r}")
    return time(int(match[1]), int(match[2]))


def next_occurrence(schedule: Schedule, zone: ZoneInfo, after: datetime) -> Occurrence:
    """Return the first occurrence whose instant lies strictly after `after` (aware, UTC)."""
    # A zone can be a day ahead or behind, and a gap can push an instant past its local date.
    day = after.astimezone(zone).date() - timedelta(days=1)
    for local in _local_times(schedule, day):
        at = instant_of(local, zone)
        if at > after:
            return Occurrence(local, at)
    raise UsageError("the schedule names no day within the next year")


def occurrences(schedule: Schedule, zone: ZoneInfo, after: datetime, until: datetime) -> Iterator[Occurrence]:
    """Yield the occurrences with `after < instant <= until`, in order."""
    while (found := next_occurrence(schedule, zone, after)).at <= until:
        yield found
        after = found.at


def _local_times(schedule: Schedule, first: date) -> Iterator[datetime]:
    for offset in range(MAX_DAYS_AHEAD):
        day = first + timedelta(days=offset)
        if schedule.matches(day):
            for moment in schedule.times:
                yield datetime.combine(day, moment)


def instant_of(local: datetime, zone: ZoneInfo) -> datetime:
    """Return the UTC instant of a naive local time: after the gap in spring, the first of two in autumn."""
    early = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if early.astimezone(zone).replace(tzinfo=None) == local:
        return early
    # PEP 495: inside a gap, fold=0 uses the offset before the change and fold=1 the offset after it. The two
    # instants enclose the change itself, which is the first valid instant after the gap.
    late = local.replace(tzinfo=zone, fold=1).astimezone(UTC)
    return _change_between(min(early, late), max(early, late), zone)


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
