"""Cache of the validated subscribers.yaml: reading 10,000 people takes seconds, reading the cache much less.

A cache file is used only for the very same bytes of subscribers.yaml, the same version of Caveat and the same
names that the subscribers were checked against; else the file is read again. It has a checksum, is readable
for its owner only, and has no address on a personal channel, which is a secret: these subscribers are read
again from their lines of the file.

The first line says what the cache was made from, the second has what concerns all subscribers, and each other
line is the JSON of a subscriber, which starts with the id. So one of 100,000 is found by a search for bytes.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any, overload

from typing_extensions import override

from service.core import ids as identity
from service.core.errors import CaveatError, Fault
from service.core.model import PREFERENCE_FIELDS, IndexedEntries, Preferences, RosterEntry, Subscriber
from service.settings.yaml.document import YamlDocument, read_yaml

MIN_BYTES = 64 * 1024  # of subscribers.yaml; a smaller file is read in less than half a second
MAX_BYTES = 256 * 1024 * 1024  # of a cache file
FORM = "caveat-subscribers-2"
"""First word of a cache file; another form gets another number."""

FILE = "subscribers.yaml"
FOLDER_MODE = 0o700

NUMBERS = frozenset({"stories", "points", "minutes"})  # preferences that are whole numbers
LISTS = frozenset({"topics", "languages", "follow", "mute"})  # preferences that are lists of texts

MALFORMED = (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError)
UNREADABLE = (
    "the cache of subscribers.yaml was not written by Caveat; delete the file subscribers-*.cache in the "
    "folder of the database, or in ~/.cache/caveat"
)

ReadItem = Callable[[object], RosterEntry]
"""Returns the valid subscriber of one item of the list. Raises ValueError."""


@dataclass(frozen=True, slots=True)
class ReadSubscribers:
    """The valid subscribers of the file, the ids of the skipped ones, and the warnings about them."""

    entries: Sequence[RosterEntry]
    skipped: tuple[str, ...]
    warnings: tuple[Fault, ...]


def cache_folder(sqlite_file: Path | None, environ: Mapping[str, str]) -> Path | None:
    """Return the folder for cache files: that of the database, else the user's; None if there is none."""
    if sqlite_file is not None:
        return sqlite_file.parent if sqlite_file.parent.is_dir() else None
    home = environ.get("HOME")
    own = environ.get("CACHE_DIRECTORY") or environ.get("XDG_CACHE_HOME") or (home and f"{home}/.cache")
    if not own:
        return None
    folder = Path(own) / "caveat"
    try:
        folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    except OSError:
        return None
    return folder


class SubscriberCache:
    """The cache of one subscribers.yaml, whose content is `data`. `folder` None: nothing is cached."""

    def __init__(self, folder: Path | None, config: Path, data: bytes) -> None:
        self._data = data
        name = hashlib.sha256(os.fsencode(config)).hexdigest()[:16]
        is_large = folder is not None and len(data) >= MIN_BYTES
        self._path = folder / f"subscribers-{name}.cache" if folder and is_large else None

    def get(self, conditions: Sequence[object], read_item: ReadItem) -> ReadSubscribers | None:
        """Return the subscribers as they were read under these conditions (plain values); None if unknown."""
        if self._path is None or (content := _private_content(self._path)) is None:
            return None
        head, _, body = content.partition(b"\n")
        if head.decode("ascii", "replace") != self._head(conditions, body):
            return None
        try:
            return self._unpacked(body, read_item)
        except MALFORMED:
            return None

    def put(self, conditions: Sequence[object], found: ReadSubscribers, document: YamlDocument) -> None:
        """Store the subscribers of the document; a folder that cannot be written to is no error."""
        if self._path is None:
            return
        people = _packed(found.entries, document)
        if people is None:
            return
        values = {
            "people": len(people),
            "on_channels": [number for number, entry in enumerate(found.entries) if entry.subscriber.channel],
            "skipped": found.skipped,
            "warnings": [[one.line, one.column, one.message, one.expected] for one in found.warnings],
        }
        body = b"\n".join(json.dumps(one, separators=(",", ":")).encode() for one in (values, *people))
        with suppress(OSError):
            descriptor, temporary = tempfile.mkstemp(dir=self._path.parent, prefix=f".{self._path.name}.")
            try:
                with os.fdopen(descriptor, "wb") as file:  # mkstemp makes it private
                    file.write(self._head(conditions, body).encode() + b"\n" + body)
                Path(temporary).replace(self._path)
            except OSError:
                Path(temporary).unlink(missing_ok=True)
                raise

    def _head(self, conditions: Sequence[object], body: bytes) -> str:
        """Return the first line of a cache file: what it was made from, and the checksum of the rest."""
        made_from = hashlib.sha256(json.dumps([version("caveat"), list(conditions)]).encode())
        made_from.update(hashlib.sha256(self._data).digest())
        return f"{FORM} {made_from.hexdigest()} {hashlib.sha256(body).hexdigest()}"

    def _unpacked(self, body: bytes, read_item: ReadItem) -> ReadSubscribers:
        values = json.loads(body.partition(b"\n")[0])
        entries = CachedEntries(body, values["people"], self._on_channels(body, values, read_item))
        warnings = tuple(
            Fault(FILE, line, column, what, why) for line, column, what, why in values["warnings"]
        )
        return ReadSubscribers(entries, tuple(map(_text, values["skipped"])), warnings)

    def _on_channels(
        self, body: bytes, values: Mapping[str, Any], read_item: ReadItem
    ) -> dict[int, RosterEntry]:
        """Return the subscribers with a personal channel, by their number, read again from the file."""
        if not values["on_channels"]:
            return {}
        lines, packed = self._data.decode("utf-8-sig").splitlines(keepends=True), body.split(b"\n")[1:]
        return {
            number: _read_again(lines, json.loads(packed[number])[1], read_item)
            for number in values["on_channels"]
        }


class CachedEntries(IndexedEntries):
    """The subscribers of a cache file, whose content after the first line is `body`.

    `on_channels` are those that are not in the cache, by number. The others are decoded together when more
    than one of them is needed.
    """

    def __init__(self, body: bytes, count: int, on_channels: Mapping[int, RosterEntry]) -> None:
        self._body, self._count, self._on_channels = body, count, on_channels

    @override
    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> RosterEntry: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[RosterEntry, ...]: ...

    @override
    def __getitem__(self, index: int | slice) -> RosterEntry | tuple[RosterEntry, ...]:
        return self._all[index]

    @override
    def __iter__(self) -> Iterator[RosterEntry]:
        return iter(self._all)

    @override
    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and self._all == tuple(other)

    @override
    def __hash__(self) -> int:
        return hash(self._body)

    @override
    def with_id(self, subscriber_id: str) -> RosterEntry | None:
        found = next((one for one in self.on_channels() if one.subscriber.id == subscriber_id), None)
        start = self._body.find(b"\n[" + json.dumps(subscriber_id).encode() + b",")
        if found or start < 0:
            return found
        end = self._body.find(b"\n", start + 1)
        with _readable():
            return _entry(json.loads(self._body[start : end if end >= 0 else None]))

    @override
    def on_channels(self) -> Sequence[RosterEntry]:
        return tuple(self._on_channels.values())

    @cached_property
    def _all(self) -> tuple[RosterEntry, ...]:
        with _readable():
            people = json.loads(b"[" + self._body.partition(b"\n")[2].replace(b"\n", b",") + b"]")
            return tuple(self._on_channels.get(number) or _entry(one) for number, one in enumerate(people))


@contextmanager
def _readable() -> Iterator[None]:
    """Raise a CaveatError for content that fits its checksum, and that no Caveat has written."""
    try:
        yield
    except MALFORMED as error:
        raise CaveatError(UNREADABLE) from error


def _private_content(path: Path) -> bytes | None:
    """Return the content of a file that only this user can have written; None if it is another's."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(file.fileno())
        is_own = stat.S_ISREG(found.st_mode) and found.st_uid in (os.geteuid(), 0)
        if not is_own or found.st_mode & (stat.S_IWGRP | stat.S_IWOTH) or found.st_size > MAX_BYTES:
            return None
        return file.read()


def _packed(entries: Sequence[RosterEntry], document: YamlDocument) -> list[list[Any]] | None:
    """Return each subscriber as JSON values, one with a personal channel as id and lines of the file.

    None if these lines are unknown, because the file spells the address in another way.
    """
    spans = _spans(document) if any(entry.subscriber.channel for entry in entries) else {}
    on_channels = {entry.subscriber.id for entry in entries if entry.subscriber.channel}
    if not on_channels <= spans.keys():
        return None
    return [
        [identifier, spans[identifier]] if identifier in on_channels else [identifier, *_values(entry)]
        for entry in entries
        if (identifier := entry.subscriber.id)
    ]


def _spans(document: YamlDocument) -> dict[str, dict[str, int]]:
    """Return the first and last line of each subscriber's item, by the subscriber's id."""
    items = document.content["subscribers"]
    starts = [document.value_positions["subscribers", number][0] for number in range(len(items))]
    ends = [*(start - 1 for start in starts[1:]), 0]  # 0: the end of the file
    return {
        identity.subscriber_id(item["email"]): {"first": first, "last": max(last, first) if last else 0}
        for item, first, last in zip(items, starts, ends, strict=True)
        if isinstance(item, dict) and isinstance(item.get("email"), str)
    }


def _read_again(lines: Sequence[str], span: Mapping[str, int], read_item: ReadItem) -> RosterEntry:
    """Return a subscriber from their lines of the file. Raises ValueError if these are no single item."""
    text = "".join(lines[span["first"] - 1 : span["last"] or len(lines)])
    document = read_yaml(FILE, text.encode())
    if document.faults or not isinstance(document.content, list) or len(document.content) != 1:
        raise ValueError("the lines are not one item")
    return read_item(document.content[0])


def _values(entry: RosterEntry) -> list[Any]:
    person = entry.subscriber
    newsletters = [
        [name, {key: value for key in PREFERENCE_FIELDS if (value := getattr(wanted, key)) is not None}]
        for name, wanted in entry.newsletters
    ]
    return [person.email, person.name, person.timezone, newsletters]


def _entry(packed: list[Any]) -> RosterEntry:
    subscriber_id, email, name, zone, newsletters = packed
    timezone = None if zone is None else _text(zone)
    person = Subscriber(_text(subscriber_id), _text(email), _text(name), timezone)
    return RosterEntry(person, tuple((_text(one), _preferences(wanted)) for one, wanted in newsletters))


def _preferences(values: Mapping[str, Any]) -> Preferences:
    if not values:
        return NO_PREFERENCES
    return Preferences(**{key: _preference(key, value) for key, value in values.items()})


NO_PREFERENCES = Preferences()


def _preference(key: str, value: object) -> Any:  # noqa: ANN401 - the type depends on the key
    if key in LISTS and isinstance(value, list):
        return tuple(map(_text, value))
    if key in NUMBERS and type(value) is int:
        return value
    return _text(value)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("not a text")
    return value
