"""ParsedFeed: the result of every format's reader, limited to what gather needs."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass

from service.core.model import Entry

NO_ENTRIES = "the feed holds no entries"


def plain_as_markup(text: str) -> str:
    """Return plain text as markup: special characters are escaped, blank lines become breaks."""
    return re.sub(r"\n\s*\n", "<br>", html.escape(text, quote=False))


@dataclass(frozen=True, slots=True)
class ParsedFeed:
    """A parsed feed.

    format     an identifier such as `rss20`, `atom10` or `json11`
    language   the feed's language tag, "" when it names none
    ttl        seconds between two polls that the feed asks for, None when it names none
    new_url    the address to which the feed says it has moved (itunes:new-feed-url), "" when it names none
    faulty     the markup is not well-formed, so entries may be missing or damaged
    """

    format: str
    title: str
    entries: tuple[Entry, ...]
    language: str = ""
    ttl: int | None = None
    new_url: str = ""
    faulty: bool = False
