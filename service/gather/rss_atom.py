"""RSS, Atom, RDF and CDF: feedparser on bytes, never on an address."""

from __future__ import annotations

import calendar
import html
import io
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from service.core.errors import FeedUnreadable
from service.core.model import Entry
from service.gather.parsed import ParsedFeed

UTF8 = "application/xml; charset=utf-8"
MOST_UNPACKED = 1_000_000
"""How many bytes the entities that a document declares may add up to where they are used."""

_ROOT = re.compile(rb"<(?:\?xml\b|(?:[\w.-]+:)?(?:rss|rdf|feed|channel)[\s>])", re.IGNORECASE)
_ENTITY = re.compile(rb"<!ENTITY\s+(%?)\s*([\w.:-]+)\s+([^>]*)>", re.IGNORECASE)
_OPENED = re.compile(rb"<(?:[\w.-]+:)?(?:item|entry)[\s>]", re.IGNORECASE)
_CLOSED = re.compile(rb"</(?:[\w.-]+:)?(?:item|entry)\s*>|<(?:[\w.-]+:)?item\b[^<>]*/>", re.IGNORECASE)
_SWALLOWED = re.compile(
    r"<(?:link|guid|id|pubDate|description|item|entry|updated|published)[\s>]", re.IGNORECASE
)
_TTL = re.compile(r"\s*(\d{1,6})")


def to_utf8(body: bytes, content_type: str = "") -> bytes:
    """Return the document as UTF-8, decoded as RFC 7303 and feedparser's long experience say.

    What stands before the XML declaration or the root (blank lines, a warning from PHP) is cut off.
    """
    from feedparser.encodings import convert_to_utf8  # noqa: PLC0415 - feedparser loads slowly

    headers = {"content-type": content_type} if content_type else {}
    converted: bytes = convert_to_utf8(headers, body.lstrip(b"\r\n\t \x00"), {})
    declared = re.match(rb"<\?xml[^>]*\?>\s*", converted)
    rest = converted[declared.end() :] if declared else converted
    root = _ROOT.search(rest, 0, 65_536)
    if root is None or not rest[: root.start()].strip() or b"<!DOCTYPE" in rest[: root.start()]:
        return converted
    inner = re.match(rb"<\?xml[^>]*\?>\s*", rest[root.start() :])
    begin = root.start() + (inner.end() if inner else 0)
    return b"<?xml version='1.0' encoding='utf-8'?>\n" + rest[begin:]


def read(document: bytes, url: str = "") -> ParsedFeed:
    """Read a document that `to_utf8` returned. `url` is its address, for relative links.

    Raises FeedUnreadable for a document that holds no feed, or that is built to do harm.
    """
    import feedparser  # noqa: PLC0415 - as above

    _refuse_bombs(document)
    # BytesIO, because feedparser would take bare bytes for the name of a file and open it.
    found: Mapping[str, Any] = feedparser.parse(
        io.BytesIO(document),
        response_headers={"content-type": UTF8, "content-location": url},
        sanitize_html=False,  # clean does that, for text of every origin
        resolve_relative_uris=False,  # only text is kept of what an entry says
    )
    feed: Mapping[str, Any] = found.get("feed", {})
    raw = list(found.get("entries", ()))
    faulty = bool(found.get("bozo"))
    if faulty and raw and _breaks_off(document):
        raw.pop()
    entries = tuple(entry for entry in map(_entry, raw) if not (faulty and _SWALLOWED.search(entry.title)))
    version = str(found.get("version") or "")
    if not entries and faulty:
        raise FeedUnreadable(f"the XML is broken, and no entry could be read from it ({_why(found)})")
    if not entries and not version and not feed:
        raise FeedUnreadable("the XML holds no feed")
    return ParsedFeed(
        format=version or "xml",
        title=str(feed.get("title") or ""),
        entries=entries,
        language=str(feed.get("language") or ""),
        ttl=_ttl(feed.get("ttl")),
        faulty=faulty,
    )


def _entry(raw: Mapping[str, Any]) -> Entry:
    return Entry(
        guid=str(raw.get("id") or ""),
        url=_link(raw),
        title=_markup(raw.get("title_detail"), str(raw.get("title") or "")),
        html=_content(raw),
        published_at=_instant(
            raw.get("published_parsed") or raw.get("updated_parsed") or raw.get("created_parsed")
        ),
        author=str(raw.get("author") or ""),
    )


def _link(raw: Mapping[str, Any]) -> str:
    """Return the entry's page: its link, else the first alternate, else an enclosure."""
    if raw.get("link"):
        return str(raw["link"])
    links = [link for link in raw.get("links", ()) if link.get("href")]
    for wanted in ("alternate", "related", "via", "enclosure"):
        for link in links:
            if link.get("rel") == wanted:
                return str(link["href"])
    return ""


def _content(raw: Mapping[str, Any]) -> str:
    """Return the longest text that the entry carries, as markup."""
    pieces = [_markup(part, str(part.get("value") or "")) for part in raw.get("content", ())]
    pieces.append(_markup(raw.get("summary_detail"), str(raw.get("summary") or "")))
    return max(pieces, key=len)


def _markup(detail: Mapping[str, Any] | None, value: str) -> str:
    """Return the value as markup: what the feed calls plain text is escaped, its blank lines are breaks."""
    if detail and detail.get("type") == "text/plain":
        return re.sub(r"\n\s*\n", "<br>", html.escape(value, quote=False))
    return value


def _instant(parsed: Any) -> datetime | None:  # noqa: ANN401 - a struct_time, or whatever feedparser made of a date
    try:
        return (
            datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=calendar.timegm(parsed)) if parsed else None
        )
    except (ValueError, OverflowError, TypeError):
        return None


def _ttl(minutes: object) -> int | None:
    found = _TTL.match(str(minutes or ""))
    return int(found.group(1)) * 60 if found and int(found.group(1)) else None


def _why(found: Mapping[str, Any]) -> str:
    trouble: Any = found.get("bozo_exception")
    line = trouble.getLineNumber() if hasattr(trouble, "getLineNumber") else None
    said = trouble.getMessage() if hasattr(trouble, "getMessage") else str(trouble)
    return f"line {line}: {said}" if line else said


def _breaks_off(document: bytes) -> bool:
    """Tell whether the last item was never closed, as in a document that was cut off."""
    last = max((match.end() for match in _CLOSED.finditer(document)), default=0)
    return _OPENED.search(document, last) is not None


def _refuse_bombs(document: bytes) -> None:
    """Refuse entities that refer to the outside, to one another, or that add up to too much."""
    if b"<!ENTITY" not in document[:1_000_000]:
        return
    unpacked = 0
    for parameter, name, value in _ENTITY.findall(document[:1_000_000]):
        if parameter or re.match(rb"(?:SYSTEM|PUBLIC)\b", value):
            raise FeedUnreadable(
                "the document declares entities that refer to other files, so it is not read"
            )
        unpacked += document.count(b"&" + name + b";") * len(value)
    if unpacked > MOST_UNPACKED:
        raise FeedUnreadable("the document declares entities that unpack to too much, so it is not read")
