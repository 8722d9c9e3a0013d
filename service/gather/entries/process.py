"""Examine: a document and what was known of its feed become drafts of articles and a new memory.

Pure and heavy: it runs in a worker process, so what goes in and comes out is plain data. Only items whose
bytes were never seen are parsed, where the document can be split (see delta).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from service.core import ids as identity
from service.core.errors import FeedUnreadable
from service.core.model import Entry, Feed
from service.gather.entries.language import detect_language
from service.gather.entries.markup import (
    MAX_TEXT_CHARACTERS,
    one_line,
    plain_text,
    safe_web_url,
    shortened,
    title_text,
)
from service.gather.entries.match import (
    AmbiguousNames,
    DocumentItem,
    MatchResult,
    ambiguous_names,
    lines_to_remember,
    match_items,
    seen_item_of,
)
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
)
from service.gather.entries.teasers import is_teaser, is_truncated, needs_full_text, updated_counts
from service.gather.formats import registry as formats
from service.gather.formats import rss_atom
from service.gather.formats import split_items as delta
from service.gather.formats.parsed_feed import ParsedFeed

MAX_ENTRIES = 2_000
MAX_FUTURE = timedelta(days=1)
SAMPLED_ITEMS = 20
"""How many items of a feed prove that it may be read plainly."""


@dataclass(frozen=True, slots=True)
class DocumentContext:
    """What to examine: the document's origin, the feed it belongs to and what is remembered of it."""

    feed: Feed
    seen_items: str
    url: str
    content_type: str
    now: datetime
    last_success_at: datetime | None


@dataclass(frozen=True, slots=True)
class ArticleDraft:
    """An article as its feed gives it. `teaser`: its page is worth a request for the full text."""

    id: str
    url: str
    title: str
    text: str
    language: str
    published_at: datetime | None
    needs_full_text: bool = False


@dataclass(frozen=True, slots=True)
class ProcessedDocument:
    """What came of it. `note` is a sentence about what is odd, though the feed could be read."""

    seen_items: str
    new: tuple[ArticleDraft, ...] = ()
    edited: tuple[ArticleDraft, ...] = ()
    held: int = 0
    note: str = ""


def process_document(context: DocumentContext, body: bytes) -> ProcessedDocument:
    """Read the document. Raises FeedUnreadable, with the sentence that a person is told."""
    head = statistics_of(context.seen_items)
    known = seen_items_of(context.seen_items)
    rows, parsed, proof = _rows(context, body, head, known)
    sightings = [_sighting(row, context.now) for row in rows]
    akin = known.with_any_name({name for s in sightings if s.parsed for name in s.item[1:5]})
    shared = ambiguous_names(sightings, akin)
    verdict = match_items(
        sightings,
        akin,
        shared,
        first_items=None if head.reads else context.feed.first_entries,
        max_new=head.most,
        last_success_at=context.last_success_at,
    )
    looks = [is_teaser(row.text, cut=row.cut) for row in rows if row.entry is not None]
    short, judged = updated_counts(head.short, head.judged, looks)
    head = replace(head, short=short, judged=judged)
    desk = _EntryContext(context, head, shared, parsed.language if parsed else "")
    new = _once([desk.draft(rows[n], sightings[n]) for n in reversed(verdict.new)])
    changed = _once([desk.draft(rows[n], sightings[n]) for n in verdict.edited])
    head = _told(context, head, verdict, parsed, sightings=sightings, new=len(new))
    head = replace(
        head,
        body=fingerprint(body),
        entries=len(rows),
        splits=proof.splits,
        plain=proof.plain,
        blank=0 if rows else head.blank + 1,
    )
    note = "" if rows else "the feed is there, but holds no entries"
    if verdict.held:
        note = f"{len(verdict.held)} items that look new were held as old: {verdict.held_reason}"
    memory = serialize(head, lines_to_remember(verdict.items, known.lines))
    return ProcessedDocument(memory, new, changed, len(verdict.held), note)


@dataclass(frozen=True, slots=True)
class _Proof:
    """What a whole document proved of its feed: how its next ones may be read (see Head)."""

    splits: bool = False
    plain: bool = False


@dataclass(frozen=True, slots=True)
class _Row:
    """One item of the document: its bytes' fingerprint, and what it says unless it was seen before."""

    raw: str
    entry: Entry | None = None
    known: SeenItem | None = None
    text: str = ""
    title: str = ""
    cut: bool = False


def _rows(
    order: DocumentContext, body: bytes, head: FeedStatistics, known: SeenItems
) -> tuple[list[_Row], ParsedFeed | None, _Proof]:
    """Return the document's items, the feed they were parsed from, and how the next may be read."""
    name = formats.sniff(body, order.url)
    document = formats.prepare_document(name, body, order.content_type)
    if name != "xml":
        parsed = formats.reader_for(name)(document, order.url)
        return [_row(_raw_of(entry), entry) for entry in parsed.entries[:MAX_ENTRIES]], parsed, _Proof()
    pieces = delta.split_items(document)
    if pieces is not None and len(pieces.items) > MAX_ENTRIES:
        # Newest first or newest last: whichever the feed does, its latest are among these.
        half = MAX_ENTRIES // 2
        ends = [*range(half), *range(len(pieces.items) - half, len(pieces.items))]
        document = pieces.with_items(ends)
        pieces = delta.split_items(document)
    if pieces is not None and head.splits:
        rows = _only_unseen(pieces, known, order.url, plainly=head.plain)
        if rows is not None:
            return *rows, _Proof(splits=True, plain=head.plain)
    parsed = rss_atom.read(document, order.url)
    entries = parsed.entries[:MAX_ENTRIES]
    if pieces is None or parsed.faulty or not _agree(pieces, parsed, order.url):
        return [_row(_raw_of(entry), entry) for entry in entries], parsed, _Proof()
    raws = [fingerprint(item) for item in pieces.items]
    proof = _Proof(splits=True, plain=_is_plain(pieces, parsed, order.url))
    return [_row(raw, entry) for raw, entry in zip(raws, entries, strict=True)], parsed, proof


def _only_unseen(
    pieces: delta.SplitDocument, known: SeenItems, url: str, *, plainly: bool
) -> tuple[list[_Row], ParsedFeed | None] | None:
    """Parse the items whose bytes are new, and no others; None when that does not come out even."""
    seen = known.lines_by_fingerprint()
    raws = [fingerprint(item) for item in pieces.items]
    unseen = [index for index, raw in enumerate(raws) if raw not in seen]
    parsed = None
    entries: dict[int, Entry] = {}
    if unseen:
        document = pieces.with_items(set(unseen))
        parsed = rss_atom.read_fast(document, url) if plainly else None
        try:
            parsed = parsed or rss_atom.read(document, url)
        except FeedUnreadable:
            return None
        if parsed.faulty or len(parsed.entries) != len(unseen):
            return None
        entries = dict(zip(unseen, parsed.entries, strict=True))
    rows = [
        _row(raw, entries[n]) if n in entries else _Row(raw, known=item_from_line(seen[raw]))
        for n, raw in enumerate(raws)
    ]
    return rows, parsed


def _agree(pieces: delta.SplitDocument, parsed: ParsedFeed, url: str) -> bool:
    """Tell whether splitting gives what the full parse gave, by parsing the first and last item alone."""
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


def _is_plain(pieces: delta.SplitDocument, parsed: ParsedFeed, url: str) -> bool:
    """Tell whether reading plainly gives what the full parse gave, by a sample of the items, each alone."""
    count = len(pieces.items)
    for n in range(0, count, -(-count // SAMPLED_ITEMS)):
        alone = rss_atom.read_fast(pieces.with_items({n}), url)
        if alone is not None and alone != replace(parsed, entries=(parsed.entries[n],)):
            return False
    return True


def _raw_of(entry: Entry) -> str:
    """Return what stands for an item's bytes where the document cannot be split."""
    return fingerprint(entry.guid, entry.url, entry.title, entry.html)


def _row(raw: str, entry: Entry) -> _Row:
    text = shortened(plain_text(entry.html), MAX_TEXT_CHARACTERS)
    return _Row(raw, entry, None, text, title_text(entry.title), is_truncated(entry.html))


def _sighting(row: _Row, now: datetime) -> DocumentItem:
    if row.entry is None:
        return DocumentItem(row.known or SeenItem(row.raw, "", "", "", ""))
    entry = row.entry
    item = seen_item_of(row.raw, guid=entry.guid, url=entry.url, title=row.title, text=row.text)
    return DocumentItem(item, _believable(entry.published_at, now), parsed=True)


def _believable(published: datetime | None, now: datetime) -> datetime | None:
    """Return the date unless it lies in the future or before there were feeds."""
    return published if published and published.year >= 1995 and published <= now + MAX_FUTURE else None


@dataclass(frozen=True, slots=True)
class _EntryContext:
    """What drafts are made with. `shared` are the guids and links that do not tell items apart."""

    order: DocumentContext
    head: FeedStatistics
    shared: AmbiguousNames
    language: str

    def draft(self, row: _Row, sighting: DocumentItem) -> ArticleDraft:
        """Return the article that an item is."""
        feed, item = self.order.feed, sighting.item
        entry = row.entry or Entry("", "", "", "")
        url = safe_web_url(entry.url)
        title = row.title or one_line(row.text, 100)
        guid = entry.guid if item.guid not in self.shared[0] else ""
        page = url if item.link and item.link not in self.shared[1] else ""
        wanted = needs_full_text(
            feed.full_text, row.text, cut=row.cut, short=self.head.short, judged=self.head.judged
        )
        return ArticleDraft(
            id=identity.article_id(feed.id, guid, page, f"{title}\n{item.words}"),
            url=url,
            title=title,
            text=row.text,
            language=feed.language or detect_language(f"{title}. {row.text}", self.language),
            published_at=sighting.published_at,
            needs_full_text=bool(wanted and url),
        )


def _once(drafts: Sequence[ArticleDraft]) -> tuple[ArticleDraft, ...]:
    """Return the drafts that say anything, each article once."""
    return tuple({draft.id: draft for draft in drafts if draft.title or draft.text}.values())


def _told(
    order: DocumentContext,
    head: FeedStatistics,
    verdict: MatchResult,
    parsed: ParsedFeed | None,
    *,
    sightings: Sequence[DocumentItem],
    new: int,
) -> FeedStatistics:
    """Return the head with this look in its counts."""
    # A feed read for the first time tells its rhythm by the dates of all that it holds.
    arrived = [sightings[n] for n in verdict.new] if head.reads else [s for s in sightings if s.published_at]
    head = with_arrivals(head, [s.published_at or order.now for s in arrived], order.now)
    held = len(verdict.held)
    return replace(
        head,
        reads=head.reads + 1,
        most=max(head.most, new) if head.reads and not held else head.most,
        seen=head.seen + sum(1 for s in sightings if s.parsed and s.previous is None),
        new=head.new + new,
        repeats=head.repeats + verdict.repeats,
        faulty=head.faulty + (parsed.faulty if parsed else 0),
        format=parsed.format if parsed else head.format,
        title=title_text(parsed.title)[:100] if parsed else head.title,
        ttl=(parsed.ttl or 0) if parsed else head.ttl,
        held=held or head.held,
        held_at=to_timestamp(order.now) if held else head.held_at,
        held_why=verdict.held_reason if held else head.held_why,
    )
