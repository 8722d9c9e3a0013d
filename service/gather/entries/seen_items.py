"""Memory: what gather remembers of a feed between two looks, as text that the store keeps whole.

A line of JSON, the short head that every look reads; then a line for each item, which only a changed document
needs, and of them only those that share a name with what is new.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from hashlib import blake2b
from itertools import islice
from typing import Any, NamedTuple

FORMAT_VERSION = 1
MAX_ITEMS = 4_000
RETENTION_DAYS = 60
MAX_SINGLE_LOOKUPS = 60
"""So many names are looked up one by one; for more, all items are read."""


def fingerprint(*parts: str | bytes) -> str:
    """Return eight characters that stand for the parts, "" for nothing at all."""
    data = b"\x00".join(
        part if isinstance(part, bytes) else part.encode("utf-8", "replace") for part in parts
    )
    return urlsafe_b64encode(blake2b(data, digest_size=6).digest()).decode() if data.strip(b"\x00") else ""


class SeenItem(NamedTuple):
    """An item as it was last seen: fingerprints of its bytes, guid, link, title and words.

    `edits` counts how often its words changed. A tuple, because hundreds of them are made at each look.
    """

    raw: str
    guid: str
    link: str
    title: str
    words: str
    edits: int = 0


@dataclass(frozen=True, slots=True)
class FeedStatistics:
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


def statistics_of(text: str) -> FeedStatistics:
    """Read the head; what cannot be read counts as nothing remembered."""
    return _head(text[: _head_ends(text)])


@lru_cache(maxsize=2_048)
def _head(line: str) -> FeedStatistics:
    try:
        found = json.loads(line) if line else {}
    except ValueError:
        return FeedStatistics()
    if not isinstance(found, dict) or found.pop("v", None) != FORMAT_VERSION:
        return FeedStatistics()
    kept: dict[str, Any] = {n: value for n, value in found.items() if type(value) is type(_NOTHING.get(n))}
    return FeedStatistics(**kept)


_NOTHING = asdict(FeedStatistics())


def _head_ends(memory: str) -> int:
    end = memory.find("\n")
    return end if end >= 0 else len(memory)


@dataclass(frozen=True, slots=True)
class SeenItems:
    """The items that are remembered, newest look first, each still as its line."""

    lines: Sequence[str] = ()

    def lines_by_fingerprint(self) -> Mapping[str, str]:
        """Return the lines by the fingerprint of the item's bytes."""
        return {line.partition(" ")[0]: line for line in self.lines}

    def with_any_name(self, names: Collection[str]) -> list[SeenItem]:
        """Return at least those items that bear one of these names (fingerprints)."""
        if len(names) > MAX_SINGLE_LOOKUPS:
            return [item_from_line(line) for line in self.lines]
        text = "\n".join(["", *self.lines, ""])
        starts: set[int] = set()
        for name in names:
            at = text.find(name) if name else -1
            while at >= 0:
                starts.add(text.rfind("\n", 0, at) + 1)
                at = text.find(name, text.find("\n", at))
        return [item_from_line(text[start : text.find("\n", start)]) for start in sorted(starts)]


def seen_items_of(text: str) -> SeenItems:
    """Read the items; a line that cannot be read counts as nothing remembered."""
    lines: Sequence[Any] = ()
    rest = text[_head_ends(text) + 1 :]
    try:
        # A memory written by an early version holds them as a list in JSON.
        lines = json.loads(rest) if rest.startswith("[") else rest.split("\n")
    except ValueError:
        return SeenItems()
    return SeenItems([line for line in lines if isinstance(line, str) and line.count(" ") == 5])


def serialize(statistics: FeedStatistics, lines: Iterable[str] | None, old_text: str = "") -> str:
    """Write the memory; without `lines`, those of the old `memory` stay as they are."""
    told = {name: value for name in _NOTHING if (value := getattr(statistics, name)) != _NOTHING[name]}
    first = json.dumps({"v": FORMAT_VERSION, **told}, separators=(",", ":"))
    if lines is None:
        return first + old_text[_head_ends(old_text) :]
    return "\n".join([first, *islice(lines, MAX_ITEMS)])


def line_from_item(item: SeenItem) -> str:
    """Write an item as its line in the memory."""
    raw, guid, link, title, words, edits = item
    return f"{raw} {guid or '-'} {link or '-'} {title or '-'} {words or '-'} {edits}"


def item_from_line(line: str) -> SeenItem:
    """Read an item from its line of six words."""
    raw, guid, link, title, words, edits = line.split(" ")
    if "-" in (guid, link, title, words):
        guid, link, title, words = ("" if name == "-" else name for name in (guid, link, title, words))
    return SeenItem(raw, guid, link, title, words, int(edits) if edits.isdecimal() else 0)


def to_timestamp(instant: datetime | None) -> int:
    """Return the instant as the memory keeps it."""
    return int(instant.timestamp()) if instant else 0


def from_timestamp(kept: int) -> datetime | None:
    """Return the instant that the memory kept, None for never."""
    try:
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=kept) if kept else None
    except OverflowError:
        return None


def with_arrivals(statistics: FeedStatistics, arrivals: Iterable[datetime], now: datetime) -> FeedStatistics:
    """Return the head with these new items in its days; days long past are forgotten."""
    oldest = (now - timedelta(days=RETENTION_DAYS)).date()
    days = {day: count for day, count in statistics.days.items() if _day(day) >= oldest}
    newest = statistics.newest
    for arrival in arrivals:
        at = min(arrival, now)
        newest = max(newest, to_timestamp(at))
        if at.date() >= oldest:
            day = at.date().isoformat()
            days[day] = days.get(day, 0) + 1
    return replace(statistics, days=dict(sorted(days.items())), newest=newest)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return date.min
