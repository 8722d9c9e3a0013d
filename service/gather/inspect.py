"""Inspect: what a feed holds, for a person or a program that asks; nothing is recorded."""

from __future__ import annotations

import asyncio
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from service.core.errors import FeedUnreadable
from service.core.model import Entry
from service.gather.entries.markup import one_line, plain_text, title_text
from service.gather.formats import registry as formats
from service.gather.formats import split_items as delta
from service.gather.formats.parsed_feed import ParsedFeed
from service.gather.http.executor import ThreadWorkers, Workers, WorkLimitExceeded
from service.gather.http.file_fetcher import FileFetcher, is_file_address
from service.gather.ports import Fetched, Fetcher, FetchFailed, Gone

MAX_ENTRIES = 10_000


@dataclass(frozen=True, slots=True)
class InspectedEntry:
    """One entry. `id` is the feed's own, else the address; `published` an ISO instant in UTC, "" without."""

    id: str
    title: str
    url: str
    published: str
    text: str


@dataclass(frozen=True, slots=True)
class Inspection:
    """What a source turned out to be; `error` says why it is no feed, or what is odd about one that is."""

    source: str
    ok: bool
    error: str = ""
    format: str = ""
    title: str = ""
    entries: tuple[InspectedEntry, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the object that the command line prints; `error` is null when there is nothing to say."""
        return {
            **asdict(self),
            "error": self.error or None,
            "entries": [asdict(entry) for entry in self.entries],
        }


async def inspect_feed(
    source: str, fetcher: Fetcher, *, base_folder: Path | None = None, workers: Workers | None = None
) -> Inspection:
    """Return what lies at a web address, a `file:` address or a path; trouble is in the answer, never raised.

    `house` is what relative paths are relative to, the working directory by default.
    """
    try:
        return await _inspected(source, fetcher, base_folder or Path(), workers or ThreadWorkers())
    except (FeedUnreadable, WorkLimitExceeded) as trouble:
        return Inspection(source, ok=False, error=str(trouble))
    except Exception as error:  # noqa: BLE001 - one odd source must not cost the others their answer
        return Inspection(source, ok=False, error=f"reading it failed ({type(error).__name__}: {error})")


async def _inspected(source: str, fetcher: Fetcher, house: Path, workers: Workers) -> Inspection:
    if source.lower().startswith(("http:", "https:")):
        answer = await fetcher.fetch(source)
    else:
        files = FileFetcher(house)
        answer = await (
            files.fetch(source) if is_file_address(source) else asyncio.to_thread(files.read, house / source)
        )
    if isinstance(answer, Fetched):
        address = answer.url if answer.url.startswith("http") else ""
        return await workers.run(inspect_document, source, answer.body, answer.content_type, address)
    if isinstance(answer, FetchFailed):
        return Inspection(source, ok=False, error=answer.reason)
    gone = "the publisher says that this feed is finished for good (410)"
    return Inspection(
        source, ok=False, error=gone if isinstance(answer, Gone) else "the server sent no content"
    )


def inspect_document(source: str, body: bytes, content_type: str = "", url: str = "") -> Inspection:
    """Return what the bytes are, whole. Raises FeedUnreadable."""
    name = formats.sniff(body, url)
    note = ""
    document = formats.prepare_document(name, body, content_type)
    pieces = delta.split_items(document) if name == "xml" else None
    if pieces is not None and len(pieces.items) > MAX_ENTRIES:
        note = f"it holds {len(pieces.items)} entries, of which the first {MAX_ENTRIES} are shown"
        document = pieces.with_items(range(MAX_ENTRIES))
    feed = formats.reader_for(name)(document, url)
    entries = tuple(_shown(entry) for entry in feed.entries[:MAX_ENTRIES])
    return Inspection(
        source,
        ok=True,
        error=note or _note(feed),
        format=feed.format,
        title=title_text(feed.title),
        entries=entries,
    )


def _note(feed: ParsedFeed) -> str:
    return "" if feed.entries else "the feed is there, but holds no entries"


def _shown(entry: Entry) -> InspectedEntry:
    text = plain_text(entry.html)
    title = title_text(entry.title)
    return InspectedEntry(
        id=one_line(entry.guid or entry.url or title or text, 2_000),
        title=title,
        url=one_line(entry.url, 2_000),
        published=entry.published_at.isoformat() if entry.published_at else "",
        text=text,
    )
