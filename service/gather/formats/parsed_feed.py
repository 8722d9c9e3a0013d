"""Parsed: what the reader of every feed format gives, and no more than gather needs."""

from __future__ import annotations

from dataclasses import dataclass

from service.core.model import Entry


@dataclass(frozen=True, slots=True)
class ParsedFeed:
    """A feed as it was read. `format` is a short word such as `rss20`, `atom10` or `json11`.

    `language` is the feed's own tag, "" when it names none. `ttl` is how many seconds the feed asks to be
    left alone. `faulty`: the markup is not well-formed, so that reading it took guesses.
    """

    format: str
    title: str
    entries: tuple[Entry, ...]
    language: str = ""
    ttl: int | None = None
    faulty: bool = False
