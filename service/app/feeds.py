"""Feeds: what the doors ask of the gather room beside its stage."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from service.app.clock import utc_now
from service.app.factories.gather import PooledWorkers, fetcher_of
from service.app.process_pool.pool import Pool, processors
from service.core import ids as identity
from service.core.model import Roster
from service.core.read_models import FeedLine
from service.gather.discovery import Found, find_feeds
from service.gather.formats.opml import read_opml, write_opml
from service.gather.health import brief, health_of, sparkline
from service.gather.inspect import Inspection, inspect
from service.settings.values import FetchSettings, Loaded, Settings

__all__ = [
    "Inspection",
    "ago",
    "find",
    "flags_of",
    "health_record",
    "inspect_each",
    "read_list",
    "until",
    "write_list",
]

ABREAST = 8
MINUTE = timedelta(minutes=1)


async def find(settings: Settings, address: str) -> Found:
    """Return the feeds that an address leads to."""
    async with fetcher_of(settings.fetch) as fetcher:
        return await find_feeds(address, fetcher)


async def inspect_each(
    fetch: FetchSettings, sources: Iterable[str], show: Callable[[Inspection], None]
) -> bool:
    """Inspect the sources, some of them abreast, and show each in order; return whether all are feeds."""
    well = True
    ahead: deque[asyncio.Task[Inspection]] = deque()
    with Pool(processors()) as pool:
        workers = PooledWorkers(pool)
        async with fetcher_of(fetch) as fetcher:

            async def shown() -> bool:
                inspection = await ahead.popleft()
                show(inspection)
                return inspection.ok

            for source in sources:
                ahead.append(asyncio.create_task(inspect(source, fetcher, workers=workers)))
                if len(ahead) >= ABREAST:
                    well = await shown() and well
            while ahead:
                well = await shown() and well
    return well


def health_record(line: FeedLine, now: datetime, *, short: bool) -> dict[str, Any]:
    """Return how a feed is doing, for a listing; `short` for a table, else with everything."""
    health = health_of(line.state, now)
    if short:
        return {
            "name": health.name,
            "last 14 days": sparkline(health.days),
            "a day": "" if health.per_day is None else f"{health.per_day:.1f}",
            "silent": "" if health.silent_for is None else brief(health.silent_for),
            "faulty": _share(health.faulty),
            "repeats": _share(health.repeats),
            "read": ago(health.last_success_at, now),
            "next": until(health.next_look_at, now),
        }
    spans = {"usual_gap": health.usual_gap, "silent_for": health.silent_for}
    return {
        **asdict(health),
        **{key: None if span is None else span.total_seconds() for key, span in spans.items()},
        "articles": line.articles,
        "well": health.well,
    }


def flags_of(line: FeedLine, now: datetime) -> tuple[str, ...]:
    """Return what a person should look at of a feed, gravest first."""
    return health_of(line.state, now).flags


def ago(at: datetime | None, now: datetime) -> str:
    """Write how long ago something was, for a column."""
    if at is None:
        return "never"
    return f"{brief(now - at)} ago" if now - at >= MINUTE else "now"


def until(at: datetime | None, now: datetime) -> str:
    """Write how soon something will be, for a column."""
    return "now" if at is None or at <= now else f"in {brief(at - now)}"


def _share(share: float) -> str:
    return f"{share:.0%}" if share else ""


def read_list(body: bytes, roster: Roster) -> tuple[list[dict[str, Any]], tuple[str, ...]]:
    """Return the entries for feeds.yaml that a list (OPML) brings beside what is there, and what it cannot.

    Raises FeedUnreadable for bytes that are no list.
    """
    there = {feed.id for feed in roster.feeds}
    listed = read_opml(body)
    entries = []
    for feed in listed.feeds:
        if identity.feed_id(feed.url) not in there:
            entry = {"url": feed.url, "name": feed.name, "topics": list(feed.topics)}
            entries.append({key: value for key, value in entry.items() if value})
    return entries, listed.left_out


def write_list(loaded: Loaded) -> bytes:
    """Return the roster's feeds as a list (OPML)."""
    return write_opml(loaded.roster.feeds, title=loaded.settings.site.name, now=utc_now())
