"""A schedule in words: `weekly mon,thu 18:00` -> `Mondays and Thursdays at 18:00` (pure).

A cron expression is first written as an equal schedule of another kind, where there is one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, timedelta
from itertools import pairwise

from service.core.errors import UsageError
from service.core.schedules.chosen import week_schedule
from service.core.schedules.kinds import DAYS, WEEK, parse_schedule
from service.core.schedules.occurrences import Schedule

DAYS_IN_WORDS = {"daily": "every day", "weekdays": "Monday to Friday", "weekends": "Saturdays and Sundays"}

MONDAY = date(2001, 1, 1)  # begins a month of 31 days and a week
DAYS_OF_EACH_MONTH = 28  # `cron` leaves out a month without the day, `monthly` takes its last day
MINUTES_PER_DAY = 24 * 60
MAX_LISTED_TIMES = 12  # of a cron expression, as a list of times of day


def plain_schedule(text: str) -> str:
    """Return a cron expression as the equal schedule of another kind, such as `weekdays 06:30`.

    Another schedule, and an expression without such an equal, are returned in their one spelling. Raises
    UsageError for a text that is no schedule.
    """
    schedule = parse_schedule(text)
    kind, *fields = schedule.text.split()
    if kind != "cron" or fields[3] != "*" or len(schedule.times) > MAX_LISTED_TIMES:
        return schedule.text
    times = [f"{moment:%H:%M}" for moment in schedule.times]
    _, _, day, _, weekday = fields
    if day == "*" and re.fullmatch(r"\*|[a-z,-]+", weekday):
        week = [number for number in range(7) if schedule.matches(MONDAY + timedelta(days=number))]
        return week_schedule(frozenset(week), times)
    dates = [number + 1 for number in range(31) if schedule.matches(MONDAY + timedelta(days=number))]
    if weekday == "*" and re.fullmatch(r"[0-9,-]+", day) and dates[-1] <= DAYS_OF_EACH_MONTH:
        return f"monthly {','.join(map(str, dates))} {','.join(times)}"
    return schedule.text


def even_minutes(text: str) -> int | None:
    """Return the minutes between two times of a schedule that is due all day long, such as `every 3h`.

    None for another schedule, also for one that does not begin at midnight. Raises UsageError.
    """
    schedule = parse_schedule(text)
    kind, *fields = schedule.text.split()
    if kind not in ("every", "cron") or (kind == "cron" and fields[2:] != ["*", "*", "*"]):
        return None
    minutes = [moment.hour * 60 + moment.minute for moment in schedule.times]
    steps = {later - earlier for earlier, later in pairwise([*minutes, MINUTES_PER_DAY])}
    return steps.pop() if minutes[0] == 0 and len(steps) == 1 and len(minutes) > 1 else None


def schedule_words(text: str) -> str:
    """Return the schedule in English words; what is no schedule stays as it is."""
    try:
        schedule = parse_schedule(text)
    except UsageError:
        return text
    match schedule.text.split():
        case [("daily" | "weekdays" | "weekends") as kind, times]:
            return f"{DAYS_IN_WORDS[kind]} at {_listed(times.split(','))}"
        case ["weekly", days, times]:
            names = [f"{WEEK[DAYS[day]].capitalize()}s" for day in days.split(",")]
            return f"{_listed(names)} at {_listed(times.split(','))}"
        case ["monthly", days, times]:
            names = [_ordinal(int(day)) for day in days.split(",")]
            return f"the {_listed(names)} of the month at {_listed(times.split(','))}"
        case ["every", hours, *window]:
            return " ".join([_every(int(hours.removesuffix("h")) * 60), *window])
    return _cron_words(schedule)


def _cron_words(schedule: Schedule) -> str:
    if minutes := even_minutes(schedule.text):
        return _every(minutes)
    _, _, hour, *days = schedule.text.split()
    if hour == "*" and days == ["*", "*", "*"]:
        listed = [str(number) for number in sorted({moment.minute for moment in schedule.times})]
        return f"at minute{'s' if len(listed) > 1 else ''} {_listed(listed)} of each hour"
    plain = plain_schedule(schedule.text)
    return f"by a timetable of its own ({plain})" if plain.startswith("cron") else schedule_words(plain)


def _every(minutes: int) -> str:
    count, unit = (minutes // 60, "hour") if minutes % 60 == 0 else (minutes, "minute")
    return f"every {unit}" if count == 1 else f"every {count} {unit}s"


def _ordinal(number: int) -> str:
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th") if number not in (11, 12, 13) else "th"
    return f"{number}{ending}"


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
