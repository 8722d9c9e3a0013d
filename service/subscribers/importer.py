"""Arrivals: people who come in a file, thousands at a time, each row by itself.

read     row by row, CSV or JSON Lines; a row that cannot be taken over is named by its line
place    address, zone, newsletters and schedule become placements; who came before in the file is refused
add      some thousands in one transaction; a person's own choice wins, the roster's people stay
"""

from __future__ import annotations

import unicodedata
from array import array
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO

from service.core import ids as identity
from service.core.errors import UnknownName, UsageError
from service.core.model import Edition, Newsletter, Placement, Subscriber, Wishes
from service.core.progress import Progress, silent
from service.subscribers.addresses import read_address
from service.subscribers.import_formats import Refusal, Row, read_rows
from service.subscribers.ports import PeopleStore
from service.subscribers.preferences import Placer, read_timezone

CHUNK = 5_000
LONGEST_NAME = 200
MOST_KINDS = 10_000

Standing = tuple[str, Wishes, Edition, str, datetime]
"""Where a row puts somebody, whoever they are: a Placement without its subscriber."""


@dataclass(frozen=True, slots=True)
class Arrived:
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
class Terms:
    """How to take people over. `usual` are the newsletters (ids) for rows that name none.

    A new reader is told what was gathered after `starts_after`.
    """

    newsletters: Mapping[str, Newsletter]
    starts_after: datetime
    usual: Sequence[str] = ()
    dry_run: bool = False


async def import_people(
    store: PeopleStore,
    source: BinaryIO,
    name: str,
    terms: Terms,
    now: datetime,
    *,
    refused: Callable[[Refusal], None] = lambda _refusal: None,
    noted: Callable[[str], None] = lambda _note: None,
    progress: Progress = silent,
) -> Arrived:
    """Take over the people in `source`, an open file called `name`; safe to repeat after an interruption.

    `refused` is told of every row that is not taken over, `noted` of what was guessed about the file;
    `progress` counts bytes. Raises UsageError for a file that is no table or has no column for the address,
    or a usual newsletter that does not exist.
    """
    desk, total, counts = _Desk(terms, now), _size(source), Counter[str]()
    waiting: list[Placement] = []
    for row in read_rows(source, name, noted):
        found = desk.judge(row)
        if isinstance(found, Refusal):
            refused(found)
            counts["refused"] += 1
            continue
        counts["people"] += 1
        waiting += found
        if len(waiting) >= CHUNK:
            counts += await _stored(store, waiting, terms, now)
            waiting = []
            progress(f"{counts['people']:,} people", source.tell() if total else 0, total)
    if waiting:
        counts += await _stored(store, waiting, terms, now)
    progress(f"{counts['people']:,} people", total, total)
    return Arrived(**counts)


async def _stored(
    store: PeopleStore, placements: list[Placement], terms: Terms, now: datetime
) -> Counter[str]:
    if terms.dry_run:
        known = await store.known_subscribers({placement.subscriber.id for placement in placements})
        return Counter(known=len(known))
    applied = await store.add_placements(placements, now, starts_after=terms.starts_after)
    return Counter(added=applied.added, changed=applied.changed, kept=applied.kept)


class _Desk:
    """Judges rows one after another. What rows share (zone, newsletters, schedule) is worked out once."""

    def __init__(self, terms: Terms, now: datetime) -> None:
        self._newsletters, self._placer = terms.newsletters, Placer(now)
        self._usual = " ".join(terms.usual)
        self._seen = Seen()
        self._kinds: dict[tuple[str, str, str], tuple[Standing, ...] | str] = {}
        for name in terms.usual:
            self._newsletter(name)

    def judge(self, row: Row | Refusal) -> list[Placement] | Refusal:
        """Return where the row puts its person, or why it is not taken over."""
        if isinstance(row, Refusal):
            return row
        try:
            email = read_address(row.email)
            name = _read_name(row.name)
        except UsageError as error:
            return Refusal(row.line, str(error))
        kind = (row.newsletters or self._usual, row.schedule, row.timezone)
        standings = self._kinds.get(kind) or self._worked_out(kind)
        if isinstance(standings, str):
            return Refusal(row.line, standings)
        key = identity.subscriber_id(email)
        earlier = self._seen.earlier(int(key[:16], 16), row.line)
        if earlier is not None:
            return Refusal(row.line, f"{email} stands in line {earlier} already")
        person = Subscriber(key, email, name, kind[2] or None)
        return [Placement(person, *standing) for standing in standings]

    def _worked_out(self, kind: tuple[str, str, str]) -> tuple[Standing, ...] | str:
        if len(self._kinds) >= MOST_KINDS:
            self._kinds.clear()
        try:
            self._kinds[kind] = self._standings(*kind)
        except UsageError as error:
            self._kinds[kind] = str(error)
        return self._kinds[kind]

    def _standings(self, named: str, schedule: str, timezone: str) -> tuple[Standing, ...]:
        ids = dict.fromkeys(named.replace(",", " ").replace(";", " ").split())
        if not ids:
            raise UsageError(f"no newsletter is named; write one of {', '.join(self._newsletters)}")
        zone = read_timezone(timezone) if timezone else None
        wishes, nobody = Wishes(schedule=schedule or None), Subscriber("", "", timezone=zone)
        placed = (self._placer.place(nobody, self._newsletter(name), wishes) for name in ids)
        return tuple((p.newsletter, p.wishes, p.edition, p.edition_key, p.next_due_at) for p in placed)

    def _newsletter(self, name: str) -> Newsletter:
        found = self._newsletters.get(name)
        if found is None:
            raise UnknownName("newsletter", name[:64], self._newsletters)
        return found


class Seen:
    """Remembers in which line each of millions of people stood, in 20 bytes each.

    An open hash table in two arrays: a set of Python's own numbers would take five times as much.
    """

    def __init__(self) -> None:
        self._count = 0
        self._make(1 << 12)

    def earlier(self, key: int, line: int) -> int | None:
        """Return the line in which the key (64 bits) was seen before, or None the first time."""
        key = key or 1  # nothing stands for an empty place
        place = self._place(key)
        if self._keys[place] == key:
            return self._lines[place]
        self._keys[place], self._lines[place] = key, line
        self._count += 1
        if self._count * 3 > len(self._keys) * 2:
            self._grow()
        return None

    def _place(self, key: int) -> int:
        """Return where the key stands, or the empty place where it belongs."""
        keys, mask = self._keys, len(self._keys) - 1
        place = key & mask
        while keys[place] not in (0, key):
            place = (place + 1) & mask
        return place

    def _make(self, size: int) -> None:
        self._keys, self._lines = array("Q", bytes(8 * size)), array("L", bytes(8 * size))

    def _grow(self) -> None:
        keys, lines = self._keys, self._lines
        self._make(2 * len(keys))
        for key, line in zip(keys, lines, strict=True):
            if key:
                place = self._place(key)
                self._keys[place], self._lines[place] = key, line


def _read_name(text: str) -> str:
    """Return the name on one line. Raises UsageError for one that is none."""
    if not text.isprintable():
        if any("\ud800" <= char <= "\udfff" for char in text):
            raise UsageError("the name is not UTF-8")
        text = "".join(" " if unicodedata.category(char)[0] in "CZ" else char for char in text)
    name = " ".join(text.split())
    if len(name) > LONGEST_NAME:
        raise UsageError(f"the name has {len(name)} characters; at most {LONGEST_NAME} can be")
    return name


def _size(source: BinaryIO) -> int:
    """Return how many bytes there are, 0 when nobody can tell (a pipe)."""
    if not source.seekable():
        return 0
    here = source.tell()
    end = source.seek(0, 2)
    source.seek(here)
    return end
