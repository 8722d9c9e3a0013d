"""Read the date of an entry, in any form and language that feeds use. Pure.

A date that cannot be read wholly and in one way only is refused: no date is better than a wrong one. What a
date leaves open (the order of day and month, the zone) is decided by the feed's habits, which its other dates
show.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from service.gather.dates.grammar import (
    FIRST_YEAR,
    LAST_YEAR,
    MAX_OFFSET,
    Order,
    WrittenDate,
    days_of,
    read_words,
    second_of_day,
)
from service.gather.dates.words import minutes, word_table

MAX_FUTURE = timedelta(days=1)  # a date further ahead is an error
EARLIEST = date(1995, 1, 1)  # before it there were no feeds

_MONTHS = {"jan": 1, "feb": 2, "mar": 3, "apr": 4, "may": 5, "jun": 6}
_MONTHS |= {"jul": 7, "aug": 8, "sep": 9, "oct": 10, "nov": 11, "dec": 12}
_RFC822 = re.compile(
    r"(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),?\s+)?(\d{1,2})\s+([A-Z][a-z][a-z])\s+(\d{4})\s+"
    r"(\d{1,2}):(\d\d)(?::(\d\d))?\s*(?:GMT|UTC|UT|Z|([+-]\d\d)(\d\d))",
    re.ASCII,
)
_ISO8601 = re.compile(
    r"(\d{4})(?:(-?)(\d\d)\2(\d\d)|(-?)W(\d\d)\5([1-7])|-(\d{3}))"
    r"(?:[Tt ]\s?(\d\d)(?::?(\d\d)(?::?(\d\d)(?:[.,]\d+)?)?)?)?"
    r"\s?([Zz]|[+-]\d\d(?::?\d\d)?)?",
    re.ASCII,
)
_DIGITS = re.compile(r"\d{10,14}", re.ASCII)


@dataclass(frozen=True, slots=True)
class PublicationDate:
    """When an entry was published.

    `at` is in UTC. With `day_only` the hour is unknown, because the date names none, or none of a known zone:
    `at` then is the time as written, or midnight, taken as UTC, and only its day may be shown.
    """

    at: datetime
    day_only: bool = False


@dataclass(frozen=True, slots=True)
class DateHabits:
    """What a feed's dates leave open.

    language    the feed's language tag, "" if unknown
    latest      no date is later than this, None without a limit
    order       whether the day or the month comes first in 03/04/2026, None if unknown
    offset      the zone of dates without one, in minutes from UTC, None if unknown
    """

    language: str = ""
    latest: datetime | None = None
    order: Order | None = None
    offset: int | None = None


def habits_of(texts: Iterable[str], known: DateHabits) -> DateHabits:
    """Return the habits that these dates of a feed show; where they show none, those `known` before."""
    written = [found for text in texts if (found := _written(text, known.language))]
    offsets = Counter(found.offset for found in written if found.offset is not None)
    ranked = offsets.most_common(2)
    clear = len(ranked) == 1 or (len(ranked) == 2 and ranked[0][1] > ranked[1][1])
    shown = {
        next(iter(days)) for found in written if len(days := _plausible(found.days, known.latest)) == 1
    } - {Order.CERTAIN, Order.YEAR_FIRST}
    return replace(
        known,
        offset=ranked[0][0] if clear else known.offset,
        order=next(iter(shown)) if len(shown) == 1 else None if shown else known.order,
    )


def publication_date(texts: Iterable[str], habits: DateHabits) -> PublicationDate | None:
    """Return the first of an entry's dates that can be read."""
    return next((found for text in texts if (found := read_date(text, habits))), None)


def read_date(text: str, habits: DateHabits) -> PublicationDate | None:
    """Return when an entry dated `text` was published; None for a text that is not certainly a date."""
    written = _written(text, habits.language)
    if written is None:
        return None
    day = _day(written.days, habits)
    if day is None:
        return None
    midnight = datetime.combine(day, time(), UTC)
    if written.second is None:
        return PublicationDate(midnight, day_only=True)
    local = midnight + timedelta(seconds=written.second)
    if written.offset is None and written.region:
        return PublicationDate(local.replace(tzinfo=ZoneInfo(written.region)).astimezone(UTC))
    offset = habits.offset if written.offset is None else written.offset
    if offset is None:
        return PublicationDate(local, day_only=True)
    return PublicationDate(local - timedelta(minutes=offset))


def _day(days: Mapping[Order, date], habits: DateHabits) -> date | None:
    """Return the one day that is meant, None if that is uncertain."""
    if len(days) > 1:
        days = _plausible(days, habits.latest) or days
    if len(set(days.values())) == 1:
        return next(iter(days.values()))
    order = habits.order or _order_of(habits.language)
    return days.get(order) if order else None


def _plausible(days: Mapping[Order, date], latest: datetime | None) -> Mapping[Order, date]:
    """Return the days that can be a date of publication."""
    last = (latest + MAX_FUTURE).date() if latest else date.max
    return {order: day for order, day in days.items() if EARLIEST <= day <= last}


def _order_of(language: str) -> Order | None:
    table, tag = word_table(), language.lower().replace("_", "-")
    if tag in table.month_first:
        return Order.MONTH_FIRST
    uncertain = tag in table.either_order or tag.partition("-")[0] in table.either_order - {"en"}
    return None if uncertain else Order.DAY_FIRST


def _written(text: str, language: str) -> WrittenDate | None:
    """Return the date as written; the forms of nearly all feeds are read without the tables of words."""
    text = text.strip()
    try:
        return _rfc822(text) or _iso8601(text) or _digits(text) or read_words(text, language)
    except (ValueError, OverflowError):
        return None


def _rfc822(text: str) -> WrittenDate | None:
    found = _RFC822.fullmatch(text)
    if found is None or found[2].lower() not in _MONTHS:
        return None
    day, month, year, hour, minute, second, hours, rest = found.groups()
    on = date(int(year), _MONTHS[month.lower()], int(day))
    return _certain(on, second_of_day(hour, minute, second or ""), f"{hours}:{rest}" if hours else "+00")


def _iso8601(text: str) -> WrittenDate | None:
    found = _ISO8601.fullmatch(text)
    if found is None:
        return None
    year, _, month, day, _, week, weekday, ordinal, hour, minute, second, zone = found.groups()
    if month:
        on = date(int(year), int(month), int(day))
    elif week:
        on = date.fromisocalendar(int(year), int(week), int(weekday))
    else:
        on = date(int(year), 1, 1) + timedelta(days=int(ordinal) - 1)
        if not 0 < int(ordinal) <= 366 or on.year != int(year):
            return None
    if hour is None:
        return _certain(on, None, "")
    return _certain(on, second_of_day(hour, minute or "", second or ""), zone or "")


def _digits(text: str) -> WrittenDate | None:
    """Return the date in digits alone: a year with month, day and time, or seconds since 1970."""
    if not _DIGITS.fullmatch(text):
        return None
    if len(text) in (12, 14):
        days = days_of(text[:4], "-", text[4:6], text[6:8])
        return WrittenDate(days, second_of_day(text[8:10], text[10:12], text[12:])) if days else None
    if len(text) not in (10, 13):
        return None
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=int(text[:10]))
    return _certain(at.date(), second_of_day(str(at.hour), str(at.minute), str(at.second)), "+00")


def _certain(day: date, second: int | None, zone: str) -> WrittenDate | None:
    """Return a date that can be read in one way only; `zone` is Z, an offset or ""."""
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        return None
    if not zone:
        return WrittenDate({Order.CERTAIN: day}, second)
    digits = zone.replace(":", "")
    offset = 0 if zone in "Zz" else minutes(f"{digits[:3]}:{digits[3:]}")
    return WrittenDate({Order.CERTAIN: day}, second, offset) if abs(offset) <= MAX_OFFSET else None
