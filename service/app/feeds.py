"""Feeds: discovery, inspection, health and OPML lists."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from service.app.clock import utc_now
from service.app.factories.gather import PooledExecutor, fetcher_of
from service.app.process_pool.pool import ProcessPool
from service.app.process_pool.processors import processors
from service.core import ids as identity
from service.core.model import Roster
from service.core.read_models import FeedDetails
from service.gather.discovery import DiscoveredFeeds, find_feeds
from service.gather.entries.categories import count_categories, mapped_topics, propose_mapping
from service.gather.formats.opml import read_opml, write_opml
from service.gather.health import feed_health, format_duration_short, sparkline
from service.gather.inspect import Inspection, inspect_feed
from service.settings.values import FetchSettings, LoadedConfig, Settings

__all__ = [
    "Inspection",
    "discover",
    "health_flags",
    "health_record",
    "inspect_each",
    "mapped_topics",
    "mapping_of",
    "proposed_mapping",
    "read_opml_entries",
    "time_since",
    "time_until",
    "write_opml_feeds",
]

MAX_CONCURRENT_INSPECTIONS = 8  # feeds that are fetched at the same time
MINUTE = timedelta(minutes=1)


async def discover(settings: Settings, address: str) -> DiscoveredFeeds:
    """Return the feeds at an address, or those that the page there links to."""
    async with fetcher_of(settings.fetch) as fetcher:
        return await find_feeds(address, fetcher)


async def inspect_each(
    fetch: FetchSettings, sources: Iterable[str], show: Callable[[Inspection], None]
) -> bool:
    """Inspect sources concurrently and call `show` for each in order; return whether all are feeds."""
    well = True
    ahead: deque[asyncio.Task[Inspection]] = deque()
    with ProcessPool(processors()) as pool:
        workers = PooledExecutor(pool)
        async with fetcher_of(fetch) as fetcher:

            async def shown() -> bool:
                inspection = await ahead.popleft()
                show(inspection)
                return inspection.ok

            for source in sources:
                ahead.append(asyncio.create_task(inspect_feed(source, fetcher, workers=workers)))
                if len(ahead) >= MAX_CONCURRENT_INSPECTIONS:
                    well = await shown() and well
            while ahead:
                well = await shown() and well
    return well


def mapping_of(source: str, roster: Roster) -> Sequence[tuple[str, str]]:
    """Return the categories that feeds.yaml maps for this feed, each with its topic."""
    known = next((feed for feed in roster.feeds if feed.id == identity.feed_id(source)), None)
    return known.categories if known else ()


def proposed_mapping(
    inspection: Inspection, mapping: Sequence[tuple[str, str]], roster: Roster
) -> Mapping[str, str]:
    """Return category -> topic for the most frequent categories of a feed that are not mapped."""
    topics = {topic for newsletter in roster.newsletters for topic in newsletter.topics}
    return propose_mapping(
        count_categories(entry.categories for entry in inspection.entries), mapping, topics
    )


def health_record(feed: FeedDetails, now: datetime, *, short: bool) -> dict[str, Any]:
    """Return the health of a feed for a listing; `short` has the columns of a table, else all values."""
    health = feed_health(feed.state, now)
    if short:
        return {
            "name": health.name,
            "last 14 days": sparkline(health.days),
            "a day": "" if health.per_day is None else f"{health.per_day:.1f}",
            "silent": "" if health.silent_for is None else format_duration_short(health.silent_for),
            "faulty": _share(health.faulty),
            "repeats": _share(health.repeats),
            "read": time_since(health.last_success_at, now),
            "next": time_until(health.next_look_at, now),
        }
    spans = {"usual_gap": health.usual_gap, "silent_for": health.silent_for}
    return {
        **asdict(health),
        **{key: None if span is None else span.total_seconds() for key, span in spans.items()},
        "articles": feed.articles,
        "well": health.is_healthy,
    }


def health_flags(feed: FeedDetails, now: datetime) -> tuple[str, ...]:
    """Return the health problems of a feed, most serious first."""
    return feed_health(feed.state, now).flags


def time_since(at: datetime | None, now: datetime) -> str:
    """Return how long ago something happened, for a table: `3 h ago`, `now`, `never`."""
    if at is None:
        return "never"
    return f"{format_duration_short(now - at)} ago" if now - at >= MINUTE else "now"


def time_until(at: datetime | None, now: datetime) -> str:
    """Return how soon something is due, for a table: `in 3 h`, `now`."""
    return "now" if at is None or at <= now else f"in {format_duration_short(at - now)}"


def _share(share: float) -> str:
    return f"{share:.0%}" if share else ""


def read_opml_entries(body: bytes, roster: Roster) -> tuple[list[dict[str, Any]], tuple[str, ...]]:
    """Return entries for feeds.yaml with the new feeds of an OPML list, and sentences about skipped ones.

    Raises FeedUnreadable for bytes that are no OPML.
    """
    known = {feed.id for feed in roster.feeds}
    listed = read_opml(body)
    entries = []
    for new in listed.feeds:
        if identity.feed_id(new.url) not in known:
            entry = {"url": new.url, "name": new.name, "topics": list(new.topics)}
            entries.append({key: value for key, value in entry.items() if value})
    return entries, listed.skipped


def write_opml_feeds(loaded: LoadedConfig) -> bytes:
    """Return the feeds of the configuration as OPML."""
    return write_opml(loaded.roster.feeds, title=loaded.settings.site.name, now=utc_now())
