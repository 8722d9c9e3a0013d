"""OPML lists of an editor: kept between preview and import, and compared with feeds.yaml."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from secrets import token_hex
from typing import TYPE_CHECKING, Any

from service.app.feed_editor.changes import configured_feeds
from service.core.errors import FeedUnreadable, UsageError
from service.core.ids import feed_id
from service.core.progress import Progress
from service.gather.formats.opml import read_opml

if TYPE_CHECKING:
    from service.app.factories.application import Application

MAX_OPML_UPLOAD_BYTES = 4 << 20  # of a form with a list; the largest list found so far has 2 MB


async def keep_opml(app: Application, data: bytes) -> str:
    """Keep a list in memory for its preview and import; return its key. Raises UsageError for no list."""
    await plan_opml(app, data)

    async def work(_progress: Progress) -> bytes:
        return data

    key = token_hex(16)
    await app.jobs.start(_job(key), app, work).wait(1)
    return key


def kept_opml(app: Application, key: str) -> bytes | None:
    """Return the list with this key; None if it is not kept any more."""
    job = app.jobs.find(_job(key))
    return job.result if job is not None and isinstance(job.result, bytes) else None


def _job(key: str) -> str:
    return f"OPML list {key}"


@dataclass(frozen=True, slots=True)
class OpmlPlan:
    """What an import of an OPML list would do: entries to add, names of known feeds, skipped lines."""

    new: tuple[Mapping[str, Any], ...]
    known: tuple[str, ...]
    skipped: tuple[str, ...]


async def plan_opml(app: Application, data: bytes) -> OpmlPlan:
    """Read an OPML list and compare it with feeds.yaml. Raises UsageError for what is no list."""
    if not data.strip():
        raise UsageError("the list is empty; choose an OPML file or paste its text")
    try:
        listed = await asyncio.to_thread(read_opml, data)
    except FeedUnreadable as error:
        raise UsageError(f"this is no OPML list: {error}") from None
    configured = {feed.id: feed for feed in await configured_feeds(app)}
    new, known = [], []
    for one in listed.feeds:
        if (same := configured.get(feed_id(one.url))) is not None:
            known.append(same.name)
            continue
        entry = {"url": one.url, "name": one.name, "topics": list(one.topics)}
        new.append({key: value for key, value in entry.items() if value})
    return OpmlPlan(tuple(new), tuple(known), listed.skipped)
