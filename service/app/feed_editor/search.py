"""Search for new feeds of a site, with their latest entries."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from service.app.feed_editor.changes import configured_feeds
from service.app.feeds import discover, inspect_each
from service.core.errors import UsageError
from service.core.ids import feed_id
from service.core.model import Feed
from service.gather.inspect import Inspection
from service.gather.language import detect_language

if TYPE_CHECKING:
    from service.app.factories.application import Application

MAX_SHOWN_FEEDS = 4  # of a site; each is fetched
MAX_SAMPLES = 12  # entries whose language is detected
MAX_ADDRESS_CHARACTERS = 2_000
MAX_CATEGORIES = 12  # of a feed, the most frequent


@dataclass(frozen=True, slots=True)
class FoundFeed:
    """A feed that was found. `known` is the configured feed with the same address.

    `language` is detected in its entries, "" if it has none.
    """

    url: str
    title: str
    inspection: Inspection
    language: str
    categories: tuple[str, ...]
    known: Feed | None = None


async def search_feeds(app: Application, address: str) -> Sequence[FoundFeed]:
    """Return the feeds at an address of the web, or of the site there, with their entries.

    The requests obey the limits of `fetch`: private addresses are refused, also behind a redirect. Raises
    UsageError for an address that is none, and for one that leads to no feed.
    """
    url = web_address(address)
    found = await discover(app.settings, url)
    if not found.feeds:
        raise UsageError(f"{address} leads to no feed: {found.reason}")
    # A page can link to anything; only addresses of the web are requested.
    links = [one for one in found.feeds if one.url.lower().startswith(("http://", "https://"))]
    titles = {one.url: one.title for one in links[:MAX_SHOWN_FEEDS]}
    inspected: list[Inspection] = []
    await inspect_each(app.settings.fetch, titles, inspected.append)
    known = {feed.id: feed for feed in await configured_feeds(app)}
    return [
        FoundFeed(
            one.source,
            titles[one.source] or one.title,
            one,
            _language(one),
            _categories(one),
            known.get(feed_id(one.source)),
        )
        for one in inspected
    ]


def web_address(text: str) -> str:
    """Return the address with its scheme. Raises UsageError for one that is not of the web."""
    address = text.strip()[:MAX_ADDRESS_CHARACTERS]
    try:
        parts = urlsplit(address if "://" in address else f"https://{address}")
        is_web = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_web = False
    if not is_web or any(one.isspace() for one in address):
        raise UsageError(
            f"{address!r} is not a web address; write it like https://example.org or example.org/feed.xml"
        )
    return address


async def inspect_one(app: Application, feed: Feed) -> Inspection:
    """Fetch a configured feed and return what each of its entries becomes; nothing is stored."""
    if not feed.url.startswith(("http://", "https://")):
        raise UsageError("the feed is a file on the server: inspect it with `caveat feed inspect`")
    found: list[Inspection] = []
    await inspect_each(app.settings.fetch, [feed.url], found.append)
    return found[0]


def _language(inspection: Inspection) -> str:
    """Return the language of most of the first entries."""
    texts = [f"{one.title}. {one.text[:500]}" for one in inspection.entries[:MAX_SAMPLES]]
    counted = Counter(detect_language(text) for text in texts)
    return counted.most_common(1)[0][0] if counted else ""


def _categories(inspection: Inspection) -> tuple[str, ...]:
    counted = Counter(name for one in inspection.entries for name in one.categories)
    return tuple(name for name, _ in counted.most_common(MAX_CATEGORIES))
