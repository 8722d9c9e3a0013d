"""Feeds for programs: add one by its address or that of its site, and remove one, in feeds.yaml."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from service.app.config.apply import apply_files
from service.app.factories import config_folder
from service.app.feeds import discover
from service.core.errors import UsageError
from service.core.ids import feed_id
from service.settings.yaml import edit

if TYPE_CHECKING:
    from service.app.factories.application import Application

LIST = "feeds"
FILE = f"{LIST}.yaml"


@dataclass(frozen=True, slots=True)
class AddedFeed:
    """A feed that was added to feeds.yaml. `warnings` say what keeps newsletters from taking it."""

    id: str
    url: str
    name: str
    warnings: Sequence[str]


async def add_feed(
    app: Application, address: str, name: str | None, topics: Sequence[str], language: str | None
) -> AddedFeed:
    """Request the address, find the feed there, and add it to feeds.yaml as `config apply` does.

    The request obeys the rules of `fetch`: private addresses are refused. Raises UsageError for an address
    that is not of the web, leads to no feed or is configured already, and as `apply_files` does.
    """
    try:
        parts = urlsplit(address)
        is_web = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_web = False
    if not is_web:
        raise UsageError(f"{address!r} is not a web address; write it like https://example.org/feed.xml")
    found = await discover(app.settings, address)
    if not found.feeds:
        raise UsageError(f"the address leads to no feed: {found.reason}")
    feed = found.feeds[0]
    shown = name or feed.title
    values = {"name": shown, "topics": list(topics), "language": language}
    folder = app.settings.folder
    gaps = await asyncio.to_thread(config_folder.add_feed, folder, feed.url, values, dry_run=True)
    entry = {"url": feed.url, **{key: value for key, value in values.items() if value}}
    await _apply(app, lambda items: items.append([entry]))
    return AddedFeed(feed_id(feed.url), feed.url, shown or feed.url, gaps)


async def remove_feed(app: Application, wanted: str) -> bool:
    """Remove the feed with this id from feeds.yaml; return False if the file has no such feed.

    Its articles stay. Raises as `apply_files` does.
    """
    loaded = await asyncio.to_thread(config_folder.load, app.settings.folder)
    feed = next((one for one in loaded.roster.feeds if one.id == wanted), None)
    if feed is None:
        return False
    await _apply(app, edit.removing(LIST, feed.url))
    return True


async def _apply(app: Application, alteration: edit.Alteration) -> None:
    """Apply an edit of feeds.yaml: with the guard, the comments kept, and a backup of the file before."""
    path = app.settings.folder / FILE
    before = await asyncio.to_thread(path.read_bytes)
    after = edit.drafted(before, LIST, alteration)
    await apply_files(app, {FILE: after}, confirmed=False, expected={FILE: before})
