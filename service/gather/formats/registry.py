"""Feed formats: the readers by name, and the detection of a document's format from its bytes."""

from __future__ import annotations

import re
from collections.abc import Callable

from service.core.errors import FeedUnreadable, UnknownName
from service.gather.boilerplate import BOT_CHALLENGE, compiled
from service.gather.formats import json_feed, rss_atom
from service.gather.formats.charset import decode_document, reencode_utf8
from service.gather.formats.html_links import feed_links
from service.gather.formats.parsed_feed import ParsedFeed

FormatReader = Callable[[bytes, str], ParsedFeed]
"""Takes the document and its address; returns the feed or raises FeedUnreadable."""

FORMATS: dict[str, FormatReader] = {"xml": rss_atom.read, "json": json_feed.read}

MAX_SNIFFED_BYTES = 64 * 1024  # of a document that are examined
_FILES = (
    (b"%PDF", "a PDF file"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"GIF8", "a picture"),
    (b"PK\x03\x04", "a ZIP file"),
    (b"\x1f\x8b", "a gzip file"),
    (b"ID3", "a sound file"),
)
_PROLOG = re.compile(
    r"\s*(?:<\?.*?(?:\?>|>)|<!--.*?(?:-->|$)|<!DOCTYPE(?:[^\[<>]|\[.*?\]\s*(?=>))*>)",
    re.IGNORECASE | re.DOTALL,
)
_COMMON_START = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml\s[^<>]*\?>\s*)?<(?:rss|rdf:RDF|feed)\s")
"""The start of nearly every feed; only other documents need a closer look."""
_NAME = re.compile(r"<(?:[\w.-]+:)?([\w.-]+)")
_FEED_ROOT = re.compile(r"<(?:[\w.-]+:)?(?:rss|rdf|feed|channel)[\s>]", re.IGNORECASE)
FEED_ROOTS = frozenset({"rss", "rdf", "feed", "channel"})
HTML_ROOTS = frozenset({"html", "head", "body", "title", "meta", "script"})
OTHER_ROOTS = {
    "opml": "a list of feeds (OPML), not a feed; it can be imported",
    "urlset": "a sitemap, not a feed",
    "sitemapindex": "a sitemap, not a feed",
    "error": "an error message in XML, not a feed",
}
_CHALLENGE = compiled(BOT_CHALLENGE)


def reader_for(name: str) -> FormatReader:
    """Return the reader of the format. Raises UnknownName."""
    if name not in FORMATS:
        raise UnknownName("feed format", name, FORMATS)
    return FORMATS[name]


def sniff(body: bytes, url: str = "") -> str:
    """Return the name of the bytes' format; headers and file names are ignored, because they are often wrong.

    Raises FeedUnreadable with a sentence that says what the bytes are, and the feed that a web page links to.
    """
    return "xml" if _COMMON_START.match(body) else _sniffed(body, url)


def _sniffed(body: bytes, url: str) -> str:
    if not body.strip(b"\r\n\t \x00"):
        raise FeedUnreadable("the response is empty")
    for magic, what in _FILES:
        if body.startswith(magic):
            raise FeedUnreadable(f"{what}, not a feed")
    head = decode_document(body[:MAX_SNIFFED_BYTES]).lstrip("\ufeff \r\n\t\x00")
    if head.startswith(("{", "[")):
        return "json"
    root = _root(head)
    if root in FEED_ROOTS:
        return "xml"
    if root in OTHER_ROOTS:
        raise FeedUnreadable(OTHER_ROOTS[root])
    if root in HTML_ROOTS or (root and re.search(r"<(?:html|body)[\s>]", head, re.IGNORECASE)):
        raise FeedUnreadable(_page_error(body, url))
    if _FEED_ROOT.search(head):
        return "xml"  # text before the feed, such as a PHP warning
    if root and not head.startswith("<?xml"):
        raise FeedUnreadable(
            _page_error(body, url)
            if re.search(r"</(?:p|div|a|b|span|h1)>|<br", head)
            else _no_feed_error(root)
        )
    raise FeedUnreadable(_no_feed_error(root))


def prepare_document(name: str, body: bytes, content_type: str = "") -> bytes:
    """Return the body in UTF-8, prepared for the format's reader."""
    return rss_atom.to_utf8(body, content_type) if name == "xml" else reencode_utf8(body, content_type)


def read(body: bytes, content_type: str = "", url: str = "") -> ParsedFeed:
    """Read a whole feed in any format. Raises FeedUnreadable."""
    name = sniff(body, url)
    return reader_for(name)(prepare_document(name, body, content_type), url)


def _root(head: str) -> str:
    """Return the local name of the root element in lower case; "" when the text does not start with one."""
    at = 0
    while prolog := _PROLOG.match(head, at):
        at = prolog.end()
    name = _NAME.match(head[at:].lstrip())
    return name.group(1).lower() if name else ""


def _page_error(body: bytes, url: str) -> str:
    page = body[: 512 * 1024].decode("utf-8", "replace")
    if _CHALLENGE.search(page):
        return "a page that asks for proof of a human visitor, not a feed"
    feeds = feed_links(page, url)
    if feeds:
        return f"a web page, not a feed; the page links to this feed: {feeds[0].url}"
    return "a web page, not a feed; the page links to no feed"


def _no_feed_error(root: str) -> str:
    return f"XML, but not a feed: it starts with <{root[:40]}>" if root else "text that is not a feed"
