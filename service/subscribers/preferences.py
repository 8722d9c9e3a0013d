"""Preferences: a newsletter and a subscriber's preferences give an edition and its next due time (pure)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from service.core import ids as identity
from service.core.errors import UsageError
from service.core.languages import same_language
from service.core.model import (
    NO_LIMIT,
    PREFERENCE_FIELDS,
    DesiredSubscription,
    Edition,
    Newsletter,
    Preferences,
    Subscriber,
)
from service.core.schedules import next_occurrence, parse_schedule
from service.core.validators import (
    fold_topics,
    read_language,
    read_phrases,
    read_schedule,
    read_timezone,
)

MAX_STORIES, MAX_POINTS, MAX_MINUTES = 50, 12, 60
FORMATS = ("html", "text")


def edition_for(newsletter: Newsletter, preferences: Preferences, timezone: str | None) -> Edition:
    """Return the edition for these preferences; `timezone` is the subscriber's own (None: unknown).

    Equal preferences give equal editions, however they are spelled. Raises UsageError for an invalid one;
    its text is for the subscriber.
    """
    languages = newsletter.languages if preferences.languages is None else preferences.languages
    return Edition(
        newsletter=newsletter.id,
        schedule=read_schedule(preferences.schedule or newsletter.schedule),
        timezone=read_timezone(preferences.timezone or timezone or newsletter.timezone),
        topics=fold_topics(newsletter.topics if preferences.topics is None else preferences.topics),
        stories=_within(preferences.stories, newsletter.stories, MAX_STORIES, "stories"),
        points=_within(preferences.points, newsletter.points, MAX_POINTS, "key points"),
        language=read_language(preferences.language or newsletter.language),
        format=_one_of(preferences.format or newsletter.format, FORMATS, "format"),
        languages=_languages(languages),
        follow=read_phrases(newsletter.follow if preferences.follow is None else preferences.follow),
        mute=read_phrases(newsletter.mute if preferences.mute is None else preferences.mute),
        minutes=_minutes(newsletter.minutes if preferences.minutes is None else preferences.minutes),
    )


def own_editions(newsletters: Sequence[Newsletter]) -> dict[str, Edition]:
    """Return the edition of each newsletter (id) without any subscriber's preference."""
    return {one.id: edition_for(one, Preferences(), None) for one in newsletters}


def own_preferences(newsletter: Newsletter, preferences: Preferences, timezone: str | None) -> Preferences:
    """Return the preferences that differ from the newsletter's; the others follow its later changes.

    `timezone` is the subscriber's, if known. Raises UsageError for an invalid value.
    """
    usual = edition_for(newsletter, Preferences(), timezone)
    wanted = edition_for(newsletter, preferences, timezone)
    values = {name: getattr(wanted, name) for name in PREFERENCE_FIELDS}
    values["minutes"] = NO_LIMIT if wanted.minutes is None and usual.minutes is not None else wanted.minutes
    return Preferences(**{name: value for name, value in values.items() if value != getattr(usual, name)})


def placement_for(
    subscriber: Subscriber, newsletter: Newsletter, preferences: Preferences, now: datetime
) -> DesiredSubscription:
    """Return the subscription, due first after `now`. Raises UsageError like edition_for."""
    return PlacementBuilder(now).build(subscriber, newsletter, preferences)


class PlacementBuilder:
    """Computes subscriptions at one time; each edition is computed once for all its subscribers."""

    def __init__(self, now: datetime) -> None:
        self._edition: Callable[..., tuple[Edition, str, datetime]] = lru_cache(maxsize=4096)(_edition_at)
        self._now = now

    def build(
        self, subscriber: Subscriber, newsletter: Newsletter, preferences: Preferences
    ) -> DesiredSubscription:
        """Return the subscription. Raises UsageError like edition_for."""
        edition, key, due_at = self._edition(newsletter, preferences, subscriber.timezone, self._now)
        return DesiredSubscription(subscriber, newsletter.id, preferences, edition, key, due_at)


def _edition_at(
    newsletter: Newsletter, preferences: Preferences, timezone: str | None, now: datetime
) -> tuple[Edition, str, datetime]:
    edition = edition_for(newsletter, preferences, timezone)
    return edition, identity.edition_key(edition), next_due(edition, now)


def next_due(edition: Edition, now: datetime) -> datetime:
    """Return the first time after `now` at which the edition is due."""
    return next_occurrence(parse_schedule(edition.schedule), ZoneInfo(edition.timezone), now).at


def _languages(languages: Sequence[str]) -> tuple[str, ...]:
    return tuple(sorted({same_language(read_language(language)) for language in languages} - {""}))


def _minutes(minutes: int | None) -> int | None:
    return None if minutes in (None, NO_LIMIT) else _within(minutes, minutes, MAX_MINUTES, "minutes")


def _within(value: int | None, default: int, limit: int, noun: str) -> int:
    number = default if value is None else value
    if not 1 <= number <= limit:
        raise UsageError(f"{number} {noun} are not possible; choose from 1 to {limit}")
    return number


def _one_of(word: str, known: tuple[str, ...], noun: str) -> str:
    if word not in known:
        raise UsageError(f"there is no {noun} {word[:64]!r}; choose {' or '.join(known)}")
    return word
