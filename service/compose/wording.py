"""Wording: a theme's labels, and dates, numbers and direction in a reader's language (pure).

A labels file says, for each language, what the page says in its own voice. A label that counts is a table by
plural category (`one`, `few`, `other`; Unicode CLDR), of which babel knows the one that fits a number.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_skeleton, format_time

FALLBACK = "en"
_VALUE = re.compile(r"\{(\w+)\}")

Labels = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Wording:
    """How to speak to one reader: `language` is that of the labels, `zone` that of the dates."""

    language: str
    labels: Mapping[str, Any]
    locale: Locale
    zone: ZoneInfo

    @property
    def direction(self) -> str:
        """`ltr` or `rtl`."""
        return str(self.locale.text_direction)

    def say(self, key: str, **values: object) -> str:
        """Return the label with its `{values}` filled in; `n` chooses the plural. Raises KeyError."""
        label = self.labels[key]
        if isinstance(label, Mapping):
            category = self.locale.plural_form(values["n"])
            label = label.get(category, label["other"])
        return _VALUE.sub(lambda match: str(values[match[1]]), str(label))

    def day(self, at: datetime) -> str:
        """Return the reader's local date in full."""
        return str(format_date(at.astimezone(self.zone).date(), "full", locale=self.locale))

    def moment(self, at: datetime, today: datetime) -> str:
        """Return the local time of day, with the date in front unless it is the same day as `today`."""
        local = at.astimezone(self.zone)
        # CLDR puts narrow spaces before AM and PM; many mail fonts lack them.
        clock = str(format_time(local.time(), "short", locale=self.locale)).replace("\u202f", "\u00a0")
        if local.date() == today.astimezone(self.zone).date():
            return clock
        skeleton = "MMMd" if abs((today - at).days) < 180 else "yMMMd"
        return f"{format_skeleton(skeleton, local, locale=self.locale)}, {clock}"


def wording(labels: Labels, language: str, timezone: str) -> Wording:
    """Return the wording for a language tag (`de`, `pt-BR`): the labels' nearest, else English."""
    known = next((tag for tag in (language, primary(language)) if tag in labels), FALLBACK)
    locale = _locale(language) if primary(language) == primary(known) else _locale(known)
    return Wording(known, {**labels[FALLBACK], **labels[known]}, locale, ZoneInfo(timezone))


def primary(language: str) -> str:
    """Return the first part of a language tag, lower case: `pt` for `pt-BR`."""
    return re.split("[-_]", language, maxsplit=1)[0].lower()


def direction_of(language: str) -> str:
    """Return in which direction the language is written, `ltr` for one that babel does not know."""
    return str(_locale(language).text_direction)


def _locale(language: str) -> Locale:
    for tag in (language.replace("_", "-"), primary(language)):
        try:
            return Locale.parse(tag, sep="-")
        except (ValueError, UnknownLocaleError):
            continue
    return Locale(FALLBACK)
