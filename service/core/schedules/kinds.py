"""Kinds of schedules: a word and its details, such as `weekly mon,thu 07:00`, become a Schedule.

    daily 07:00   daily 07:00,18:30   weekdays 06:30   weekends 09:00
    weekly mon,thu 07:00              monthly 1,15 08:00
    every 3h      every 3h from 06:00 to 22:00         cron 30 6 * * mon-fri

In a month without the given day, `monthly` uses the last day of the month. `every` counts local hours from
midnight, or from its first time, anew each day. `cron` is described in cron.py.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, time
from functools import lru_cache

from service.core.errors import UnknownName, UsageError
from service.core.schedules.cron import CRON_EXAMPLE, parse_cron
from service.core.schedules.occurrences import Schedule

WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
DAYS = {name: number for number, day in enumerate(WEEK) for name in (day, day[:3])}
MAX_CHARACTERS = 300  # of a schedule; the longest useful one lists 24 times
MAX_HOURS = 12  # between two issues of `every`; a longer wait is a daily schedule

_HOURS = re.compile(r"every (?:([0-9]{1,3}) ?(?:h|hours?)|hour)(?: from (\S{1,8}) to (\S{1,8}))?")


@dataclass(frozen=True, slots=True)
class _ScheduleKind:
    """A kind of schedule: the parser of its words behind the first, and an example for error messages."""

    parse: Callable[[Sequence[str]], Schedule]
    example: str


@lru_cache(maxsize=1024)
def parse_schedule(text: str) -> Schedule:
    """Return the schedule written as `text`, in upper or lower case.

    Raises UnknownName for a first word that is not in SCHEDULE_KINDS, UsageError for details that do not fit.
    """
    if len(text) > MAX_CHARACTERS:
        raise UsageError(f"a schedule of {len(text)} characters is too long; write at most {MAX_CHARACTERS}")
    word, *details = text.strip().lower().split() or [""]
    kind = SCHEDULE_KINDS.get(word)
    if kind is None:
        raise UnknownName("kind of schedule", word, SCHEDULE_KINDS)
    return kind.parse(details)


def _no_schedule(word: str, details: Sequence[str]) -> UsageError:
    text = " ".join([word, *details])
    return UsageError(f"{text!r} is no schedule; write it like {SCHEDULE_KINDS[word].example!r}")


def _times(text: str, word: str) -> tuple[time, ...]:
    return tuple(sorted({_time(part, SCHEDULE_KINDS[word].example) for part in text.split(",")}))


def _time(text: str, example: str) -> time:
    match = re.fullmatch(r"([0-9]{1,2}):([0-9]{2})", text)
    if not match or int(match[1]) > 23 or int(match[2]) > 59:
        raise UsageError(f"{text!r} is no time of day; write it like {example!r}")
    return time(int(match[1]), int(match[2]))


def _spelled(times: Sequence[time]) -> str:
    return ",".join(f"{moment:%H:%M}" for moment in times)


def _on_days(word: str, matches: Callable[[date], bool]) -> Callable[[Sequence[str]], Schedule]:
    """Return the parser of a kind whose days are fixed: its details are the times."""

    def parse(details: Sequence[str]) -> Schedule:
        if len(details) != 1:
            raise _no_schedule(word, details)
        times = _times(details[0], word)
        return Schedule(f"{word} {_spelled(times)}", matches, times)

    return parse


def _weekly(details: Sequence[str]) -> Schedule:
    if len(details) != 2:
        raise _no_schedule("weekly", details)
    times = _times(details[1], "weekly")
    names = [name for name in details[0].split(",") if name]
    if not names or not all(name in DAYS for name in names):
        raise UsageError(f"{details[0]!r} names no days of the week; write them as mon,thu")
    wanted = frozenset(DAYS[name] for name in names)
    days = ",".join(WEEK[number][:3] for number in sorted(wanted))
    return Schedule(f"weekly {days} {_spelled(times)}", lambda day: day.weekday() in wanted, times)


def _monthly(details: Sequence[str]) -> Schedule:
    if len(details) != 2:
        raise _no_schedule("monthly", details)
    times = _times(details[1], "monthly")
    names = details[0].split(",")
    if not all(re.fullmatch("[0-9]{1,2}", name) and 1 <= int(name) <= 31 for name in names):
        raise UsageError(f"{details[0]!r} names no days of the month; write them as 1,15")
    wanted = sorted({int(name) for name in names})

    def matches(day: date) -> bool:
        last = monthrange(day.year, day.month)[1]
        return any(min(number, last) == day.day for number in wanted)

    return Schedule(f"monthly {','.join(map(str, wanted))} {_spelled(times)}", matches, times)


def _every(details: Sequence[str]) -> Schedule:
    found = _HOURS.fullmatch(" ".join(["every", *details]))
    if found is None:
        raise _no_schedule("every", details)
    hours = int(found[1] or 1)
    if not 1 <= hours <= MAX_HOURS:
        raise UsageError(
            f"every {hours} hours is not possible; write 1 to {MAX_HOURS}, or a schedule like 'daily 07:00'"
        )
    text, first, last = f"every {hours}h", time(0, 0), time(23, 59)
    if found[2]:
        example = SCHEDULE_KINDS["every"].example
        first, last = _time(found[2], example), _time(found[3], example)
        if first >= last:
            raise UsageError(f"from {found[2]} to {found[3]} crosses midnight; write the earlier time first")
        text = f"{text} from {first:%H:%M} to {last:%H:%M}"
    minutes = range(_minute(first), _minute(last) + 1, hours * 60)
    return Schedule(text, lambda _day: True, tuple(time(*divmod(minute, 60)) for minute in minutes))


def _minute(moment: time) -> int:
    return moment.hour * 60 + moment.minute


SCHEDULE_KINDS: dict[str, _ScheduleKind] = {
    "daily": _ScheduleKind(_on_days("daily", lambda _day: True), "daily 07:00"),
    "weekdays": _ScheduleKind(_on_days("weekdays", lambda day: day.weekday() < 5), "weekdays 06:30"),
    "weekends": _ScheduleKind(_on_days("weekends", lambda day: day.weekday() >= 5), "weekends 09:00"),
    "weekly": _ScheduleKind(_weekly, "weekly mon,thu 07:00"),
    "monthly": _ScheduleKind(_monthly, "monthly 1,15 08:00"),
    "every": _ScheduleKind(_every, "every 3h from 06:00 to 22:00"),
    "cron": _ScheduleKind(parse_cron, CRON_EXAMPLE),
}

SCHEDULE_EXAMPLES = tuple(kind.example for kind in SCHEDULE_KINDS.values())
