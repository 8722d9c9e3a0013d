"""Arrivals: people who come in a file, thousands at a time, each row by itself.

read     row by row, CSV or JSON Lines; a row that cannot be taken over is named by its line
place    address, zone, newsletters and schedule become placements; who came before in the file is refused
add      some thousands in one transaction; a person's own choice wins, the roster's people stay
"""

from __future__ import annotations

import sqlite3
import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO

from service.core import ids as identity
from service.core.errors import UnknownName, UsageError
from service.core.model import DesiredSubscription, Edition, Newsletter, Preferences, Subscriber
from service.core.progress import Progress, no_progress
from service.core.validators import read_email, read_timezone
from service.subscribers.import_formats import ImportRow, RefusedRow, read_rows
from service.subscribers.ports import SubscriberStore
from service.subscribers.preferences import PlacementBuilder

MAX_TRANSACTION_ROWS = 5_000
MAX_NAME_CHARACTERS = 200
MAX_CACHED_PLACEMENTS = 10_000

PlacementParts = tuple[str, Preferences, Edition, str, datetime]
"""Where a row puts somebody, whoever they are: a Placement without its subscriber."""


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What came of an import. `people` counts good rows; `added`, `changed`, `kept` count subscriptions.

    In a dry run nothing is stored, and `known` says how many of the people are known already.
    """

    people: int = 0
    refused: int = 0
    known: int = 0
    added: int = 0
    changed: int = 0
    kept: int = 0


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """How to take people over. `usual` are the newsletters (ids) for rows that name none.

    A new reader is told what was gathered after `starts_after`.
    """

    newsletters: Mapping[str, Newsletter]
    starts_after: datetime
    default_newsletters: Sequence[str] = ()
    dry_run: bool = False


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
    """Take over the people in `source`, an open file called `name`; safe to repeat after an interruption.

    `refused` is told of every row that is not taken over, `noted` of what was guessed about the file;
    `progress` counts bytes. Raises UsageError for a file that is no table or has no column for the address,
    or a usual newsletter that does not exist.
    """
    desk, total, counts = _RowReader(options, now), _size(source), Counter[str]()
    waiting: list[DesiredSubscription] = []
    for row in read_rows(source, name, on_note):
        found = desk.judge(row)
        if isinstance(found, RefusedRow):
            on_refusal(found)
            counts["refused"] += 1
            continue
        counts["people"] += 1
        waiting += found
        if len(waiting) >= MAX_TRANSACTION_ROWS:
            counts += await _stored(store, waiting, options, now)
            waiting = []
            progress(f"{counts['people']:,} people", source.tell() if total else 0, total)
    if waiting:
        counts += await _stored(store, waiting, options, now)
    progress(f"{counts['people']:,} people", total, total)
    return ImportResult(**counts)


async def _stored(
    store: SubscriberStore, placements: list[DesiredSubscription], terms: ImportOptions, now: datetime
) -> Counter[str]:
    if terms.dry_run:
        known = await store.known_subscribers({placement.subscriber.id for placement in placements})
        return Counter(known=len(known))
    applied = await store.add_subscriptions(placements, now, starts_after=terms.starts_after)
    return Counter(added=applied.added, changed=applied.changed, kept=applied.kept)


class _RowReader:
    """Judges rows one after another. What rows share (zone, newsletters, schedule) is worked out once."""

    def __init__(self, terms: ImportOptions, now: datetime) -> None:
        self._newsletters, self._placer = terms.newsletters, PlacementBuilder(now)
        self._usual = " ".join(terms.default_newsletters)
        self._seen = SeenLines()
        self._kinds: dict[tuple[str, str, str], tuple[PlacementParts, ...] | str] = {}
        for name in terms.default_newsletters:
            self._newsletter(name)

    def judge(self, row: ImportRow | RefusedRow) -> list[DesiredSubscription] | RefusedRow:
        """Return where the row puts its person, or why it is not taken over."""
        if isinstance(row, RefusedRow):
            return row
        try:
            email = read_email(row.email)
            name = _read_name(row.name)
        except UsageError as error:
            return RefusedRow(row.line, str(error))
        kind = (row.newsletters or self._usual, row.schedule, row.timezone)
        standings = self._kinds.get(kind) or self._worked_out(kind)
        if isinstance(standings, str):
            return RefusedRow(row.line, standings)
        key = identity.subscriber_id(email)
        earlier = self._seen.earlier(int(key[:16], 16), row.line)
        if earlier is not None:
            return RefusedRow(row.line, f"{email} stands in line {earlier} already")
        person = Subscriber(key, email, name, kind[2] or None)
        return [DesiredSubscription(person, *standing) for standing in standings]

    def _worked_out(self, kind: tuple[str, str, str]) -> tuple[PlacementParts, ...] | str:
        if len(self._kinds) >= MAX_CACHED_PLACEMENTS:
            self._kinds.clear()
        try:
            self._kinds[kind] = self._standings(*kind)
        except UsageError as error:
            self._kinds[kind] = str(error)
        return self._kinds[kind]

    def _standings(self, named: str, schedule: str, timezone: str) -> tuple[PlacementParts, ...]:
        ids = dict.fromkeys(named.replace(",", " ").replace(";", " ").split())
        if not ids:
            raise UsageError(f"no newsletter is named; write one of {', '.join(self._newsletters)}")
        zone = read_timezone(timezone) if timezone else None
        wishes, nobody = Preferences(schedule=schedule or None), Subscriber("", "", timezone=zone)
        placed = (self._placer.build(nobody, self._newsletter(name), wishes) for name in ids)
        return tuple((p.newsletter, p.preferences, p.edition, p.edition_key, p.next_due_at) for p in placed)

    def _newsletter(self, name: str) -> Newsletter:
        found = self._newsletters.get(name)
        if found is None:
            raise UnknownName("newsletter", name[:64], self._newsletters)
        return found


class SeenLines:
    """The line in which each subscriber was seen first, for millions of them.

    A table of SQLite in memory takes 20 bytes for each; a dict takes 120.
    """

    def __init__(self) -> None:
        self._database = sqlite3.connect(":memory:", isolation_level=None)
        self._database.execute("BEGIN")  # never committed: one transaction for each row takes twice the time
        self._database.execute("CREATE TABLE seen (key INTEGER PRIMARY KEY, line INTEGER)")

    def earlier(self, key: int, line: int) -> int | None:
        """Return the line in which the key (64 bits) was seen before, or None the first time."""
        signed = key - (1 << 63)
        try:
            self._database.execute("INSERT INTO seen VALUES (?, ?)", (signed, line))
        except sqlite3.IntegrityError:
            found = self._database.execute("SELECT line FROM seen WHERE key = ?", (signed,))
            return int(found.fetchone()[0])
        return None


def _read_name(text: str) -> str:
    """Return the name on one line. Raises UsageError for one that is none."""
    if not text.isprintable():
        if any("\ud800" <= char <= "\udfff" for char in text):
            raise UsageError("the name is not UTF-8")
        text = "".join(" " if unicodedata.category(char)[0] in "CZ" else char for char in text)
    name = " ".join(text.split())
    if len(name) > MAX_NAME_CHARACTERS:
        raise UsageError(f"the name has {len(name)} characters; at most {MAX_NAME_CHARACTERS} can be")
    return name


def _size(source: BinaryIO) -> int:
    """Return how many bytes there are, 0 when nobody can tell (a pipe)."""
    if not source.seekable():
        return 0
    here = source.tell()
    end = source.seek(0, 2)
    source.seek(here)
    return end
