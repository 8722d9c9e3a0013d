"""HTML links: the feeds that a web page links to. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import unescape
from urllib.parse import urljoin

from service.gather.cleaning.characters import one_line
from service.gather.web_addresses import safe_web_url

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
NON_FEED_WORDS = ("wp-json", "oembed", "manifest", "opensearch")
MAX_PAGE_CHARACTERS = 512 * 1024  # of a page that are searched for links
MAX_FEED_LINKS = 20
_IGNORED_PARTS = (
    (re.compile("<!--"), re.compile("-->")),
    (re.compile(r"<script\b", re.IGNORECASE), re.compile("</script", re.IGNORECASE)),
)
"""Start and end of parts whose tags are ignored."""
_TAG = re.compile(r"<(base|link|a)\s([^<>]{0,4000})>", re.IGNORECASE)
_ATTRIBUTE = re.compile(
    r"(?<![A-Za-z-])([A-Za-z-]{1,40})\s{0,20}=\s{0,20}(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'<>=]{1,2000}))",
)
COMMON_FEED_PATHS = ("feed", "rss", "feed.xml", "rss.xml", "atom.xml", "index.xml", "feed.json", "?feed=rss2")


@dataclass(frozen=True, slots=True)
class FeedLink:
    """A link to a feed, with its title on the page, "" when it has none."""

    url: str
    title: str = ""


def feed_links(page: str, url: str) -> tuple[FeedLink, ...]:
    """Return the feeds that the HTML page at `url` links to, each once, feeds of comments last.

    Declared feeds (`<link rel="alternate" type=...>`) are returned if there are any, else anchors whose
    address looks like that of a feed.
    """
    reader = _Links()
    for tag, values in _tags(page[:MAX_PAGE_CHARACTERS]):
        reader.add(tag, values)
    base = _joined(url, reader.base) or url
    found: dict[str, FeedLink] = {}
    for href, title in reader.declared or reader.anchors:
        address = safe_web_url(_joined(base, href))
        if address and not any(word in address for word in NON_FEED_WORDS):
            found.setdefault(address, FeedLink(address, one_line(title, 100)))
    ranked = sorted(found.values(), key=lambda feed: "comment" in f"{feed.url} {feed.title}".lower())
    return tuple(ranked[:MAX_FEED_LINKS])


def guessed_addresses(url: str) -> tuple[str, ...]:
    """Return the usual addresses of feeds on the site, for a page that links to none."""
    return tuple(dict.fromkeys(_joined(url, f"/{guess}") for guess in COMMON_FEED_PATHS))


def _tags(page: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield the name and attributes of the tags that may link to a feed, in linear time.

    Python's html.parser takes quadratic time, because it reads to the end of the page for each unclosed tag.
    """
    for opening, closing in _IGNORED_PARTS:
        page = _without(page, opening, closing)
    for tag in _TAG.finditer(page):
        values: dict[str, str] = {}
        for attribute in _ATTRIBUTE.finditer(tag[2]):
            value = attribute[2] or attribute[3] or attribute[4] or ""
            values.setdefault(attribute[1].lower(), unescape(value))
        yield tag[1].lower(), values


def _without(page: str, opening: re.Pattern[str], closing: re.Pattern[str]) -> str:
    """Return the page without the parts between the two patterns; an unclosed part is kept."""
    pieces, at = [], 0
    while (begin := opening.search(page, at)) and (end := closing.search(page, begin.end())):
        pieces.append(page[at : begin.start()])
        at = end.end()
    return "".join([*pieces, page[at:]])


@dataclass(slots=True)
class _Links:
    """Collects the declared feeds of a page, and the anchors that may be feeds."""

    base: str = ""
    declared: list[tuple[str, str]] = field(default_factory=list)
    anchors: list[tuple[str, str]] = field(default_factory=list)

    def add(self, tag: str, values: dict[str, str]) -> None:
        """Add one tag."""
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
