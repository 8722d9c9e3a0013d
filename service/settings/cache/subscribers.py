"""Cache of the validated subscribers.yaml: reading 10,000 people takes seconds, reading the cache much less.

A cache file is used only for the very same bytes of subscribers.yaml, the same version of Caveat and the same
names that the subscribers were checked against; else the file is read again. It is JSON with a checksum,
readable for its owner only. It has no address on a personal channel, which is a secret: these subscribers are
read again from their lines of the file.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from service.core import ids as identity
from service.core.errors import Fault
from service.core.model import PREFERENCE_FIELDS, Preferences, RosterEntry, Subscriber
from service.settings.yaml.document import YamlDocument, read_yaml

MIN_BYTES = 64 * 1024  # of subscribers.yaml; a smaller file is read in less than half a second
MAX_BYTES = 256 * 1024 * 1024  # of a cache file
FORM = "caveat-subscribers-1"
"""First word of a cache file; another form gets another number."""

FILE = "subscribers.yaml"
FOLDER_MODE = 0o700

NUMBERS = frozenset({"stories", "points", "minutes"})  # preferences that are whole numbers
LISTS = frozenset({"topics", "languages", "follow", "mute"})  # preferences that are lists of texts

ReadItem = Callable[[object], RosterEntry]
"""Returns the valid subscriber of one item of the list. Raises ValueError."""


@dataclass(frozen=True, slots=True)
class ReadSubscribers:
    """The valid subscribers of the file, the ids of the skipped ones, and the warnings about them."""

    entries: tuple[RosterEntry, ...]
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
            return self._unpacked(json.loads(body), read_item)
        except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError):
            return None

    def put(self, conditions: Sequence[object], found: ReadSubscribers, document: YamlDocument) -> None:
        """Store the subscribers of the document; a folder that cannot be written to is no error."""
        if self._path is None:
            return
        people = _packed(found.entries, document)
        if people is None:
            return
        values = {
            "people": people,
            "skipped": found.skipped,
            "warnings": [[one.line, one.column, one.message, one.expected] for one in found.warnings],
        }
        body = json.dumps(values, separators=(",", ":")).encode()
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

    def _unpacked(self, values: Mapping[str, Any], read_item: ReadItem) -> ReadSubscribers:
        lines = self._data.decode("utf-8-sig").splitlines(keepends=True)
        entries = tuple(
            _entry(packed) if isinstance(packed, list) else _read_again(lines, packed, read_item)
            for packed in values["people"]
        )
        warnings = tuple(
            Fault(FILE, line, column, what, why) for line, column, what, why in values["warnings"]
        )
        return ReadSubscribers(entries, tuple(map(_text, values["skipped"])), warnings)


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


def _packed(entries: Sequence[RosterEntry], document: YamlDocument) -> list[Any] | None:
    """Return each subscriber as JSON values; one with a personal channel as the lines of the file.

    None if these lines are unknown, because the file spells the address in another way.
    """
    spans = _spans(document) if any(entry.subscriber.channel for entry in entries) else {}
    packed = [
        spans.get(entry.subscriber.id) if entry.subscriber.channel else _values(entry) for entry in entries
    ]
    return None if None in packed else packed


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
    email, name, zone, newsletters = packed
    timezone = None if zone is None else _text(zone)
    person = Subscriber(identity.subscriber_id(email), _text(email), _text(name), timezone)
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
