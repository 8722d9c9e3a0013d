"""Schedules written as cron expressions, such as `cron 30 6 * * mon-fri`.

The five fields are minute, hour, day of month, month and day of week, with lists, ranges, steps, names, `L`
(last day of the month), `LW` (last working day), `friL` (last Friday) and `fri#2` (second Friday). As in
Debian's cron, a day has to match both of its fields if one of them begins with `*`, otherwise one is enough.
The times are local times, and clock changes move them as those of every other schedule: cronsim reads the
expression and selects the days, and its own rules for clock changes are not used.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, date, datetime, time
from itertools import groupby, pairwise

from cronsim import CronSim, CronSimError

from service.core.errors import UsageError
from service.core.schedules.occurrences import Schedule

CRON_EXAMPLE = "cron 30 6 * * mon-fri"
MIN_MINUTES_BETWEEN = 15  # two issues of one day; `* * * * *` is a typing error or an attack
CALENDAR_YEARS = range(2001, 2029)  # every combination of leap year and weekday of 1 January
FIELDS = {
    "minute": "0-59",
    "hour": "0-23",
    "day of the month": "1-31, L or LW",
    "month": "1-12 or jan-dec",
    "day of the week": "0-7 (0 and 7 are Sunday) or sun-sat",
}
WEEKDAY_NAMES = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_FIRST_DAY = datetime(2001, 1, 1, tzinfo=UTC)
_NAME_OF_LAST = re.compile("(" + "|".join(WEEKDAY_NAMES) + ")l")


def parse_cron(fields: Sequence[str]) -> Schedule:
    """Return the schedule of the five fields, in lower case.

    Raises UsageError for an invalid field, for days that do not come in every year, and for times that are
    less than MIN_MINUTES_BETWEEN apart.
    """
    if len(fields) != len(FIELDS):
        raise UsageError(
            f"a cron schedule has five fields, not {len(fields)}: {', '.join(FIELDS)}; "
            f"write it like {CRON_EXAMPLE!r}"
        )
    cron = _read([_NAME_OF_LAST.sub(lambda name: f"{WEEKDAY_NAMES.index(name[1])}l", f) for f in fields])
    times = tuple(time(hour, minute) for hour in sorted(cron.hours) for minute in sorted(cron.minutes))
    schedule = Schedule(_spelling(cron, fields), lambda day: _matches(cron, day), times)
    _require_distance(schedule)
    for year in CALENDAR_YEARS:
        if not any(map(schedule.matches, _days_of(year, cron.months))):
            raise UsageError(f"{schedule.text!r} is due on no day of {year}; name days that every year has")
    return schedule


def _read(fields: Sequence[str]) -> CronSim:
    """Return the parsed expression. Raises UsageError that names the first wrong field."""
    try:
        return CronSim(" ".join(fields), _FIRST_DAY)
    except CronSimError:
        for number, (field, allowed) in enumerate(FIELDS.items()):
            alone = ["*"] * len(fields)
            alone[number] = fields[number]
            try:
                CronSim(" ".join(alone), _FIRST_DAY)
            except CronSimError:
                raise UsageError(
                    f"{fields[number]!r} is no {field} of a cron schedule; write {allowed}, also as a list "
                    f"(1,3), an ascending range (1-5) or with a step (*/2), like {CRON_EXAMPLE!r}"
                ) from None
    raise UsageError(f"'cron {' '.join(fields)}' is never due: no such month has so many days")


def _matches(cron: CronSim, day: date) -> bool:
    return day.month in cron.months and cron.match_day(day)


def _days_of(year: int, months: Collection[int]) -> Iterator[date]:
    for month in months:
        yield from (date(year, month, day) for day in range(1, monthrange(year, month)[1] + 1))


def _require_distance(schedule: Schedule) -> None:
    minutes = [moment.hour * 60 + moment.minute for moment in schedule.times]
    if any(later - earlier < MIN_MINUTES_BETWEEN for earlier, later in pairwise(minutes)):
        raise UsageError(
            f"{schedule.text!r} has issues less than {MIN_MINUTES_BETWEEN} minutes apart; "
            f"write minutes such as 0, 0,30 or */{MIN_MINUTES_BETWEEN}"
        )


def _spelling(cron: CronSim, fields: Sequence[str]) -> str:
    """Return the one spelling of the expression: sorted lists and ranges, names of weekdays.

    A day field that begins with `*` keeps its text, as the star decides whether both days have to match.
    """
    _, _, day, _, weekday = fields
    return " ".join(
        [
            "cron",
            _numbers(cron.minutes, range(60)),
            _numbers(cron.hours, range(24)),
            day if day.startswith("*") else _days(cron.days),
            _numbers(cron.months, range(1, 13)),
            weekday if weekday.startswith("*") else _weekdays(cron.weekdays),
        ]
    )


def _numbers(values: Collection[int], whole: range) -> str:
    numbers = sorted(values)
    if len(numbers) == len(whole):
        return "*"
    step = numbers[1] - numbers[0] if len(numbers) > 2 else 1
    if step > 1 and numbers == list(whole[::step]):
        return f"*/{step}"
    return _ranges(numbers)


def _days(values: Collection[int]) -> str:
    words = {CronSim.LAST: "L", CronSim.LAST_WEEKDAY: "LW"}
    numbers = _ranges(sorted(value for value in values if value not in words))
    return ",".join([*filter(None, [numbers]), *(word for number, word in words.items() if number in values)])


def _weekdays(values: Collection[int | tuple[int, int]]) -> str:
    plain = sorted({value % 7 for value in values if isinstance(value, int)})
    parts = [_ranges(plain, WEEKDAY_NAMES)] if plain else []
    for number, which in sorted(value for value in values if not isinstance(value, int)):
        name = WEEKDAY_NAMES[number % 7]
        parts.append(f"{name}L" if which == CronSim.LAST else f"{name}#{which}")
    return ",".join(dict.fromkeys(parts))


def _ranges(numbers: Sequence[int], names: Sequence[str] | None = None) -> str:
    """Return sorted numbers as a list, with three or more neighbours as a range: `1-5,7`."""
    parts = []
    for _, run in groupby(enumerate(numbers), key=lambda pair: pair[1] - pair[0]):
        found = [names[number] if names else str(number) for _, number in run]
        parts += [f"{found[0]}-{found[-1]}"] if len(found) > 2 else found
    return ",".join(parts)
