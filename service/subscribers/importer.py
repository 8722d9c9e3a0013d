"""Import of subscribers from a file: each row is valid or refused by itself.

read     CSV or JSON Lines, row by row
check    address, time zone, newsletters and schedule; an address that occurred before is refused
add      thousands of subscriptions per transaction; a subscriber's own choice wins over the file
"""

from __future__ import annotations

import asyncio
import re
import sqlite3
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import BinaryIO

from service.core import ids as identity
from service.core.errors import UnknownName, UsageError
from service.core.model import DesiredSubscription, Edition, Newsletter, Preferences, Subscriber
from service.core.progress import Progress, no_progress
from service.core.validators import read_email, read_timezone
from service.subscribers.import_formats import NOTHING, ImportRow, RefusedRow, read_rows
from service.subscribers.ports import SubscriberStore
from service.subscribers.preferences import PlacementBuilder
from service.subscribers.preferences_json import read_preferences

MAX_TRANSACTION_ROWS = 5_000
MAX_NAME_CHARACTERS = 200
MAX_CACHED_PLACEMENTS = 10_000  # combinations of newsletters, time zone and preferences
_BETWEEN_TAGS, _BETWEEN_PHRASES = re.compile(r"[\s,;]+"), re.compile("[,;]")

PlacementParts = tuple[str, Preferences, Edition, str, datetime]
"""The fields of a DesiredSubscription without its subscriber."""


@dataclass(frozen=True, slots=True)
class ImportResult:
    """The result of an import. `people` counts valid rows; `added`, `changed`, `kept` count subscriptions.

    A dry run stores nothing and counts in `known` the people who are stored already: `more` are subscriptions
    that they do not have yet, `of_file` those of them who are in subscribers.yaml, which takes precedence.
    """

    people: int = 0
    refused: int = 0
    known: int = 0
    more: int = 0
    of_file: int = 0
    added: int = 0
    changed: int = 0
    kept: int = 0


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """Options of an import. `default_newsletters` (ids) are for rows that name none.

    The first issue of a new subscription has the articles gathered after `starts_after`. A transaction
    has about `transaction_rows` subscriptions.
    """

    newsletters: Mapping[str, Newsletter]
    starts_after: datetime
    default_newsletters: Sequence[str] = ()
    dry_run: bool = False
    transaction_rows: int = MAX_TRANSACTION_ROWS


async def import_subscribers(
    store: SubscriberStore,
    source: BinaryIO,
    name: str,
    options: ImportOptions,
    now: datetime,
    *,
    on_refusal: Callable[[RefusedRow], None] = lambda _refusal: None,
    on_note: Callable[[str], None] = lambda _note: None,
    progress: Progress = no_progress,
) -> ImportResult:
    """Import the people in `source`, an open file called `name`; safe to repeat after an interruption.

    `on_refusal` gets each row that is not imported, `on_note` a sentence when the encoding is a guess;
    `progress` counts bytes. Raises UsageError for a file that is not a table or has no column for the
    address, and for an unknown default newsletter.
    """
    reader, total, counts = _RowReader(options, now), _size(source), Counter[str]()
    rows = read_rows(source, name, on_note)

    async def next_batch() -> _Batch:
        # On a thread, so that the event loop stays free for other requests of the service.
        read = await asyncio.to_thread(_read_batch, rows, reader, options.transaction_rows)
        read.end = source.tell() if total else 0
        return read

    batch = await next_batch()
    while True:
        for refused in batch.refused:
            on_refusal(refused)
        counts += Counter(people=batch.people, refused=len(batch.refused))
        if batch.is_last:
            counts += await _stored(store, batch.placements, options, now)
            break
        # The next rows are read while the database stores these.
        reading = asyncio.create_task(next_batch())
        try:
            counts += await _stored(store, batch.placements, options, now)
        finally:
            await asyncio.wait([reading])  # the caller closes the file
        progress(f"{counts['people']:,} people", batch.end, total)
        batch = reading.result()
    progress(f"{counts['people']:,} people", total, total)
    return ImportResult(**counts)


@dataclass
class _Batch:
    """Rows that were read at once. `end`: their last byte in the file; `is_last`: it has no more rows."""

    placements: list[DesiredSubscription] = field(default_factory=list)
    refused: list[RefusedRow] = field(default_factory=list)
    people: int = 0
    end: int = 0
    is_last: bool = False


def _read_batch(rows: Iterator[ImportRow | RefusedRow], reader: _RowReader, most: int) -> _Batch:
    batch = _Batch()
    for row in rows:
        found = reader.read(row)
        if isinstance(found, RefusedRow):
            batch.refused.append(found)
        else:
            batch.people += 1
            batch.placements += found
        if len(batch.placements) >= most or len(batch.refused) >= most:
            return batch
    batch.is_last = True
    return batch


async def _stored(
    store: SubscriberStore, placements: list[DesiredSubscription], options: ImportOptions, now: datetime
) -> Counter[str]:
    if not placements:
        return Counter()
    if options.dry_run:
        known = await store.known_subscribers({placement.subscriber.id for placement in placements})
        have = await store.memberships_of(known) if known else ()
        places = {(one.subscriber.id, one.subscription.newsletter) for one in have}
        named = {(p.subscriber.id, p.newsletter) for p in placements if p.subscriber.id in known}
        of_file = {one.subscriber.id for one in have if one.declared}
        return Counter(known=len(known), more=len(named - places), of_file=len(of_file))
    applied = await store.add_subscriptions(placements, now, starts_after=options.starts_after)
    return Counter(added=applied.added, changed=applied.changed, kept=applied.kept)


class _RowReader:
    """Turns rows into subscriptions. Rows that differ in the person alone share the work."""

    def __init__(self, options: ImportOptions, now: datetime) -> None:
        self._newsletters, self._builder = options.newsletters, PlacementBuilder(now)
        self._default = " ".join(options.default_newsletters)
        self._seen = SeenLines()
        self._cache: dict[tuple[str, ...], tuple[PlacementParts, ...] | str] = {}
        for name in options.default_newsletters:
            self._newsletter(name)

    def read(self, row: ImportRow | RefusedRow) -> list[DesiredSubscription] | RefusedRow:
        """Return the subscriptions of the row, or the reason why it is not imported."""
        if isinstance(row, RefusedRow):
            return row
        try:
            email = read_email(row.email)
            name = _read_name(row.name)
        except UsageError as error:
            return RefusedRow(row.line, str(error))
        parts = self._cache.get(row.choice) or self._cached(row)
        if isinstance(parts, str):
            return RefusedRow(row.line, parts)
        key = identity.subscriber_id(email)
        earlier = self._seen.earlier(int(key[:16], 16), row.line)
        if earlier is not None:
            return RefusedRow(row.line, f"{email} is already in line {earlier}")
        person = Subscriber(key, email, name, row.timezone or None)
        return [DesiredSubscription(person, *part) for part in parts]

    def _cached(self, row: ImportRow) -> tuple[PlacementParts, ...] | str:
        """Return the parts for what the row chooses, or the reason for a refusal."""
        if len(self._cache) >= MAX_CACHED_PLACEMENTS:
            self._cache.clear()
        parts: tuple[PlacementParts, ...] | str
        try:
            parts = self._parts(row._replace(newsletters=row.newsletters or self._default))
        except UsageError as error:
            parts = str(error)
        self._cache[row.choice] = parts
        return parts

    def _parts(self, choice: ImportRow) -> tuple[PlacementParts, ...]:
        ids = dict.fromkeys(choice.newsletters.replace(",", " ").replace(";", " ").split())
        if not ids:
            raise UsageError(f"the row names no newsletter; name one of {', '.join(self._newsletters)}")
        zone = read_timezone(choice.timezone) if choice.timezone else None
        shared, unknown = _preferences(choice), Subscriber("", "", timezone=zone)
        own = read_preferences(choice.preferences_by_newsletter) if choice.preferences_by_newsletter else {}
        placed = (self._builder.build(unknown, self._newsletter(name), own.get(name, shared)) for name in ids)
        return tuple((p.newsletter, p.preferences, p.edition, p.edition_key, p.next_due_at) for p in placed)

    def _newsletter(self, name: str) -> Newsletter:
        found = self._newsletters.get(name)
        if found is None:
            raise UnknownName("newsletter", name[:64], self._newsletters)
        return found


class SeenLines:
    """The first line of each subscriber, for millions of them.

    A table of SQLite in memory takes 20 bytes per subscriber; a dict takes 120.
    """

    def __init__(self) -> None:
        # One thread after another reads the file.
        self._database = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        self._database.execute("BEGIN")  # never committed: one transaction for each row takes twice the time
        self._database.execute("CREATE TABLE seen (key INTEGER PRIMARY KEY, line INTEGER)")

    def earlier(self, key: int, line: int) -> int | None:
        """Return the line in which the key (64 bits) was seen first; None if this is the first time."""
        signed = key - (1 << 63)
        try:
            self._database.execute("INSERT INTO seen VALUES (?, ?)", (signed, line))
        except sqlite3.IntegrityError:
            found = self._database.execute("SELECT line FROM seen WHERE key = ?", (signed,))
            return int(found.fetchone()[0])
        return None


def _preferences(row: ImportRow) -> Preferences:
    """Return the preferences of a row. Raises UsageError for minutes that are no number."""
    if row.minutes and not (row.minutes.isascii() and row.minutes.isdecimal() and len(row.minutes) < 5):
        raise UsageError(f"{row.minutes[:40]!r} is no number of minutes")
    return Preferences(
        schedule=row.schedule or None,
        languages=_list(row.languages, _BETWEEN_TAGS),
        follow=_list(row.follow, _BETWEEN_PHRASES),
        mute=_list(row.mute, _BETWEEN_PHRASES),
        minutes=int(row.minutes) if row.minutes else None,
    )


def _list(cell: str, between: re.Pattern[str]) -> tuple[str, ...] | None:
    """Return the values of a cell, None for an empty one."""
    if not cell or cell == NOTHING:
        return () if cell else None
    return tuple(filter(None, map(str.strip, between.split(cell))))


def _read_name(text: str) -> str:
    """Return the name on one line. Raises UsageError if it is too long or not UTF-8."""
    if not text.isprintable():
        if any("\ud800" <= char <= "\udfff" for char in text):
            raise UsageError("the name is not UTF-8")
        text = "".join(" " if unicodedata.category(char)[0] in "CZ" else char for char in text)
    name = " ".join(text.split())
    if len(name) > MAX_NAME_CHARACTERS:
        raise UsageError(f"the name has {len(name)} characters; at most {MAX_NAME_CHARACTERS} are allowed")
    return name


def _size(source: BinaryIO) -> int:
    """Return the size in bytes, 0 for a pipe, whose size is unknown."""
    if not source.seekable():
        return 0
    here = source.tell()
    end = source.seek(0, 2)
    source.seek(here)
    return end
