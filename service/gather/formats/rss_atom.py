"""RSS, Atom, RDF and CDF, read by feedparser from bytes, never from an address."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import cache
from typing import Any

from service.core.errors import FeedUnreadable
from service.core.model import Entry
from service.gather.formats import fast_xml
from service.gather.formats.charset import reencode_utf8
from service.gather.formats.doctype import without_doctype
from service.gather.formats.item_details import category_names, picture_of, tag_names
from service.gather.formats.parsed_feed import ParsedFeed, plain_as_markup
from service.gather.formats.split_items import split_items
from service.gather.http.decompression import format_megabytes

UTF8_XML = "application/xml; charset=utf-8"
DECLARATION = b"<?xml version='1.0' encoding='utf-8'?>\n"
MAX_PROLOG_BYTES = 64 * 1024  # searched for the root element
MAX_SINGLE_READS = 300  # items that are read one by one when feedparser fails on the whole document
MAX_UNSPLIT_BYTES = 4 * 1024 * 1024  # of a document that cannot be split into items

_DECLARATION = re.compile(rb"<\?xml[^>]*>\s*")
_IMPOSSIBLE = re.compile(
    rb"&#([xX][dD][89a-fA-F][0-9a-fA-F]{2}|[xX][0-9a-fA-F]{5,}|5[5-7][0-9]{3}|[0-9]{6,});?"
)
_DATA_URI = re.compile(rb"data:[\w.+-]{1,40}/[\w.+-]{1,60};base64,[A-Za-z0-9+/=%]{1000,}+")
_TEXT_INPUT = re.compile(rb"<textinput\b(?:[^<]|<(?!/?textinput\b)){0,4000}</textinput\s*>", re.IGNORECASE)
_CHANNEL = re.compile(rb"<channel\s", re.IGNORECASE)
_LONG_AUTHOR = re.compile(
    rb"(<(?:[\w.-]+:)?(?:author|creator|managingeditor|webmaster|publisher|name|email)\b[^<>]*>)"
    rb"(?:<!\[CDATA\[)?[^<\]]{500,}(?:\]\]>)?",
    re.IGNORECASE,
)
"""feedparser searches an author's name for an address in time quadratic in its length."""
_ROOT = re.compile(rb"<(?:\?xml\b|(?:[\w.-]+:)?(?:rss|rdf|feed|channel)[\s>])", re.IGNORECASE)
_OPENED = re.compile(rb"<(?:[\w.-]+:)?(?:item|entry)[\s>]", re.IGNORECASE)
_CLOSED = re.compile(rb"</(?:[\w.-]+:)?(?:item|entry)\s*>|<(?:[\w.-]+:)?item\b[^<>]*/>", re.IGNORECASE)
_FOLLOWING_TAG = re.compile(
    r"<(?:link|guid|id|pubDate|description|item|entry|updated|published)[\s>]", re.IGNORECASE
)
_TTL = re.compile(r"\s*(\d{1,6})")


def to_utf8(body: bytes, content_type: str = "") -> bytes:
    """Return the document in UTF-8, with a matching XML declaration and a harmless doctype.

    Text before the XML declaration or the root (blank lines, a PHP warning) is removed. Raises FeedUnreadable
    for a doctype whose entities expand too far.
    """
    document = reencode_utf8(body, content_type).lstrip()
    if not document.startswith((b"<?xml", b"<!")):
        root = _ROOT.search(document, 0, MAX_PROLOG_BYTES)
        document = document[root.start() :] if root else document
    declared = _DECLARATION.match(document)
    document = document[declared.end() :] if declared else document
    if b";base64," in document:
        document = _DATA_URI.sub(b"data:,", document)  # pictures count for no limit
    return without_doctype(DECLARATION + _IMPOSSIBLE.sub(_possible, document))


def _possible(reference: re.Match[bytes]) -> bytes:
    """Replace a reference to an invalid character with U+FFFD, as browsers do; feedparser would raise."""
    digits = reference.group(1)
    number = int(digits[1:], 16) if digits[:1] in b"xX" else int(digits)
    return b"&#xFFFD;" if number > 0x10FFFF or 0xD800 <= number <= 0xDFFF else reference.group()


def read_fast(document: bytes, url: str = "") -> ParsedFeed | None:
    """Return the result of `read` in a tenth of the time; None for a document beyond fast_xml."""
    rules = _rules()
    found = fast_xml.read(_LONG_AUTHOR.sub(rb"\1", document), url, rules) if rules else None
    return None if found is None else _feed_of(found, [_entry(raw) for raw in found["entries"]], document)


def read(document: bytes, url: str = "") -> ParsedFeed:
    """Read a document prepared by `to_utf8`. `url`, its address, resolves relative links.

    Raises FeedUnreadable for a document that is not a feed or that exceeds a limit.
    """
    if len(document) > MAX_UNSPLIT_BYTES and split_items(document) is None:
        raise FeedUnreadable(
            f"the XML is larger than {format_megabytes(MAX_UNSPLIT_BYTES)} and cannot be split into items"
        )
    found = _parsed(document, url)
    feed: Mapping[str, Any] = found.get("feed", {})
    faulty = bool(found.get("bozo"))
    entries = [_entry(raw) for raw in found.get("entries", ())]
    if faulty and entries and _is_incomplete(document):
        entries.pop()
    if faulty:
        entries = [entry for entry in entries if not _damaged(entry)]
    version = str(found.get("version") or "")
    if not entries and faulty:
        raise FeedUnreadable(f"the XML is invalid, and no entry could be read from it ({_reason(found)})")
    if not entries and not version and not feed:
        raise FeedUnreadable("the XML contains no feed")
    return _feed_of(found, entries, document)


def _feed_of(found: Mapping[str, Any], entries: list[Entry], document: bytes) -> ParsedFeed:
    feed: Mapping[str, Any] = found.get("feed", {})
    version = str(found.get("version") or "")
    return ParsedFeed(
        format=version or ("cdf" if _CHANNEL.search(document, 0, MAX_PROLOG_BYTES) else "xml"),
        title=str(feed.get("title") or ""),
        entries=tuple(entries),
        language=str(feed.get("language") or ""),
        ttl=_ttl(feed.get("ttl")),
        new_url=str(feed.get("itunes_new-feed-url") or "").strip(),
        faulty=bool(found.get("bozo")),
    )


@cache
def _rules() -> fast_xml.FeedparserRules | None:
    """Return feedparser's functions for addresses and texts; None if this version has others."""
    try:
        from feedparser.mixin import _FeedParserMixin as mixin  # noqa: PLC0415 - as in _feedparsed
        from feedparser.urls import _urljoin as join_url  # noqa: PLC0415 - as in _feedparsed

        prefixes = {uri.lower(): prefix for uri, prefix in mixin.namespaces.items()}
        return fast_xml.FeedparserRules(join_url, mixin.looks_like_html, prefixes)
    except (ImportError, AttributeError):
        return None


def _parsed(document: bytes, url: str) -> Mapping[str, Any]:
    """Parse the document with feedparser; if that fails, parse its items one by one."""
    try:
        return _feedparsed(document, url)
    except (MemoryError, TimeoutError):
        raise
    except Exception as error:  # noqa: BLE001 - invalid markup makes feedparser raise any error
        document = _TEXT_INPUT.sub(b"", document)  # a misplaced one makes feedparser fail
        pieces = split_items(document)
        if pieces is None or len(pieces.items) > MAX_SINGLE_READS:
            detail = f"{type(error).__name__}: {error}"
            raise FeedUnreadable(f"the markup cannot be read ({detail})") from None
    found: dict[str, Any] = {"entries": [], "feed": {}, "bozo": True}
    for index in range(len(pieces.items)):
        with suppress(ValueError, LookupError, AttributeError, TypeError, RecursionError, AssertionError):
            alone = _feedparsed(pieces.with_items({index}), url)
            found["entries"] += alone.get("entries", ())
            found |= {"feed": alone.get("feed", {}), "version": alone.get("version")}
    return found


def _feedparsed(document: bytes, url: str) -> Mapping[str, Any]:
    import feedparser  # noqa: PLC0415 - takes 0.4 s, which --help need not

    # BytesIO, because feedparser would open the file that plain bytes name.
    found: Mapping[str, Any] = feedparser.parse(
        io.BytesIO(_LONG_AUTHOR.sub(rb"\1", document)),
        response_headers={"content-type": UTF8_XML, "content-location": url},
        sanitize_html=False,  # gather/cleaning does that for all text
        resolve_relative_uris=False,  # entries keep text without links
    )
    return found


def _damaged(entry: Entry) -> bool:
    """Return whether an unclosed tag made the entry include what follows it, or left it empty."""
    return (
        not (entry.title or entry.html or entry.url)
        or _FOLLOWING_TAG.search(entry.title) is not None
        or "<" in entry.url
        or "<" in entry.guid
    )


def _entry(raw: Mapping[str, Any]) -> Entry:
    content, is_plain = _content(raw)
    title = str(raw.get("title") or "")
    source: Mapping[str, Any] = raw.get("source") or {}
    return Entry(
        guid=str(raw.get("id") or ""),
        url=_link(raw),
        title=plain_as_markup(title) if _is_plain(raw.get("title_detail")) else title,
        html=content,
        dates=_dates(raw),
        author=str(raw.get("author") or ""),
        is_plain=is_plain,
        source=str(source.get("title") or ""),
        source_url=str(source.get("href") or source.get("link") or ""),
        categories=category_names(tag_names(raw.get("tags") or ())),
        picture=picture_of(_pictures(raw)),
    )


def _pictures(raw: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield what may be the item's picture: its media, the files that belong to it, its thumbnails."""
    yield from raw.get("media_content") or ()
    # fast_xml has the files under a key of their own, feedparser among the links.
    yield from raw.get("enclosure") or ()
    yield from (link for link in raw.get("links") or () if link.get("rel") == "enclosure")
    yield from raw.get("media_thumbnail") or ()


def _dates(raw: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the dates as written; feedparser's own readings are wrong for some, such as unknown zones."""
    # `in` instead of `get`, for which feedparser warns about a missing update.
    return tuple(str(raw[name]) for name in ("published", "updated", "created") if name in raw)


def _link(raw: Mapping[str, Any]) -> str:
    """Return the entry's page: its link, else the first alternate, else an enclosure."""
    if raw.get("link"):
        return str(raw["link"])
    links = [link for link in raw.get("links", ()) if link.get("href")]
    for relation in ("alternate", "related", "via", "enclosure"):
        for link in links:
            if link.get("rel") == relation:
                return str(link["href"])
    return ""


def _content(raw: Mapping[str, Any]) -> tuple[str, bool]:
    """Return the longest text of the entry, and whether it is declared as plain text."""
    pieces = [(str(part.get("value") or ""), _is_plain(part)) for part in raw.get("content", ())]
    pieces.append((str(raw.get("summary") or ""), _is_plain(raw.get("summary_detail"))))
    return max(pieces, key=lambda piece: len(plain_as_markup(piece[0]) if piece[1] else piece[0]))


def _is_plain(detail: Mapping[str, Any] | None) -> bool:
    return detail is not None and detail.get("type") == "text/plain"


def _ttl(minutes: object) -> int | None:
    found = _TTL.match(str(minutes or ""))
    return int(found.group(1)) * 60 if found and int(found.group(1)) else None


def _reason(found: Mapping[str, Any]) -> str:
    error: Any = found.get("bozo_exception")
    line = error.getLineNumber() if hasattr(error, "getLineNumber") else None
    message = error.getMessage() if hasattr(error, "getMessage") else str(error)
    return f"line {line}: {message}" if line else message


def _is_incomplete(document: bytes) -> bool:
    """Return whether the last item is unclosed, as in an incomplete document."""
    last = max((match.end() for match in _CLOSED.finditer(document)), default=0)
    return _OPENED.search(document, last) is not None
