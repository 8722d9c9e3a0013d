"""Preferences as an editor types them: one text for each field (pure)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from service.core.errors import UsageError
from service.core.model import PREFERENCE_FIELDS, Preferences

EVERYTHING = "all"
"""The word for no choice of topics or languages: an article of any of them."""

NONE = "none"
"""The word for no words."""

LISTS = {"topics": EVERYTHING, "languages": EVERYTHING, "follow": NONE, "mute": NONE}
"""Fields with several values between commas, and the word that means an empty list."""

NUMBERS = ("stories", "points", "minutes")
MAX_TYPED_CHARACTERS = 5_000  # of a field; the longest valid list of words is shorter

_BETWEEN = re.compile("[,;\n\u060c\u061b\u3001\uff0c\uff1b]")
"""Commas and semicolons: Latin, Arabic, Chinese and Japanese."""


def words_of(text: str) -> tuple[str, ...]:
    """Return the words and phrases between commas or semicolons."""
    return tuple(filter(None, map(str.strip, _BETWEEN.split(text))))


def read_typed(texts: Mapping[str, str]) -> tuple[Preferences, dict[str, str]]:
    """Return the preferences of these texts by field, and a sentence for each text that is no number.

    An empty text is the newsletter's own value. Whether the values are possible is checked where they are
    stored.
    """
    values: dict[str, object] = {}
    problems: dict[str, str] = {}
    for name in PREFERENCE_FIELDS:
        text = texts.get(name, "")[:MAX_TYPED_CHARACTERS].strip()
        if not text:
            continue
        try:
            values[name] = _value(name, text)
        except UsageError as error:
            problems[name] = error.sentence
    return Preferences(**values), problems  # type: ignore[arg-type]


def typed(preferences: Preferences) -> dict[str, str]:
    """Return the text of each field, "" for the newsletter's own value; `read_typed` is the inverse."""
    return {name: _text(name, getattr(preferences, name)) for name in PREFERENCE_FIELDS}


def shown(name: str, value: object) -> str:
    """Return the value of an edition as text; an empty list is `all` or `none`."""
    return _text(name, value) or "no limit"


def _value(name: str, text: str) -> object:
    if name in LISTS:
        found = words_of(text)
        return () if [one.casefold() for one in found] == [LISTS[name]] else found
    if name in NUMBERS:
        if not (text.isascii() and text.isdecimal() and len(text) < 5):
            raise UsageError(f"{text[:40]!r} is no whole number")
        return int(text)
    return text


def _text(name: str, value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or LISTS[name]
    return str(value)
