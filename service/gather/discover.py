"""Discover: the feeds that a web page says it has. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from html.parser import HTMLParser
from urllib.parse import urljoin

from service.gather.clean import one_line, web_url

FEED_TYPES = frozenset(
    {
        "application/rss+xml",
        "application/atom+xml",
        "application/rdf+xml",
        "application/feed+json",
        "application/json",
        "text/rss+xml",
    }
)
NOT_FEEDS = ("wp-json", "oembed", "manifest", "opensearch")
LOOKED_AT = 512 * 1024
MOST = 20
GUESSES = ("feed", "rss", "feed.xml", "rss.xml", "atom.xml", "index.xml", "feed.json", "?feed=rss2")


@dataclass(frozen=True, slots=True)
class Advertised:
    """A feed that a page links to: where it lies and what the page calls it ("" when it does not)."""

    url: str
    title: str = ""


def advertised(page: str, url: str) -> tuple[Advertised, ...]:
    """Return the feeds that an HTML page at `url` names in its links, in order, each once.

    Declared ones (`<link rel="alternate" type=...>`) come first; without any, anchors whose address looks
    like a feed's. Feeds of comments come last.
    """
    reader = _Links()
    try:
        reader.feed(page[:LOOKED_AT])
        reader.close()
    except (AssertionError, ValueError, RecursionError):
        pass  # whatever was found so far is all that can be
    base = _joined(url, reader.base) or url
    found: dict[str, Advertised] = {}
    for href, title in reader.declared or reader.anchors:
        address = web_url(_joined(base, href))
        if address and not any(word in address for word in NOT_FEEDS):
            found.setdefault(address, Advertised(address, one_line(title, 100)))
    ranked = sorted(found.values(), key=lambda feed: "comment" in f"{feed.url} {feed.title}".lower())
    return tuple(ranked[:MOST])


def guesses(url: str) -> tuple[str, ...]:
    """Return addresses at which sites often have their feed, for a page that advertises none."""
    return tuple(dict.fromkeys(_joined(url, f"/{guess}") for guess in GUESSES))


class _Links(HTMLParser):
    """Collects what may be feeds, from the head of a page and, for want of that, from its anchors."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.base = ""
        self.declared: list[tuple[str, str]] = []
        self.anchors: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Look at one tag."""
        if tag not in ("base", "link", "a"):
            return
        values = {name: value or "" for name, value in attrs}
        href = values.get("href", "").strip()
        if not href:
            return
        if tag == "base":
            self.base = self.base or href
        elif tag == "link":
            kinds = values.get("rel", "").lower().split()
            media = values.get("type", "").split(";")[0].strip().lower()
            if ("alternate" in kinds and media in FEED_TYPES) or "feed" in kinds:
                self.declared.append((href, values.get("title", "")))
        elif _looks_like_a_feed(href):
            self.anchors.append((href, values.get("title", "")))


def _looks_like_a_feed(href: str) -> bool:
    path = "/" + href.partition("#")[0].partition("?")[0].lower().rstrip("/")
    return path.endswith(
        (".rss", ".atom", "/rss", "/feed", "/atom", "/rss.xml", "/feed.xml", "/atom.xml", "/feed.json")
    )


def _joined(base: str, href: str) -> str:
    try:
        return urljoin(base, href) if href else ""
    except ValueError:
        return ""
