"""Preferences by newsletter as a JSON object, for people whose subscriptions differ.

`{"morning": {"schedule": "daily 06:45", "timezone": "Asia/Tokyo"}, "evening": {}}`: fields as in Preferences;
one that is not named is the newsletter's own value.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from service.core.errors import UsageError
from service.core.model import PREFERENCE_FIELDS, Preferences

COLUMN = "preferences_by_newsletter"
LISTS = frozenset({"topics", "languages", "follow", "mute"})
NUMBERS = frozenset({"stories", "points", "minutes"})


def as_object(preferences: Mapping[str, Preferences]) -> dict[str, dict[str, Any]]:
    """Return the object for these preferences by newsletter (id)."""
    return {
        newsletter: {name: value for name, value in asdict(one).items() if value is not None}
        for newsletter, one in preferences.items()
    }


def read_preferences(text: str) -> dict[str, Preferences]:
    """Return the preferences by newsletter (id) of such an object. Raises UsageError."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise UsageError(f"`{COLUMN}` is not JSON") from None
    if not isinstance(found, dict):
        raise UsageError(f'`{COLUMN}` is not an object such as {{"NEWSLETTER": {{...}}}}')
    return {newsletter: _preferences(newsletter, values) for newsletter, values in found.items()}


def _preferences(newsletter: str, values: object) -> Preferences:
    if not isinstance(values, dict):
        raise UsageError(f"`{COLUMN}` of {newsletter[:64]!r} is not an object")
    for name, value in values.items():
        if name not in PREFERENCE_FIELDS:
            raise UsageError(f"`{COLUMN}` has the unknown preference {name[:64]!r}")
        if not _has_type(name, value):
            raise UsageError(f"`{COLUMN}`: {name} is {json.dumps(value)[:40]}")
    kept: dict[str, Any] = {name: tuple(one) if name in LISTS else one for name, one in values.items()}
    return Preferences(**kept)


def _has_type(name: str, value: object) -> bool:
    if name in LISTS:
        return isinstance(value, list) and all(isinstance(one, str) for one in value)
    return type(value) is (int if name in NUMBERS else str)
