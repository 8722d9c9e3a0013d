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
from service.gather.entries.language import language_of
from service.gather.entries.markup import MOST_TEXT, one_line, plain_text, shortened, title_text, web_url
from service.gather.entries.match import Shared, Sighting, Verdict, item_of, kept, recognise, shared_names
from service.gather.entries.seen_items import (
    Head,
    Item,
    Known,
    fingerprint,
    head_of,
    item_of_line,
    known_of,
    remembered,
    seconds,
    with_arrivals,
)
from service.gather.entries.teasers import counted, is_cut, is_short, wants_page
from service.gather.formats import registry as formats
from service.gather.formats import rss_atom
from service.gather.formats import split_items as delta
from service.gather.formats.parsed_feed import ParsedFeed

MOST_ENTRIES = 2_000
AHEAD = timedelta(days=1)
PROBES = 20
"""How many items of a feed prove that it may be read plainly."""


@dataclass(frozen=True, slots=True)
class Order:
    """What to examine: the document's origin, the feed it belongs to and what is remembered of it."""

    feed: Feed
    memory: str
    url: str
    content_type: str
    now: datetime
    since: datetime | None


@dataclass(frozen=True, slots=True)
class Draft:
    """An article as its feed gives it. `teaser`: its page is worth a request for the full text."""

    id: str
    url: str
    title: str
    text: str
    language: str
    published_at: datetime | None
    teaser: bool = False


@dataclass(frozen=True, slots=True)
class Examined:
    """What came of it. `note` is a sentence about what is odd, though the feed could be read."""

    memory: str
    new: tuple[Draft, ...] = ()
    changed: tuple[Draft, ...] = ()
    held: int = 0
    note: str = ""


def examine(order: Order, body: bytes) -> Examined:
    """Read the document. Raises FeedUnreadable, with the sentence that a person is told."""
    head = head_of(order.memory)
    known = known_of(order.memory)
    rows, parsed, proof = _rows(order, body, head, known)
    sightings = [_sighting(row, order.now) for row in rows]
    akin = known.sharing({name for s in sightings if s.parsed for name in s.item[1:5]})
    shared = shared_names(sightings, akin)
    verdict = recognise(
        sightings,
        akin,
        shared,
        first=None if head.reads else order.feed.first_items,
        most=head.most,
        since=order.since,
    )
    looks = [is_short(row.text, cut=row.cut) for row in rows if row.entry is not None]
    short, judged = counted(head.short, head.judged, looks)
    head = replace(head, short=short, judged=judged)
    desk = _Desk(order, head, shared, parsed.language if parsed else "")
    new = _once([desk.draft(rows[n], sightings[n]) for n in reversed(verdict.new)])
    changed = _once([desk.draft(rows[n], sightings[n]) for n in verdict.changed])
    head = _told(order, head, verdict, parsed, sightings=sightings, new=len(new))
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
        note = f"{len(verdict.held)} items that look new were held as old: {verdict.why}"
    memory = remembered(head, kept(verdict.found, known.lines))
    return Examined(memory, new, changed, len(verdict.held), note)


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
    known: Item | None = None
    text: str = ""
    title: str = ""
    cut: bool = False


def _rows(
    order: Order, body: bytes, head: Head, known: Known
) -> tuple[list[_Row], ParsedFeed | None, _Proof]:
    """Return the document's items, the feed they were parsed from, and how the next may be read."""
    name = formats.sniff(body, order.url)
    document = formats.document_of(name, body, order.content_type)
    if name != "xml":
        parsed = formats.reader(name)(document, order.url)
        return [_row(_raw_of(entry), entry) for entry in parsed.entries[:MOST_ENTRIES]], parsed, _Proof()
    pieces = delta.split(document)
    if pieces is not None and len(pieces.items) > MOST_ENTRIES:
        # Newest first or newest last: whichever the feed does, its latest are among these.
        half = MOST_ENTRIES // 2
        ends = [*range(half), *range(len(pieces.items) - half, len(pieces.items))]
        document = pieces.only(ends)
        pieces = delta.split(document)
    if pieces is not None and head.splits:
        rows = _only_unseen(pieces, known, order.url, plainly=head.plain)
        if rows is not None:
            return *rows, _Proof(splits=True, plain=head.plain)
    parsed = rss_atom.read(document, order.url)
    entries = parsed.entries[:MOST_ENTRIES]
    if pieces is None or parsed.faulty or not _agree(pieces, parsed, order.url):
        return [_row(_raw_of(entry), entry) for entry in entries], parsed, _Proof()
    raws = [fingerprint(item) for item in pieces.items]
    proof = _Proof(splits=True, plain=_is_plain(pieces, parsed, order.url))
    return [_row(raw, entry) for raw, entry in zip(raws, entries, strict=True)], parsed, proof


def _only_unseen(
    pieces: delta.Split, known: Known, url: str, *, plainly: bool
) -> tuple[list[_Row], ParsedFeed | None] | None:
    """Parse the items whose bytes are new, and no others; None when that does not come out even."""
    seen = known.by_bytes()
    raws = [fingerprint(item) for item in pieces.items]
    unseen = [index for index, raw in enumerate(raws) if raw not in seen]
    parsed = None
    entries: dict[int, Entry] = {}
    if unseen:
        document = pieces.only(set(unseen))
        parsed = rss_atom.read_plain(document, url) if plainly else None
        try:
            parsed = parsed or rss_atom.read(document, url)
        except FeedUnreadable:
            return None
        if parsed.faulty or len(parsed.entries) != len(unseen):
            return None
        entries = dict(zip(unseen, parsed.entries, strict=True))
    rows = [
        _row(raw, entries[n]) if n in entries else _Row(raw, known=item_of_line(seen[raw]))
        for n, raw in enumerate(raws)
    ]
    return rows, parsed


def _agree(pieces: delta.Split, parsed: ParsedFeed, url: str) -> bool:
    """Tell whether splitting gives what the full parse gave, by parsing the first and last item alone."""
    count = len(pieces.items)
    if not count or count != len(parsed.entries):
        return False
    for probe in {0, count - 1}:
        try:
            alone = rss_atom.read(pieces.only({probe}), url)
        except FeedUnreadable:
            return False
        if alone.faulty or alone.entries != (parsed.entries[probe],):
            return False
    return True


def _is_plain(pieces: delta.Split, parsed: ParsedFeed, url: str) -> bool:
    """Tell whether reading plainly gives what the full parse gave, by a sample of the items, each alone."""
    count = len(pieces.items)
    for n in range(0, count, -(-count // PROBES)):
        alone = rss_atom.read_plain(pieces.only({n}), url)
        if alone is not None and alone != replace(parsed, entries=(parsed.entries[n],)):
            return False
    return True


def _raw_of(entry: Entry) -> str:
    """Return what stands for an item's bytes where the document cannot be split."""
    return fingerprint(entry.guid, entry.url, entry.title, entry.html)


def _row(raw: str, entry: Entry) -> _Row:
    text = shortened(plain_text(entry.html), MOST_TEXT)
    return _Row(raw, entry, None, text, title_text(entry.title), is_cut(entry.html))


def _sighting(row: _Row, now: datetime) -> Sighting:
    if row.entry is None:
        return Sighting(row.known or Item(row.raw, "", "", "", ""))
    entry = row.entry
    item = item_of(row.raw, guid=entry.guid, url=entry.url, title=row.title, text=row.text)
    return Sighting(item, _believable(entry.published_at, now), parsed=True)


def _believable(published: datetime | None, now: datetime) -> datetime | None:
    """Return the date unless it lies in the future or before there were feeds."""
    return published if published and published.year >= 1995 and published <= now + AHEAD else None


@dataclass(frozen=True, slots=True)
class _Desk:
    """What drafts are made with. `shared` are the guids and links that do not tell items apart."""

    order: Order
    head: Head
    shared: Shared
    language: str

    def draft(self, row: _Row, sighting: Sighting) -> Draft:
        """Return the article that an item is."""
        feed, item = self.order.feed, sighting.item
        entry = row.entry or Entry("", "", "", "")
        url = web_url(entry.url)
        title = row.title or one_line(row.text, 100)
        guid = entry.guid if item.guid not in self.shared[0] else ""
        page = url if item.link and item.link not in self.shared[1] else ""
        wanted = wants_page(
            feed.full_text, row.text, cut=row.cut, short=self.head.short, judged=self.head.judged
        )
        return Draft(
            id=identity.article_id(feed.id, guid, page, f"{title}\n{item.words}"),
            url=url,
            title=title,
            text=row.text,
            language=feed.language or language_of(f"{title}. {row.text}", self.language),
            published_at=sighting.published_at,
            teaser=bool(wanted and url),
        )


def _once(drafts: Sequence[Draft]) -> tuple[Draft, ...]:
    """Return the drafts that say anything, each article once."""
    return tuple({draft.id: draft for draft in drafts if draft.title or draft.text}.values())


def _told(
    order: Order,
    head: Head,
    verdict: Verdict,
    parsed: ParsedFeed | None,
    *,
    sightings: Sequence[Sighting],
    new: int,
) -> Head:
    """Return the head with this look in its counts."""
    # A feed read for the first time tells its rhythm by the dates of all that it holds.
    arrived = [sightings[n] for n in verdict.new] if head.reads else [s for s in sightings if s.published_at]
    head = with_arrivals(head, [s.published_at or order.now for s in arrived], order.now)
    held = len(verdict.held)
    return replace(
        head,
        reads=head.reads + 1,
        most=max(head.most, new) if head.reads and not held else head.most,
        seen=head.seen + sum(1 for s in sightings if s.parsed and s.old is None),
        new=head.new + new,
        repeats=head.repeats + verdict.repeats,
        faulty=head.faulty + (parsed.faulty if parsed else 0),
        format=parsed.format if parsed else head.format,
        title=title_text(parsed.title)[:100] if parsed else head.title,
        ttl=(parsed.ttl or 0) if parsed else head.ttl,
        held=held or head.held,
        held_at=seconds(order.now) if held else head.held_at,
        held_why=verdict.why if held else head.held_why,
    )
