"""Wording: a theme's labels, and dates, numbers and direction in a reader's language (pure).

A labels file says, for each language, what the page says in its own voice. A label that counts is a table by
plural category (`one`, `few`, `other`; Unicode CLDR), of which babel knows the one that fits a number.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from babel.core import get_global
from babel.dates import format_date, format_skeleton, format_time, get_datetime_format

FALLBACK = "en"
UNKNOWN_TERRITORY = "ZZ"
_VALUE = re.compile(r"\{(\w+)\}")

Labels = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Localizer:
    """How to speak to one reader: `language` is that of the labels, `zone` that of the dates."""

    language: str
    labels: Mapping[str, Any]
    locale: Locale
    zone: ZoneInfo

    @property
    def direction(self) -> str:
        """`ltr` or `rtl`."""
        return str(self.locale.text_direction)

    def label(self, key: str, n: int = 0, **values: object) -> str:
        """Return the label with its `{values}` filled in; `n` chooses the plural. Raises KeyError."""
        label = self.labels[key]
        if isinstance(label, Mapping):
            label = label.get(self.locale.plural_form(n), label["other"])
        filled = {"n": n, **values}
        return _VALUE.sub(lambda match: str(filled[match[1]]), str(label))

    def full_date(self, at: datetime) -> str:
        """Return the reader's local date in full."""
        return str(format_date(at.astimezone(self.zone).date(), "full", locale=self.locale))

    def short_date(self, at: datetime, today: datetime) -> str:
        """Return the local date with its day of the week, and the year where that is not plain."""
        local = at.astimezone(self.zone)
        skeleton = "MMMEd" if abs((today - at).days) < 180 else "yMMMEd"
        return str(format_skeleton(skeleton, local, locale=self.locale))

    def time(self, at: datetime, today: datetime) -> str:
        """Return the local time of day, with the date in front unless it is the same day as `today`."""
        local = at.astimezone(self.zone)
        # AM and PM stay with the hour; CLDR's narrow space for that is missing in many mail fonts.
        clock = "\u00a0".join(str(format_time(local.time(), "short", locale=self.locale)).split())
        if local.date() == today.astimezone(self.zone).date():
            return clock
        skeleton = "MMMd" if abs((today - at).days) < 180 else "yMMMd"
        date = str(format_skeleton(skeleton, local, locale=self.locale))
        joint = str(get_datetime_format("medium", locale=self.locale))
        return joint.replace("{1}", date).replace("{0}", clock).replace("'", "")


def localizer_for(labels: Labels, language: str, timezone: str) -> Localizer:
    """Return the wording for a language tag (`de`, `pt-BR`): the labels' nearest, else English.

    Dates are written as in the tag's country, or in that of the time zone when the tag names none.
    """
    known = next((tag for tag in (language, primary_language(language)) if tag in labels), FALLBACK)
    spoken = language if primary_language(language) == primary_language(known) else known
    locale = _locale(spoken, _country_of(timezone))
    return Localizer(known, {**labels[FALLBACK], **labels[known]}, locale, ZoneInfo(timezone))


def primary_language(language: str) -> str:
    """Return the first part of a language tag, lower case: `pt` for `pt-BR`; nothing for what is no tag."""
    first = re.split("[-_]", language, maxsplit=1)[0].lower()
    return first if re.fullmatch("[a-z]{2,8}", first) else ""


def text_direction(language: str) -> str:
    """Return in which direction the language is written, `ltr` for one that babel does not know."""
    return str(_locale(language).text_direction)


def _locale(language: str, country: str = "") -> Locale:
    """Return the locale of a tag, as in `country` if the tag names none; English for an unknown language."""
    tag = language.replace("_", "-")
    candidates = [tag, primary_language(tag)]
    if tag.lower() == FALLBACK:
        # English abroad is written as in most of the world (CLDR en-001), not as in the United States.
        candidates.insert(0, "en-001")
    if country and primary_language(tag) == tag.lower():
        candidates.insert(0, f"{tag}-{country}")
    for candidate in candidates:
        with suppress(ValueError, UnknownLocaleError):
            return Locale.parse(candidate, sep="-")
    return Locale(FALLBACK)


def _country_of(timezone: str) -> str:
    """Return the country in which the zone's clocks stand, nothing for such as UTC."""
    country = str(get_global("zone_territories").get(get_global("zone_aliases").get(timezone, timezone), ""))
    return country if country != UNKNOWN_TERRITORY else ""
