"""Overview of the feeds: their health in words, those in trouble first, a page at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from service.app.feed_editor.changes import configured_feeds
from service.core.model import Feed, FeedState
from service.core.read_models import FeedDetails
from service.gather.health import FeedHealth, feed_health

if TYPE_CHECKING:
    from service.app.factories.application import Application

PAGE_SIZE = 40  # feeds; each has a drawing of 14 days


class FeedCondition(StrEnum):
    """What a feed is doing, the most urgent first."""

    FAILING = "failing"
    ENDED = "ended"
    WARNING = "warning"
    NEW = "new"
    WELL = "well"
    MUTED = "muted"
    REMOVED = "removed"


CONDITION_WORDS = {
    FeedCondition.FAILING: "fails",
    FeedCondition.ENDED: "ended by its publisher",
    FeedCondition.WARNING: "look at it",
    FeedCondition.NEW: "not polled yet",
    FeedCondition.WELL: "well",
    FeedCondition.MUTED: "muted",
    FeedCondition.REMOVED: "removed from feeds.yaml",
}


@dataclass(frozen=True, slots=True)
class FeedOverview:
    """A feed with its health. `details` is None before the service has taken it over."""

    feed: Feed
    condition: FeedCondition
    health: FeedHealth
    details: FeedDetails | None

    @property
    def articles(self) -> int:
        """The number of stored articles."""
        return self.details.articles if self.details else 0

    @property
    def problems(self) -> tuple[str, ...]:
        """What is wrong, in sentences."""
        return self.health.flags if self.condition in (FeedCondition.FAILING, FeedCondition.WARNING) else ()

    @property
    def condition_words(self) -> str:
        """The condition as words."""
        return CONDITION_WORDS[self.condition]


ORDERS: dict[str, Callable[[FeedOverview], Any]] = {
    "trouble": lambda one: (list(FeedCondition).index(one.condition), one.feed.name.casefold(), one.feed.id),
    "name": lambda one: (one.feed.name.casefold(), one.feed.id),
    "articles": lambda one: (-one.articles, one.feed.name.casefold(), one.feed.id),
    "rhythm": lambda one: (-(one.health.per_day or 0), one.feed.name.casefold(), one.feed.id),
}
"""The orders of the list, by name."""


@dataclass(frozen=True, slots=True)
class FeedPage:
    """A page of the list. `counts` is the number of feeds in each condition, `total` that of the matches."""

    feeds: Sequence[FeedOverview]
    counts: dict[FeedCondition, int]
    total: int
    number: int
    numbers: int


async def feeds_overview(
    app: Application, *, text: str = "", condition: str = "", topic: str = "", order: str = "", page: int = 1
) -> FeedPage:
    """Return a page of the feeds whose name or address contains `text`; "" does not filter.

    An unknown condition or order is ignored. A page behind the last one is the last one.
    """
    configured, known = await configured_feeds(app), await app.queries.feeds()
    return await asyncio.to_thread(
        _page, configured, known, app.clock(), (text.casefold(), condition, topic, order), page
    )


async def feed_overview(app: Application, wanted: str) -> FeedOverview | None:
    """Return the feed with this id, configured or only in the database; None for none."""
    configured = [one for one in await configured_feeds(app) if one.id == wanted]
    known = [one for one in await app.queries.feeds() if one.state.feed.id == wanted]
    found = _overviews(configured, known, app.clock())
    return found[0] if found else None


def _page(
    configured: Sequence[Feed],
    known: Sequence[FeedDetails],
    now: datetime,
    chosen: tuple[str, str, str, str],
    page: int,
) -> FeedPage:
    text, condition, topic, order = chosen
    every = _overviews(configured, known, now)
    counts = dict.fromkeys(FeedCondition, 0)
    for one in every:
        counts[one.condition] += 1
    wanted = {condition} & {*FeedCondition} or {*FeedCondition} - {FeedCondition.REMOVED}
    found = [
        one
        for one in every
        if one.condition in wanted
        and (text in one.feed.name.casefold() or text in one.feed.url.casefold())
        and (not topic or topic in one.feed.possible_topics)
    ]
    found.sort(key=ORDERS.get(order, ORDERS["trouble"]))
    numbers = max(1, -(-len(found) // PAGE_SIZE))
    number = min(max(1, page), numbers)
    return FeedPage(found[(number - 1) * PAGE_SIZE :][:PAGE_SIZE], counts, len(found), number, numbers)


def _overviews(
    configured: Sequence[Feed], known: Sequence[FeedDetails], now: datetime
) -> Sequence[FeedOverview]:
    stored = {one.state.feed.id: one for one in known}
    found = [_overview(feed, stored.pop(feed.id, None), now) for feed in configured]
    removed = [
        FeedOverview(one.state.feed, FeedCondition.REMOVED, feed_health(one.state, now), one)
        for one in stored.values()
    ]
    return [*found, *removed]


def _overview(feed: Feed, details: FeedDetails | None, now: datetime) -> FeedOverview:
    health = feed_health(details.state if details else FeedState(feed), now)
    return FeedOverview(feed, _condition(feed, details, health), health, details)


def _condition(feed: Feed, details: FeedDetails | None, health: FeedHealth) -> FeedCondition:
    if feed.muted:
        return FeedCondition.MUTED
    if details is not None and details.active and details.gone_at is not None:
        return FeedCondition.ENDED
    if health.failures:
        return FeedCondition.FAILING
    if health.flags:
        return FeedCondition.WARNING
    is_polled = health.last_success_at is not None
    return FeedCondition.WELL if is_polled else FeedCondition.NEW
