"""Seen items: what gather remembers of a feed between two polls, as text that the store keeps whole.

The first line is JSON with the feed's statistics, which every poll reads. One line for each item follows.
Only a changed document needs the items, and of them those that have a name in common with its new items.
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
CLEANING_VERSION = 2  # of the rules that turn an entry's markup into text; a change of them is no edit
MAX_ITEMS = 4_000  # per feed
RETENTION_DAYS = 60  # for the number of new items a day
MAX_SINGLE_LOOKUPS = 60  # names; to find more of them, reading every item is faster


def fingerprint(*parts: str | bytes) -> str:
    """Return a hash of the parts in eight characters, "" when all parts are empty."""
    data = b"\x00".join(
        part if isinstance(part, bytes) else part.encode("utf-8", "replace") for part in parts
    )
    return urlsafe_b64encode(blake2b(data, digest_size=6).digest()).decode() if data.strip(b"\x00") else ""


class SeenItem(NamedTuple):
    """An item as it was last seen: fingerprints of its bytes (`raw`), guid, link, title and text (`words`).

    `edits` counts the changes of title or text; `cleaning` is the version of the rules that read it. A tuple,
    because a poll creates hundreds of them.
    """

    raw: str
    guid: str
    link: str
    title: str
    words: str
    edits: int = 0
    cleaning: int = CLEANING_VERSION

    def is_edit_of(self, old: SeenItem) -> bool:
        """Return whether title or text changed since the item was `old`.

        Fingerprints of different versions of the cleaning tell nothing: after an upgrade, the first change of
        an item is no edit.
        """
        return self.cleaning == old.cleaning and (self.title, self.words) != (old.title, old.words)


@dataclass(frozen=True, slots=True)
class FeedStatistics:
    """Statistics of a feed, stored under these names. Instants are seconds since 1970, 0 for never.

    body         fingerprint of the last document that was read
    format, title, entries, ttl   of that document; `ttl` in seconds
    splits       the feed's documents can be split into items, so that only new items are parsed
    plain        the fast XML parser reads the feed correctly
    moved_to     target of a permanent redirect, first seen at `moved_since`, seen in `moved_looks` polls
    announced    the target of the move, if the feed itself named it
    days         number of new items by date; `newest` is the date of the newest item
    reads, faulty        documents read, and those of them with broken markup
    seen, new, repeats   items seen for the first time, new articles, old items under new names
    short        number of teasers among `judged` entries; both are halved as they grow
    most         the largest number of new items in one poll
    cut          number of texts that a limit cut when one was last cut, at `cut_at`, because of `cut_why`
    held         number of items held as old at the last burst, at `held_at`, because of `held_why`
    lines        number of new articles with each line, by its fingerprint, among `lined` counted ones
    blank        polls in a row that found no item, or a page instead of a feed
    date_order   whether day or month comes first in the feed's dates of numbers, "" while unknown
    utc_offset   usual zone of the feed's dates, as `+01:00`, "" while unknown
    page_path    where the feed's pages have their article (see pages/page_path), "" while unknown
    path_agreed, path_used   pages in a row that agreed with it; pages that were read only there since
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
    announced: str = ""
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
    cut: int = 0
    cut_at: int = 0
    cut_why: str = ""
    held: int = 0
    held_at: int = 0
    held_why: str = ""
    lines: Mapping[str, int] = field(default_factory=dict)
    lined: int = 0
    blank: int = 0
    date_order: str = ""
    utc_offset: str = ""
    page_path: str = ""
    path_agreed: int = 0
    path_used: int = 0


def statistics_of(text: str) -> FeedStatistics:
    """Parse the statistics; an unreadable line gives empty ones."""
    return _parse(text[: _first_line_end(text)])


@lru_cache(maxsize=2_048)
def _parse(line: str) -> FeedStatistics:
    try:
        found = json.loads(line) if line else {}
    except ValueError:
        return FeedStatistics()
    if not isinstance(found, dict) or found.pop("v", None) != FORMAT_VERSION:
        return FeedStatistics()
    kept: dict[str, Any] = {n: value for n, value in found.items() if type(value) is type(_DEFAULTS.get(n))}
    return FeedStatistics(**kept)


_DEFAULTS = asdict(FeedStatistics())


def _first_line_end(text: str) -> int:
    end = text.find("\n")
    return end if end >= 0 else len(text)


@dataclass(frozen=True, slots=True)
class SeenItems:
    """The remembered items, most recently seen first, each as its unparsed line."""

    lines: Sequence[str] = ()

    def lines_by_fingerprint(self) -> Mapping[str, str]:
        """Return the lines by the fingerprint of their item's bytes."""
        return {line.partition(" ")[0]: line for line in self.lines}

    def with_any_name(self, names: Collection[str]) -> list[SeenItem]:
        """Return at least those items that have one of these names (fingerprints)."""
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
    """Parse the items; an unreadable line is ignored."""
    lines: Sequence[Any] = ()
    rest = text[_first_line_end(text) + 1 :]
    try:
        # Early versions stored the items as a list in JSON.
        lines = json.loads(rest) if rest.startswith("[") else rest.split("\n")
    except ValueError:
        return SeenItems()
    return SeenItems([line for line in lines if isinstance(line, str) and line.count(" ") == 5])


def serialize(statistics: FeedStatistics, lines: Iterable[str] | None, old_text: str = "") -> str:
    """Return the text to store. With `lines` None the items of `old_text` are kept."""
    changed = {name: value for name in _DEFAULTS if (value := getattr(statistics, name)) != _DEFAULTS[name]}
    first = json.dumps({"v": FORMAT_VERSION, **changed}, separators=(",", ":"))
    if lines is None:
        return first + old_text[_first_line_end(old_text) :]
    return "\n".join([first, *islice(lines, MAX_ITEMS)])


def line_from_item(item: SeenItem) -> str:
    """Return the stored line of an item."""
    raw, guid, link, title, words, edits, cleaning = item
    return f"{raw} {guid or '-'} {link or '-'} {title or '-'} {words or '-'} {edits}.{cleaning}"


def item_from_line(line: str) -> SeenItem:
    """Parse the stored line of an item."""
    raw, guid, link, title, words, edits = line.split(" ")
    if "-" in (guid, link, title, words):
        guid, link, title, words = ("" if name == "-" else name for name in (guid, link, title, words))
    # Version 1 wrote no version.
    count, _, cleaning = edits.partition(".")
    return SeenItem(raw, guid, link, title, words, _number(count, 0), _number(cleaning, 1))


def _number(text: str, default: int) -> int:
    return int(text) if text.isascii() and text.isdecimal() else default


def to_timestamp(instant: datetime | None) -> int:
    """Return the instant in seconds since 1970, 0 for None."""
    return int(instant.timestamp()) if instant else 0


def from_timestamp(kept: int) -> datetime | None:
    """Return the instant of a stored number of seconds, None for 0."""
    try:
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=kept) if kept else None
    except OverflowError:
        return None


def with_cut(statistics: FeedStatistics, reasons: Sequence[str], now: datetime) -> FeedStatistics:
    """Return the statistics with the texts that a limit cut, one reason each; "" stands for a whole text."""
    found = [reason for reason in reasons if reason]
    if not found:
        return statistics
    return replace(statistics, cut=len(found), cut_at=to_timestamp(now), cut_why=found[0])


def with_arrivals(statistics: FeedStatistics, arrivals: Iterable[datetime], now: datetime) -> FeedStatistics:
    """Return the statistics with these new items counted by day, without days beyond RETENTION_DAYS."""
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
