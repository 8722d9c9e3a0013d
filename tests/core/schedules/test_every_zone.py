"""For 24 months, in every zone and for every kind of schedule, no due time is missed or doubled.

The expected instants come from another definition of the rule than the code's: an alarm clock that shows
local time rings for a time when it shows that time, or a later one, for the first time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest

from service.core.schedules import occurrences, parse_schedule

BEGIN, END = datetime(2026, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC)
STEP = timedelta(minutes=15)  # clocks change at whole quarters of an hour, by UTC, in these years
ALL_ZONES = sorted(available_timezones() - {"localtime", "Factory"})
SOME_ZONES = [  # north, south, by 30 minutes, twice within two months, never, at the date line
    "Europe/Berlin",
    "America/New_York",
    "America/Santiago",
    "Australia/Lord_Howe",
    "Africa/Casablanca",
    "Asia/Kathmandu",
    "Pacific/Kiritimati",
    "Antarctica/Troll",
    "America/Scoresbysund",
    "Asia/Gaza",
]
Times = Callable[[date], list[str]]


def hours(first: int, last: int, step: int) -> list[str]:
    return [f"{hour:02}:00" for hour in range(first, last + 1, step)]


def is_last_day(day: date) -> bool:
    return (day + timedelta(days=1)).month != day.month


KINDS: dict[str, Times] = {
    "daily 02:30": lambda _day: ["02:30"],
    "daily 00:00,23:59": lambda _day: ["00:00", "23:59"],
    "weekdays 01:30": lambda day: ["01:30"] if day.weekday() < 5 else [],
    "weekends 02:15,02:45": lambda day: ["02:15", "02:45"] if day.weekday() > 4 else [],
    "weekly sun,mon 03:00": lambda day: ["03:00"] if day.weekday() in (0, 6) else [],
    "monthly 29,31 02:00": lambda day: (
        ["02:00"] if day.day in (29, 31) or (is_last_day(day) and day.day < 31) else []
    ),
    "every 3h": lambda _day: hours(0, 23, 3),
    "every 5h from 01:00 to 22:00": lambda _day: hours(1, 22, 5),
    "cron 30 2 * * sun": lambda day: ["02:30"] if day.weekday() == 6 else [],
    "cron */15 0-3 L * *": lambda day: (
        [f"{hour:02}:{minute:02}" for hour in range(4) for minute in (0, 15, 30, 45)]
        if is_last_day(day)
        else []
    ),
    "cron 0 1 1-7 3,10 sat": lambda day: (
        ["01:00"] if day.month in (3, 10) and (day.day < 8 or day.weekday() == 5) else []
    ),
}


FEW_KINDS = {text: KINDS[text] for text in ("daily 02:30", "cron 30 2 * * sun")}
Parts = list[tuple[datetime, datetime, timedelta]]


def offsets(zone: ZoneInfo) -> Parts:
    """Return the parts of the time from BEGIN to END with one UTC offset: start, end and offset."""
    moments = [BEGIN + n * STEP for n in range((END - BEGIN) // STEP + 1)]
    shown = [moment.astimezone(zone).utcoffset() or timedelta(0) for moment in moments]
    changes = [0, *(n for n, (one, other) in enumerate(pairwise(shown), 1) if one != other), len(moments) - 1]
    return [(moments[first], moments[last], shown[first]) for first, last in pairwise(changes)]


def alarms(parts: Parts, times: Times) -> list[datetime]:
    """Return the instants after BEGIN, up to END, at which the alarm clock rings."""
    return sorted({at for at in _rings(parts, times) if BEGIN < at <= END})


def _rings(parts: Parts, times: Times) -> Iterator[datetime]:
    first_shown = (BEGIN + parts[0][2]).replace(tzinfo=None)
    day = first_shown.date()
    while day <= END.date() + timedelta(days=1):
        for text in times(day):
            local = datetime.combine(day, time.fromisoformat(text))
            if local < first_shown:
                continue
            for start, end, offset in parts:
                if local < (end + offset).replace(tzinfo=None) or end == END:
                    yield max(start, (local - offset).replace(tzinfo=UTC))
                    break
        day += timedelta(days=1)


def check(zone_name: str, parts: Parts, kinds: Mapping[str, Times]) -> None:
    zone = ZoneInfo(zone_name)
    for text, times in kinds.items():
        found = list(occurrences(parse_schedule(text), zone, BEGIN, END))
        assert [occurrence.at for occurrence in found] == alarms(parts, times), (zone_name, text)
        assert len({occurrence.name for occurrence in found}) == len(found)


@pytest.mark.parametrize("zone_name", SOME_ZONES)
def test_in_zones_of_every_sort_every_due_time_comes_once(zone_name: str):
    check(zone_name, offsets(ZoneInfo(zone_name)), KINDS)


@pytest.mark.long
def test_in_every_zone_every_due_time_comes_once():
    """Zones with the same offsets at all times have the same due times; one of them has all kinds checked."""
    known: set[tuple[object, ...]] = set()
    for zone_name in ALL_ZONES:
        parts = offsets(ZoneInfo(zone_name))
        check(zone_name, parts, FEW_KINDS if tuple(parts) in known else KINDS)
        known.add(tuple(parts))
    assert len(known) > 50
