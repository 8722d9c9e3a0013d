"""Read the words and numbers of a date. Pure.

Every token must have a part in the date: a date of which something remains unread is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from functools import cache
from typing import NamedTuple, NoReturn
from zoneinfo import available_timezones

from service.gather.dates.tokens import Kind, Token, tokens_of
from service.gather.dates.words import Meanings, fold, word_table

MAX_CHARACTERS = 120  # the longest form, with the name of a zone in words, has 80
MAX_OFFSET = 15 * 60  # minutes from UTC
FIRST_YEAR, LAST_YEAR = 1970, 2100  # years beyond are those of other calendars
CENTURY_PIVOT = 50  # RFC 5322, 4.3: two-digit years from 50 on are of the last century


class Order(StrEnum):
    """The order of day, month and year in a date of numbers; CERTAIN if it can be read in one way only."""

    DAY_FIRST = "day first"
    MONTH_FIRST = "month first"
    YEAR_FIRST = "year first"
    CERTAIN = "certain"


@dataclass(frozen=True, slots=True)
class WrittenDate:
    """A date as written: its possible days, and the minute and second of that day.

    days      the day by order; one entry for a date that can be read in one way only
    second    seconds since the start of the day, up to 24:00:00; None for a date without a time
    offset    minutes from UTC, None for a date without a zone
    region    the zone as an IANA name, "" for none
    """

    days: Mapping[Order, date]
    second: int | None = None
    offset: int | None = None
    region: str = ""


class _Unreadable(Exception):
    """The text is not a date, or not wholly."""


def read_words(text: str, language: str) -> WrittenDate | None:
    """Return the date in a text in any supported form; None for any other text.

    `language` is the feed's tag, "" if unknown; it decides between the meanings of a word.
    """
    if len(text) > MAX_CHARACTERS:
        return None
    tokens = tokens_of(fold(text))
    if not tokens:
        return None
    try:
        return _Reader(tokens, language.lower()).read()
    except (_Unreadable, ValueError, OverflowError):
        return None


def days_of(first: str, separator: str, second: str, third: str) -> Mapping[Order, date]:
    """Return the valid days of three numbers by their order; `29.11.2026` starts with the day."""
    if len(first) == 4:
        orders = {Order.CERTAIN: (first, second, third)}
    else:
        orders = {Order.DAY_FIRST: (third, second, first)}
        if separator != ".":
            orders[Order.MONTH_FIRST] = (third, first, second)
        if len(third) == 2 and len(first) == 2:
            orders[Order.YEAR_FIRST] = (first, second, third)
    days = {order: _day(*numbers) for order, numbers in orders.items()}
    return {order: day for order, day in days.items() if day is not None}


def second_of_day(hour: str, minute: str, second: str) -> int:
    """Return the seconds since midnight; a leap second counts as the one before. Raises ValueError."""
    hours, minutes, seconds = int(hour), int(minute or 0), min(int(second or 0), 59)
    total = (hours * 60 + minutes) * 60 + seconds
    if minutes > 59 or int(second or 0) > 60 or total > 24 * 3600:
        raise ValueError
    return total


def _day(year: str, month: str, day: str) -> date | None:
    if len(year) not in (2, 4) or len(day) > 2 or len(month) > 2:
        return None
    number = int(year) if len(year) == 4 else int(year) + (2000 if int(year) < CENTURY_PIVOT else 1900)
    try:
        return date(number, int(month), int(day)) if FIRST_YEAR <= number <= LAST_YEAR else None
    except ValueError:
        return None


@cache
def _regions() -> Mapping[str, str]:
    """Return the IANA names of zones by their lower-case form."""
    return {name.lower(): name for name in available_timezones()}


class _Word(NamedTuple):
    at: int
    meanings: Meanings


@dataclass(slots=True)
class _Reader:
    """Reads the tokens of one date from left to right; `_zone_may_follow` is true behind a time."""

    tokens: Sequence[Token]
    language: str
    days: Mapping[Order, date] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)
    numbers: list[tuple[int, str]] = field(default_factory=list)
    months: list[_Word] = field(default_factory=list)
    pair: tuple[str, ...] = ()
    time: tuple[str, ...] = ()
    pm: bool | None = None
    offset: int | None = None
    region: str = ""
    _zone_may_follow: bool = False

    def read(self) -> WrittenDate:
        """Return the date. Raises _Unreadable or ValueError."""
        at = 0
        while at < len(self.tokens):
            at = self._take(at)
        if not self.days:
            self.days = self._named_day()
        elif self.numbers or any(not _may_be_ignored(word.meanings) for word in self.months):
            raise _Unreadable
        second = self._second()
        return WrittenDate(self.days, second, self.offset if second is not None else None, self.region)

    def _take(self, at: int) -> int:
        """Read the token at this index, or the phrase that begins there; return the next index."""
        kind, parts = self.tokens[at]
        if kind is Kind.WORD:
            return self._take_phrase(at)
        if kind is Kind.MARK:
            return self._after_mark(at)
        if kind is Kind.OFFSET and self._zone_may_follow:
            self._set_offset(parts)
        elif kind is Kind.REGION:
            self.region = _regions()[parts[0]] if parts[0] in _regions() else self._refuse()
        else:
            self._zone_may_follow = kind is Kind.TIME
            self._take_numbers(at, kind, parts)
        return at + 1

    def _take_numbers(self, at: int, kind: Kind, parts: tuple[str, ...]) -> None:
        if kind is Kind.TIME and not self.time:
            self.time = parts
        elif kind is Kind.PAIR and not self.pair:
            self.pair, self._zone_may_follow = (*parts, ""), True
        elif kind is Kind.NUMERIC and not self.days:
            self.days = days_of(*parts) or self._refuse()
        elif kind is Kind.UNIT and parts[1] not in self.units:
            self.units[parts[1]] = parts[0]
            self._zone_may_follow = parts[1] in ("hour", "minute", "second")
        elif kind is Kind.NUMBER:
            self.numbers.append((at, parts[0]))
        elif kind is Kind.OFFSET and parts[0] == "-":
            self.numbers.append((at, "".join(parts[1:])))  # the year of 29-Nov-2026
        else:
            raise _Unreadable

    def _after_mark(self, at: int) -> int:
        """Return the index after a mark; the comment after an offset, which names the zone, is skipped."""
        closing = {"(": ")", "[": "]"}.get(self.tokens[at].parts[0])
        if closing is None or self.offset is None:
            return at + 1
        rest = range(at + 1, len(self.tokens))
        return next((n + 1 for n in rest if self.tokens[n].parts == (closing,)), len(self.tokens))

    def _set_offset(self, parts: tuple[str, ...]) -> None:
        sign, hours, rest = parts
        minutes = int(hours) * 60 + int(rest or 0)
        if minutes > MAX_OFFSET or int(rest or 0) > 59 or (self.offset and minutes):
            raise _Unreadable
        self.offset = -minutes if sign == "-" else minutes

    # --- words --------------------------------------------------------------------------------------

    def _take_phrase(self, at: int) -> int:
        for length, meanings in self._phrases(at):
            self._take_word(at, length, meanings)
            return at + length
        if self._zone_may_follow and len(self.tokens[at].parts[0]) == 1:
            return at + 1  # a military zone; RFC 5322, 4.3 regards them as unknown
        raise _Unreadable

    def _phrases(self, at: int) -> Iterator[tuple[int, Meanings]]:
        """Yield the length and meanings of the phrases that begin here, longest first."""
        table = word_table()
        words: list[str] = []
        found: list[tuple[int, Meanings]] = []
        for n in range(at, min(at + 2 * table.longest, len(self.tokens))):
            if self.tokens[n].kind is Kind.WORD:
                words.append(self.tokens[n].parts[0])
                if (meanings := table.phrases.get(tuple(words))) is not None:
                    found.append((n + 1 - at, meanings))
            elif self.tokens[n].parts != (".",):
                break
        yield from reversed(found)

    def _take_word(self, at: int, length: int, meanings: Meanings) -> None:
        word = self.tokens[at].parts[0]
        offset = self._zone(word, meanings)
        if self._zone_may_follow and offset is not None:
            self.offset = offset if self.offset is None else self.offset
        elif meanings.pm is not None and self._is_half_of_day(at, length, meanings):
            self.pm = meanings.pm
        elif meanings.months:
            self._zone_may_follow = False
            self.months.append(_Word(at, meanings))
        elif not _may_be_ignored(meanings) and not meanings.month_mark and offset is None:
            raise _Unreadable
        elif meanings.month_mark:
            self.months.append(_Word(at, meanings))

    def _zone(self, word: str, meanings: Meanings) -> int | None:
        zones = word_table().zones_by_language
        for tag in (self.language, self.language.partition("-")[0]):
            if word in zones.get(tag, {}):
                return zones[tag][word]
        return meanings.offset

    def _is_half_of_day(self, at: int, length: int, meanings: Meanings) -> bool:
        """Return whether the word stands beside a time; `am 29. November` is German."""
        before = self.tokens[at - 1].kind if at else None
        after = self.tokens[at + length].kind if at + length < len(self.tokens) else None
        if before in (Kind.TIME, Kind.PAIR):
            return not (meanings.filler and after in (Kind.NUMBER, Kind.NUMERIC))
        if before is Kind.NUMBER and self._has_an_hour_alone():
            self.time, self._zone_may_follow = (self.numbers.pop()[1], "", ""), True
            return True
        return after in (Kind.TIME, Kind.PAIR) or (after is Kind.UNIT and not meanings.filler)

    def _has_an_hour_alone(self) -> bool:
        """Return whether there is one number more than the day needs, and no time: `Nov 29, 2026 1 PM`."""
        kinds = [token.kind for token in self.tokens]
        if self.time or Kind.TIME in kinds or Kind.PAIR in kinds or Kind.UNIT in kinds:
            return False
        return kinds.count(Kind.NUMBER) == (1 if Kind.NUMERIC in kinds else 3)

    # --- the parts together -------------------------------------------------------------------------

    def _named_day(self) -> Mapping[Order, date]:
        """Return the day of a date with a month in words, or with units (年, 月, 日)."""
        units, numbers = dict(self.units), list(self.numbers)
        month, month_at = units.pop("month", ""), -1
        if month:
            if any(not _may_be_ignored(word.meanings) for word in self.months):
                raise _Unreadable
        else:
            month, month_at = self._named_month(numbers)
        year, day = units.get("year", ""), units.get("day", "")
        if not year and not day and len(numbers) == 2:
            (first_at, first), (second_at, second) = numbers
            in_rfc_order = first_at < month_at < second_at or month_at < 0
            year, day = (first, second) if len(first) == 4 else (second, first)
            if len(year) != 4 and not in_rfc_order:
                raise _Unreadable
        elif numbers or (self.units.get("year") and len(year) != 4):
            raise _Unreadable
        found = _day(year, month, day)
        return {Order.CERTAIN: found} if found else self._refuse()

    def _named_month(self, numbers: list[tuple[int, str]]) -> tuple[str, int]:
        """Return the month's number, and the index of its name."""
        candidates = [word for word in self.months if not _may_be_ignored(word.meanings)]
        if not candidates and len(self.months) > 1 and self.months[0].at == 0:
            candidates = self.months[1:]  # the weekday comes first
        candidates = candidates or self.months
        if len(candidates) != 1:
            raise _Unreadable
        at, meanings = candidates[0]
        if meanings.month_mark:
            index = next((n for n, (where, _) in enumerate(numbers) if where == at + 1), -1)
            return (numbers.pop(index)[1], at) if index >= 0 else self._refuse()
        possible = set(meanings.months)
        if len(possible) > 1:
            primary = self.language.partition("-")[0]
            possible = {number for number, known in meanings.months.items() if primary in known}
        return (str(possible.pop()), at) if len(possible) == 1 else self._refuse()

    def _second(self) -> int | None:
        parts = self.time or self.pair
        if "hour" in self.units and not parts:
            parts = (self.units["hour"], self.units.get("minute", ""), self.units.get("second", ""))
        elif (self.time and self.pair) or "minute" in self.units:
            raise _Unreadable
        if not parts:
            return None if self.pm is None else self._refuse()
        second, noon = second_of_day(*parts), 12 * 3600
        if self.pm is None:
            return second
        if second >= noon + 3600 and not self.pm:
            raise _Unreadable
        return second % noon + noon * self.pm if second < noon + 3600 else second

    def _refuse(self) -> NoReturn:
        raise _Unreadable


def _may_be_ignored(meanings: Meanings) -> bool:
    return meanings.weekday or meanings.filler
