"""Overview: each newsletter with its schedule in words, its next issue, and its readers by group."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from service.core.model import Newsletter
from service.core.schedules.words import schedule_words
from service.store.newsletter_sizes import EditionSize, edition_sizes

if TYPE_CHECKING:
    from service.app.factories.application import Application

KEPT = timedelta(seconds=20)
"""How long the sizes are kept: counting a million subscriptions takes some tenths of a second."""

LISTS = ("topics", "languages", "follow", "mute")
VALUES = ("stories", "points", "minutes", "language", "format")
"""Preferences apart from the time."""


@dataclass(frozen=True, slots=True)
class ReaderGroup:
    """Readers of a newsletter with the same preferences: `wanted` names what differs from the newsletter."""

    when: str
    timezone: str
    readers: int
    due_at: datetime
    wanted: str


@dataclass(frozen=True, slots=True)
class NewsletterOverview:
    """A newsletter of the configuration in force. `next_at` is None if nobody gets it.

    `groups` are in order of size.
    """

    newsletter: Newsletter
    when: str
    readers: int
    next_at: datetime | None
    groups: tuple[ReaderGroup, ...]


@dataclass(frozen=True, slots=True)
class _KeptSizes:
    at: datetime
    sizes: Sequence[EditionSize]


_kept: WeakKeyDictionary[Application, _KeptSizes] = WeakKeyDictionary()
_locks: WeakKeyDictionary[Application, asyncio.Lock] = WeakKeyDictionary()


async def newsletters_overview(app: Application) -> tuple[NewsletterOverview, ...]:
    """Return every newsletter in the order of the file; numbers are at most `KEPT` old."""
    sizes = await _sizes(app)
    return tuple(_overview(one, sizes) for one in app.roster.newsletters)


async def _sizes(app: Application) -> Sequence[EditionSize]:
    async with _locks.setdefault(app, asyncio.Lock()):
        kept, now = _kept.get(app), app.clock()
        if kept is None or not timedelta(0) <= now - kept.at < KEPT:
            kept = _kept[app] = _KeptSizes(now, await edition_sizes(app.database))
        return kept.sizes


def _overview(newsletter: Newsletter, sizes: Sequence[EditionSize]) -> NewsletterOverview:
    own = [one for one in sizes if one.edition.newsletter == newsletter.id]
    return NewsletterOverview(
        newsletter,
        schedule_words(newsletter.schedule),
        sum(one.readers for one in own),
        min((one.due_at for one in own), default=None),
        tuple(
            ReaderGroup(
                schedule_words(one.edition.schedule),
                one.edition.timezone,
                one.readers,
                one.due_at,
                _wanted(newsletter, one),
            )
            for one in own
        ),
    )


def _wanted(newsletter: Newsletter, size: EditionSize) -> str:
    """Return what readers of an edition chose apart from the time, as text; "" for nothing."""
    edition = size.edition
    lists = {key: ", ".join(getattr(edition, key)) or "all" for key in LISTS}
    chosen = lists | {key: str(getattr(edition, key) or "any") for key in VALUES}
    differing = (key for key in chosen if getattr(edition, key) != getattr(newsletter, key))
    return "; ".join(f"{key}: {chosen[key]}" for key in differing)
