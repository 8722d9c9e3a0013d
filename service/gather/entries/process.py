"""Process a feed's document: draft articles of its new and edited entries, and update its seen items.

Pure and CPU-heavy: it runs in a worker process, so its input and output are plain data. Where the document
can be split into items (see formats/split_items), only items whose bytes were not seen before are parsed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from service.core.errors import FeedUnreadable
from service.core.model import Entry
from service.gather.cleaning.markup import read_entry
from service.gather.cleaning.titles import title_text
from service.gather.dates.reading import DateHabits
from service.gather.entries.age import age_limit
from service.gather.entries.drafts import ArticleDraft, DocumentContext, DraftBuilder, Row, unique_drafts
from service.gather.entries.match import (
    DocumentItem,
    MatchResult,
    ambiguous_names,
    lines_to_remember,
    match_items,
    seen_item_of,
)
from service.gather.entries.publication import date_habits, plausible_date, with_date_habits
from service.gather.entries.seen_items import (
    FeedStatistics,
    SeenItem,
    SeenItems,
    fingerprint,
    item_from_line,
    seen_items_of,
    serialize,
    statistics_of,
    to_timestamp,
    with_arrivals,
    with_cut,
)
from service.gather.entries.teasers import is_teaser, is_truncated, updated_counts
from service.gather.formats import registry as formats
from service.gather.formats import rss_atom
from service.gather.formats.parsed_feed import NO_ENTRIES, ParsedFeed, plain_as_markup
from service.gather.formats.split_items import SplitDocument, split_items

MAX_ENTRIES = 2_000  # per document; a larger feed is an attack or a bug
NEW_FEED_URL = b":new-feed-url"  # the element by which a feed says that it has moved
SAMPLED_ITEMS = 20  # items read by both XML parsers before the fast one is trusted with a feed


@dataclass(frozen=True, slots=True)
class ProcessedDocument:
    """`held` counts the items stored as old without being sent; `note` says what is unusual, or "".

    `new_url` is the address to which the document says the feed has moved, "" for none.
    """

    seen_items: str
    new: tuple[ArticleDraft, ...] = ()
    edited: tuple[ArticleDraft, ...] = ()
    held: int = 0
    note: str = ""
    new_url: str = ""


def process_document(context: DocumentContext, body: bytes) -> ProcessedDocument:
    """Read the document. Raises FeedUnreadable, with a sentence for people."""
    statistics = statistics_of(context.seen_items)
    seen = seen_items_of(context.seen_items)
    rows, parsed, mode = _rows(context, body, statistics, seen)
    language = context.feed.language or (parsed.language if parsed else "")
    habits = date_habits((row.entry for row in rows if row.entry), statistics, language, context.now)
    statistics = with_date_habits(statistics, habits)
    items = [_document_item(row, habits, context.now) for row in rows]
    related = seen.with_any_name({name for i in items if i.parsed for name in i.item[1:5]})
    ambiguous = ambiguous_names(items, related)
    dates = [item.published_at for item in items if item.published_at]
    matches = match_items(
        items,
        related,
        ambiguous,
        first_items=None if statistics.reads else context.feed.first_entries,
        max_new=statistics.most,
        last_success_at=context.last_success_at,
        age_limit=age_limit(context.feed, dates, context.now, first=not statistics.reads),
    )
    teasers = [is_teaser(row.text, cut=row.cut) for row in rows if row.entry is not None]
    short, judged = updated_counts(statistics.short, statistics.judged, teasers)
    statistics = replace(statistics, short=short, judged=judged)
    statistics = with_cut(statistics, [row.read.cut for row in rows], context.now)
    title = title_text(parsed.title) if parsed else ""
    builder = DraftBuilder(context, statistics, ambiguous, parsed.language if parsed else "", title)
    new = unique_drafts([builder.draft(rows[n], items[n], n) for n in reversed(matches.new)])
    edited = unique_drafts([builder.draft(rows[n], items[n], n) for n in matches.edited])
    statistics = replace(
        _counted(context, statistics, matches, parsed, items=items, new=len(new)),
        body=fingerprint(body),
        entries=len(rows),
        splits=mode.splits,
        plain=mode.plain,
        blank=0 if rows else statistics.blank + 1,
    )
    remembered = serialize(statistics, lines_to_remember(matches.items, seen.lines))
    new_url = parsed.new_url if parsed else ""
    return ProcessedDocument(remembered, new, edited, len(matches.held), _note(rows, matches), new_url)


def _note(rows: Sequence[Row], matches: MatchResult) -> str:
    """Return what is unusual about the document, as a phrase for people, or ""."""
    if matches.held:
        return f"{len(matches.held)} items that look new were held as old: {matches.held_reason}"
    return "" if rows else NO_ENTRIES


@dataclass(frozen=True, slots=True)
class _ParseMode:
    """How the feed's next document may be parsed (see FeedStatistics.splits and .plain)."""

    splits: bool = False
    plain: bool = False


def _rows(
    context: DocumentContext, body: bytes, statistics: FeedStatistics, seen: SeenItems
) -> tuple[list[Row], ParsedFeed | None, _ParseMode]:
    """Return the document's items, the feed that was parsed (None without new items), and the parse mode."""
    name = formats.sniff(body, context.url)
    document = formats.prepare_document(name, body, context.content_type)
    if name != "xml":
        parsed = formats.reader_for(name)(document, context.url)
        return _read_rows(context, parsed, seen), parsed, _ParseMode()
    pieces = split_items(document)
    if pieces is not None and len(pieces.items) > MAX_ENTRIES:
        # The newest items are at one of the ends.
        half = MAX_ENTRIES // 2
        ends = [*range(half), *range(len(pieces.items) - half, len(pieces.items))]
        document = pieces.with_items(ends)
        pieces = split_items(document)
    if pieces is not None and statistics.splits:
        rows = _only_unseen(pieces, seen, context, fast=statistics.plain)
        if rows is not None:
            return *rows, _ParseMode(splits=True, plain=statistics.plain)
    parsed = rss_atom.read(document, context.url)
    if pieces is None or parsed.faulty or not _agree(pieces, parsed, context.url):
        return _read_rows(context, parsed, seen), parsed, _ParseMode()
    raws = [fingerprint(item) for item in pieces.items]
    mode = _ParseMode(splits=True, plain=_is_plain(pieces, parsed, context.url))
    return _read_rows(context, parsed, seen, raws), parsed, mode


def _read_rows(
    context: DocumentContext, parsed: ParsedFeed, seen: SeenItems, raws: Sequence[str] | None = None
) -> list[Row]:
    """Return the rows of a document that was parsed whole. Only items whose bytes are new are cleaned."""
    entries = parsed.entries[:MAX_ENTRIES]
    language = context.feed.language or parsed.language
    lines = seen.lines_by_fingerprint()
    return [
        Row(raw, known=item_from_line(lines[raw])) if raw in lines else _row(raw, entry, language)
        for raw, entry in zip(raws or map(_raw_of, entries), entries, strict=True)
    ]


def _only_unseen(
    pieces: SplitDocument, seen: SeenItems, context: DocumentContext, *, fast: bool
) -> tuple[list[Row], ParsedFeed | None] | None:
    """Parse only the items whose bytes are new; None when the parser finds another number of items."""
    lines = seen.lines_by_fingerprint()
    raws = [fingerprint(item) for item in pieces.items]
    unseen = [index for index, raw in enumerate(raws) if raw not in lines]
    parsed = None
    entries: dict[int, Entry] = {}
    url, language = context.url, context.feed.language or ""
    if unseen or any(NEW_FEED_URL in piece for piece in pieces.frame):
        document = pieces.with_items(set(unseen))
        parsed = rss_atom.read_fast(document, url) if fast else None
        try:
            parsed = parsed or rss_atom.read(document, url)
        except FeedUnreadable:
            return None
        if parsed.faulty or len(parsed.entries) != len(unseen):
            return None
        entries = dict(zip(unseen, parsed.entries, strict=True))
        language = language or parsed.language
    rows = [
        _row(raw, entries[n], language) if n in entries else Row(raw, known=item_from_line(lines[raw]))
        for n, raw in enumerate(raws)
    ]
    return rows, parsed


def _agree(pieces: SplitDocument, parsed: ParsedFeed, url: str) -> bool:
    """Return whether the first and the last item, each parsed alone, equal those of the full parse."""
    count = len(pieces.items)
    if not count or count != len(parsed.entries):
        return False
    for probe in {0, count - 1}:
        try:
            alone = rss_atom.read(pieces.with_items({probe}), url)
        except FeedUnreadable:
            return False
        if alone.faulty or alone.entries != (parsed.entries[probe],):
            return False
    return True


def _is_plain(pieces: SplitDocument, parsed: ParsedFeed, url: str) -> bool:
    """Return whether the fast parser gives the same result as the full parse for a sample of the items."""
    count = len(pieces.items)
    for n in range(0, count, -(-count // SAMPLED_ITEMS)):
        alone = rss_atom.read_fast(pieces.with_items({n}), url)
        if alone is not None and alone != replace(parsed, entries=(parsed.entries[n],)):
            return False
    return True


def _raw_of(entry: Entry) -> str:
    """Return the fingerprint of an item of a document that cannot be split, in place of that of its bytes."""
    # Plain text counts in the form in which it was remembered before entries said that it is plain.
    content = plain_as_markup(entry.html) if entry.is_plain else entry.html
    return fingerprint(entry.guid, entry.url, entry.title, content)


def _row(raw: str, entry: Entry, language: str) -> Row:
    read = read_entry(entry.html, is_plain=entry.is_plain, language=language)
    return Row(raw, entry, None, read, title_text(entry.title), is_truncated(entry.html))


def _document_item(row: Row, habits: DateHabits, now: datetime) -> DocumentItem:
    if row.entry is None:
        return DocumentItem(row.known or SeenItem(row.raw, "", "", "", ""))
    entry = row.entry
    item = seen_item_of(row.raw, guid=entry.guid, url=entry.url, title=row.title, text=row.text)
    published = plausible_date(entry, habits, now)
    return DocumentItem(
        item,
        published.at if published else None,
        day_only=published is not None and published.day_only,
        parsed=True,
    )


def _counted(
    context: DocumentContext,
    statistics: FeedStatistics,
    matches: MatchResult,
    parsed: ParsedFeed | None,
    *,
    items: Sequence[DocumentItem],
    new: int,
) -> FeedStatistics:
    """Return the statistics with this document counted."""
    # At the first read the dates of all entries show how often the feed publishes.
    arrived = [items[n] for n in matches.new] if statistics.reads else [s for s in items if s.published_at]
    statistics = with_arrivals(statistics, [s.published_at or context.now for s in arrived], context.now)
    # An archive is no fault of a new feed, unless all its items are too old.
    held = len(matches.held) if statistics.reads or not matches.new else 0
    return replace(
        statistics,
        reads=statistics.reads + 1,
        most=max(statistics.most, new) if statistics.reads and not held else statistics.most,
        seen=statistics.seen + sum(1 for s in items if s.parsed and s.previous is None),
        new=statistics.new + new,
        repeats=statistics.repeats + matches.repeats,
        faulty=statistics.faulty + (parsed.faulty if parsed else 0),
        format=parsed.format if parsed else statistics.format,
        title=title_text(parsed.title)[:100] if parsed else statistics.title,
        ttl=(parsed.ttl or 0) if parsed else statistics.ttl,
        held=held or statistics.held,
        held_at=to_timestamp(context.now) if held else statistics.held_at,
        held_why=matches.held_reason if held else statistics.held_why,
    )
