"""The publisher of an entry: of an aggregator's entry its source, else the feed itself. Pure."""

from __future__ import annotations

from urllib.parse import urlsplit

from service.core.model import Entry, Feed
from service.gather.cleaning.titles import title_text
from service.gather.entries.match import folded_words

MAX_NAME_CHARACTERS = 80  # a longer text is no name
SEPARATORS = "-–—|·•:"  # between a title and the name of its publisher
FEED_LABELS = frozenset({"www", "feeds", "feed", "rss", "news"})  # parts of a host that name no other site


def source_name(entry: Entry, feed: Feed, feed_title: str, url: str) -> str:
    """Return the name of the source that the entry names, "" where that is the feed itself.

    `url` is the document's address. A publisher's own feeds name themselves as source, or one of their
    sections: a source counts only if it is at another site than the feed.
    """
    name = title_text(entry.source)
    if not name or len(name) > MAX_NAME_CHARACTERS:
        return ""
    if folded_words(name) in {folded_words(feed.name), folded_words(feed_title)}:
        return ""
    site = _site(entry.source_url)
    own = {_site(feed.url), _site(url)}
    return name if site and not any(_is_part(site, other) for other in own if other) else ""


def without_publisher(title: str, publisher: str) -> str:
    """Return a title without the name of its publisher at the end, as in `Ferry approved - The Courier`."""
    if not publisher or not title.casefold().endswith(publisher.casefold()):
        return title
    start = title[: len(title) - len(publisher)].rstrip()
    stripped = start.rstrip(SEPARATORS).rstrip()
    return stripped if stripped and stripped != start else title


def repeats_title(text: str, title: str, publisher: str) -> bool:
    """Return whether a text is nothing but the title, with or without the publisher."""
    words = folded_words(text)
    return bool(publisher) and words in {folded_words(title), folded_words(f"{title} {publisher}")}


def _site(url: str) -> str:
    """Return the host of an http(s) address without labels such as `www`, "" for any other."""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").lower() if parts.scheme in ("http", "https") else ""
    except ValueError:
        return ""
    labels = host.split(".")
    while len(labels) > 2 and labels[0] in FEED_LABELS:
        labels = labels[1:]
    return ".".join(labels)


def _is_part(site: str, other: str) -> bool:
    return site == other or site.endswith(f".{other}") or other.endswith(f".{site}")
