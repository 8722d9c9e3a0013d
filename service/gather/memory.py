"""Memory: what gather remembers of a feed between two looks, as text that the store keeps whole.

Two lines of JSON: a short head, which every look reads, and the items, which only a changed document needs.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from hashlib import blake2b
from typing import Any

VERSION = 1
MOST_ITEMS = 4_000
DAYS_KEPT = 60


def fingerprint(*parts: str | bytes) -> str:
    """Return eight characters that stand for the parts, "" for nothing at all."""
    data = b"\x00".join(
        part if isinstance(part, bytes) else part.encode("utf-8", "replace") for part in parts
    )
    return urlsafe_b64encode(blake2b(data, digest_size=6).digest()).decode() if data.strip(b"\x00") else ""


@dataclass(frozen=True, slots=True)
class Item:
    """An item as it was last seen: fingerprints of its bytes, guid, link, title and words.

    `edits` counts how often its words changed.
    """

    raw: str
    guid: str
    link: str
    title: str
    words: str
    edits: int = 0


@dataclass(frozen=True, slots=True)
class Head:
    """What every look wants to know. Instants are seconds since 1970, 0 for never.

    body       fingerprint of the last document that was read
    format     of that document; `entries` how many it held; `ttl` the seconds it asked for
    splits     its items can be told apart by bytes, so that only new ones need to be parsed
    plain      its items came out the same when read plainly, where that could be done
    moved_to   where permanent redirects point, since `moved_since`, seen `moved_looks` times
    days       new items by day, for the rhythm; `newest` when the last one came
    reads, faulty   documents that were read, and those of them with broken markup
    seen, new, repeats   items seen for the first time, articles made of them, old items under new names
    short      of `judged` entries, how many were teasers; halved as they grow, so that a feed may change
    most       the largest number of new items that came at one look
    held       how many items were held in the last flood, at `held_at`, because of `held_why`
    blank      looks in a row that found no item at all, or a page instead of a feed
    """

    body: str = ""
    format: str = ""
    title: str = ""
    entries: int = 0
    ttl: int = 0
    splits: bool = False
    plain: bool = False
    moved_to: str = ""
    moved_since: int = 0
    moved_looks: int = 0
    days: Mapping[str, int] = field(default_factory=dict)
    newest: int = 0
    seen: int = 0
    new: int = 0
    reads: int = 0
    faulty: int = 0
    repeats: int = 0
    short: int = 0
    judged: int = 0
    most: int = 0
    held: int = 0
    held_at: int = 0
    held_why: str = ""
    blank: int = 0


def head_of(memory: str) -> Head:
    """Read the head; what cannot be read counts as nothing remembered."""
    try:
        found = json.loads(memory[: _head_ends(memory)]) if memory else {}
    except ValueError:
        return Head()
    if not isinstance(found, dict) or found.pop("v", None) != VERSION:
        return Head()
    kept: dict[str, Any] = {n: value for n, value in found.items() if type(value) is type(_NOTHING.get(n))}
    return Head(**kept)


_NOTHING = asdict(Head())


def _head_ends(memory: str) -> int:
    end = memory.find("\n")
    return end if end >= 0 else len(memory)


def items_of(memory: str) -> tuple[Item, ...]:
    """Read the items, newest look first."""
    try:
        found = json.loads(memory[_head_ends(memory) :] or "[]")
        return tuple(_item(line) for line in found)
    except (ValueError, TypeError, AttributeError):
        return ()


def remembered(head: Head, items: Iterable[Item] | None, memory: str = "") -> str:
    """Write the memory; without `items`, those of the old `memory` stay as they are."""
    told = {name: value for name in _NOTHING if (value := getattr(head, name)) != _NOTHING[name]}
    first = json.dumps({"v": VERSION, **told}, separators=(",", ":"))
    if items is None:
        return first + memory[_head_ends(memory) :]
    lines = [
        " ".join((i.raw, i.guid or "-", i.link or "-", i.title or "-", i.words or "-", str(i.edits)))
        for i in items
    ]
    return first + "\n" + json.dumps(lines[:MOST_ITEMS], separators=(",", ":"))


def _item(line: str) -> Item:
    raw, *names, edits = line.split(" ")
    guid, link, title, words = ("" if name == "-" else name for name in names)
    return Item(raw, guid, link, title, words, int(edits))


def seconds(instant: datetime | None) -> int:
    """Return the instant as the memory keeps it."""
    return int(instant.timestamp()) if instant else 0


def instant(kept: int) -> datetime | None:
    """Return the instant that the memory kept, None for never."""
    try:
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=kept) if kept else None
    except OverflowError:
        return None


def with_arrivals(head: Head, arrivals: Iterable[datetime], now: datetime) -> Head:
    """Return the head with these new items in its days; days long past are forgotten."""
    oldest = (now - timedelta(days=DAYS_KEPT)).date()
    days = {day: count for day, count in head.days.items() if _day(day) >= oldest}
    newest = head.newest
    for arrival in arrivals:
        at = min(arrival, now)
        newest = max(newest, seconds(at))
        if at.date() >= oldest:
            day = at.date().isoformat()
            days[day] = days.get(day, 0) + 1
    return replace(head, days=dict(sorted(days.items())), newest=newest)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return date.min
