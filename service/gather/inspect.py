"""Inspect a feed: read it whole and show its entries; nothing is stored."""

from __future__ import annotations

import asyncio
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from service.core.errors import FeedUnreadable
from service.core.model import Entry
from service.gather.cleaning.characters import one_line
from service.gather.cleaning.markup import read_entry
from service.gather.cleaning.titles import title_text
from service.gather.dates.reading import DateHabits, habits_of, publication_date
from service.gather.formats import registry as formats
from service.gather.formats.parsed_feed import NO_ENTRIES
from service.gather.formats.split_items import split_items
from service.gather.http.executor import ThreadWorkers
from service.gather.http.file_fetcher import FileFetcher, is_file_address
from service.gather.ports import Fetched, Fetcher, NotModified, Workers, WorkLimitExceeded

MAX_ENTRIES = 10_000  # per feed; a larger feed is cut with a note


@dataclass(frozen=True, slots=True)
class InspectedEntry:
    """One entry. `id` is its guid, else its address; `published` is ISO 8601 in UTC, "" when unknown.

    With `day_only` the hour of `published` is unknown. `blocks` are the kind, start and end of each block of
    the text. `cut` says why the text is incomplete, "" when it is whole. `categories` are as the feed writes
    them. `picture` is an address, "" for none.
    """

    id: str
    title: str
    url: str
    published: str
    text: str
    day_only: bool = False
    blocks: tuple[tuple[str, int, int], ...] = ()
    cut: str = ""
    categories: tuple[str, ...] = ()
    picture: str = ""


@dataclass(frozen=True, slots=True)
class Inspection:
    """The result for one source; `error` says why it is not a feed, or what is unusual about the feed."""

    source: str
    ok: bool
    error: str = ""
    format: str = ""
    title: str = ""
    entries: tuple[InspectedEntry, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the object that the command line prints; an empty `error` is null."""
        return {
            **asdict(self),
            "error": self.error or None,
            "entries": [asdict(entry) for entry in self.entries],
        }


async def inspect_feed(
    source: str, fetcher: Fetcher, *, base_folder: Path | None = None, workers: Workers | None = None
) -> Inspection:
    """Inspect a web address, a `file:` address or a path. An error is part of the Inspection, never raised.

    `base_folder` resolves relative paths; the default is the working directory.
    """
    try:
        return await _inspect(source, fetcher, base_folder or Path(), workers or ThreadWorkers())
    except (FeedUnreadable, WorkLimitExceeded) as error:
        return Inspection(source, ok=False, error=str(error))
    except Exception as error:  # noqa: BLE001 - no source may stop the inspection of the others
        return Inspection(source, ok=False, error=f"reading it failed ({type(error).__name__}: {error})")


async def _inspect(source: str, fetcher: Fetcher, base_folder: Path, workers: Workers) -> Inspection:
    files = FileFetcher(base_folder)
    if source.lower().startswith(("http:", "https:")):
        response = await fetcher.fetch(source)
    elif is_file_address(source):
        response = await files.fetch(source)
    else:
        response = await asyncio.to_thread(files.read, base_folder / source)
    if isinstance(response, Fetched):
        address = response.url if response.url.startswith("http") else ""
        return await workers.run(inspect_document, source, response.body, response.content_type, address)
    error = "the server sent no content" if isinstance(response, NotModified) else response.reason
    return Inspection(source, ok=False, error=error)


def inspect_document(source: str, body: bytes, content_type: str = "", url: str = "") -> Inspection:
    """Read the document of `source`, whole. Raises FeedUnreadable."""
    name = formats.sniff(body, url)
    note = ""
    document = formats.prepare_document(name, body, content_type)
    pieces = split_items(document) if name == "xml" else None
    if pieces is not None and len(pieces.items) > MAX_ENTRIES:
        note = f"it holds {len(pieces.items)} entries, of which the first {MAX_ENTRIES} are shown"
        document = pieces.with_items(range(MAX_ENTRIES))
    feed = formats.reader_for(name)(document, url)
    shown = feed.entries[:MAX_ENTRIES]
    habits = habits_of((date for entry in shown for date in entry.dates), DateHabits(feed.language))
    entries = tuple(_shown(entry, habits) for entry in shown)
    return Inspection(
        source,
        ok=True,
        error=note or ("" if feed.entries else NO_ENTRIES),
        format=feed.format,
        title=title_text(feed.title),
        entries=entries,
    )


def _shown(entry: Entry, habits: DateHabits) -> InspectedEntry:
    published = publication_date(entry.dates, habits)
    text, blocks, cut = read_entry(entry.html, is_plain=entry.is_plain)
    title = title_text(entry.title)
    return InspectedEntry(
        id=one_line(entry.guid or entry.url or title or text, 2_000),
        title=title,
        url=one_line(entry.url, 2_000),
        published=published.at.isoformat() if published else "",
        text=text,
        day_only=published is not None and published.day_only,
        blocks=tuple((block.kind.value, block.start, block.end) for block in blocks),
        cut=cut,
        categories=entry.categories,
        picture=entry.picture,
    )
