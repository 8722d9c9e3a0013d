"""Localization: labels, plurals, dates and text direction of mails and web pages (EDGE: babel's CLDR data).

A labels file has one table per language. A label with a number is a table by plural category of the Unicode
CLDR (`one`, `few`, `other`); babel knows the category of a number.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Any, Literal
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from babel.core import get_global
from babel.dates import format_date, format_skeleton, format_time, format_timedelta, get_datetime_format

from service.core.languages import primary_language

FALLBACK = "en"
UNKNOWN_TERRITORY = "ZZ"  # what CLDR calls the territory of UTC
DAYS_WITHOUT_YEAR = 180  # a date further away than this is written with its year
_VALUE = re.compile(r"\{(\w+)\}")

Labels = Mapping[str, Mapping[str, Any]]
"""Language tag -> label key -> text, or a table of texts by plural category."""


@dataclass(frozen=True, slots=True)
class Localizer:
    """Labels and dates for one language and time zone; `language` is the tag of the labels."""

    language: str
    labels: Mapping[str, Any]
    locale: Locale
    zone: ZoneInfo

    @property
    def direction(self) -> str:
        """The direction of the text, `ltr` or `rtl`."""
        return str(self.locale.text_direction)

    def language_name(self, tag: str) -> str:
        """Return the name of the language of a tag: `German` for `de`; the tag if it has none."""
        return str(self.locale.languages.get(primary_language(tag), tag))

    def text(self, key: str, n: int = 0, **values: object) -> str:
        """Return the label of `key` with its `{values}` filled in; `n` selects the plural form.

        Raises KeyError for a label or a value that does not exist.
        """
        label = self.labels[key]
        if isinstance(label, Mapping):
            label = label.get(self.locale.plural_form(n), label["other"])
        filled = {"n": n, **values}
        return _VALUE.sub(lambda match: str(filled[match[1]]), str(label))

    def full_date(self, at: datetime) -> str:
        """Return the local date in full: `Monday, 2 March 2026`."""
        return self.full_day(at.astimezone(self.zone).date())

    def full_day(self, day: date) -> str:
        """Return a date in full: `Monday, 2 March 2026`."""
        return str(format_date(day, "full", locale=self.locale))

    def short_date(self, at: datetime, today: datetime) -> str:
        """Return the local date with its weekday, `Mon, 2 Mar`; with its year if it is far from today."""
        local = at.astimezone(self.zone)
        skeleton = "MMMEd" if abs((today - at).days) < DAYS_WITHOUT_YEAR else "yMMMEd"
        return str(format_skeleton(skeleton, local, locale=self.locale))

    def short_day(self, day: date, today: datetime) -> str:
        """Return a date without its weekday, `2 Mar`; with its year if it is far from today."""
        skeleton = "MMMd" if abs((today.date() - day).days) < DAYS_WITHOUT_YEAR else "yMMMd"
        return str(format_skeleton(skeleton, day, locale=self.locale))

    def duration(self, length: timedelta) -> str:
        """Return whole minutes below an hour, or whole hours: `15 minutes`."""
        unit: Literal["hour", "minute"] = "hour" if length >= timedelta(hours=1) else "minute"
        return str(format_timedelta(length, granularity=unit, threshold=1, locale=self.locale))

    def time(self, at: datetime, today: datetime) -> str:
        """Return the local time of day, `19:05`; with the date unless that is the local date of `today`."""
        local = at.astimezone(self.zone)
        clock = _clock(local.hour, local.minute, self.locale)
        if local.date() == today.astimezone(self.zone).date():
            return clock
        day = self.short_day(local.date(), today)
        pattern = str(get_datetime_format("medium", locale=self.locale))
        return pattern.replace("{1}", day).replace("{0}", clock).replace("'", "")


def localizer_for(labels: Labels, language: str, timezone: str = "UTC") -> Localizer:
    """Return the localizer for a language tag: its own labels, those of its primary language, or English.

    A label that the language lacks is the English one. Dates follow the territory of the tag, or that of the
    time zone if the tag names none.
    """
    primary = primary_language(language)
    known = next((tag for tag in (language, primary) if tag in labels), FALLBACK)
    tag = language if primary == primary_language(known) else known
    locale = _locale(tag, _territory_of(timezone))
    return Localizer(known, {**labels[FALLBACK], **labels[known]}, locale, ZoneInfo(timezone))


def text_direction(language: str) -> str:
    """Return the direction of a language, `ltr` or `rtl`; `ltr` for a tag that CLDR does not have."""
    return str(_locale(language).text_direction)


@lru_cache(maxsize=8192)  # one for each minute of some languages
def _clock(hour: int, minute: int, locale: Locale) -> str:
    # A no-break space keeps AM and PM with the hour; CLDR's narrow one is missing in many mail fonts.
    return "\u00a0".join(str(format_time(time(hour, minute), "short", locale=locale)).split())


def _locale(language: str, territory: str = "") -> Locale:
    """Return the locale of a tag, in `territory` if the tag names none; English for an unknown language."""
    tag = language.replace("_", "-")
    candidates = [tag, primary_language(tag)]
    if tag.lower() == FALLBACK:
        # English abroad is written as in most of the world (CLDR en-001), not as in the United States.
        candidates.insert(0, "en-001")
    if territory and primary_language(tag) == tag.lower():
        candidates.insert(0, f"{tag}-{territory}")
    for candidate in candidates:
        with suppress(ValueError, UnknownLocaleError):
            return Locale.parse(candidate, sep="-")
    return Locale(FALLBACK)


def _territory_of(timezone: str) -> str:
    """Return the territory of a time zone, "" for zones without one such as UTC."""
    name = get_global("zone_aliases").get(timezone, timezone)
    territory = str(get_global("zone_territories").get(name, ""))
    return territory if territory != UNKNOWN_TERRITORY else ""
