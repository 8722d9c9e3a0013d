"""Feeds of issues: RSS 2.0 and JSON Feed 1.1 (pure)."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from xml.etree import ElementTree as ET

from service.app.archive.archive import ArchivedNewsletter

RSS_TYPE = "application/rss+xml"
JSON_TYPE = "application/feed+json"
ATOM = "http://www.w3.org/2005/Atom"
CONTENT = "http://purl.org/rss/1.0/modules/content/"
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class FeedItem:
    """An issue in a feed; `content` is HTML, "" if it is too long for a feed."""

    id: str
    url: str
    title: str
    created_at: datetime
    content: str


def rss(newsletter: ArchivedNewsletter, site_name: str, items: Sequence[FeedItem]) -> bytes:
    """Return the issues as RSS 2.0 with the extensions atom:link and content:encoded."""
    ET.register_namespace("atom", ATOM)
    ET.register_namespace("content", CONTENT)
    root = ET.Element("rss", version="2.0")
    channel = ET.SubElement(root, "channel")
    own = newsletter.newsletter
    _add(channel, "title", own.title)
    _add(channel, "link", newsletter.links.page)
    _add(channel, "description", f"{own.title} · {site_name}")
    _add(channel, "language", own.language)
    ET.SubElement(channel, f"{{{ATOM}}}link", href=newsletter.links.rss, rel="self", type=RSS_TYPE)
    if items:
        _add(channel, "lastBuildDate", format_datetime(max(item.created_at for item in items)))
    for item in items:
        element = ET.SubElement(channel, "item")
        _add(element, "title", item.title)
        _add(element, "link", item.url)
        guid = ET.SubElement(element, "guid", isPermaLink="false")
        guid.text = _guid(item)
        _add(element, "pubDate", format_datetime(item.created_at))
        _add(element, "description", item.title)
        if item.content:
            _add(element, f"{{{CONTENT}}}encoded", item.content)
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True))


def json_feed(newsletter: ArchivedNewsletter, site_name: str, items: Sequence[FeedItem]) -> bytes:
    """Return the issues as JSON Feed 1.1 (https://www.jsonfeed.org/version/1.1/)."""
    own = newsletter.newsletter
    feed = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": own.title,
        "description": f"{own.title} · {site_name}",
        "home_page_url": newsletter.links.page,
        "feed_url": newsletter.links.json,
        "language": own.language,
        "items": [
            {
                "id": _guid(item),
                "url": item.url,
                "title": item.title,
                **({"content_html": item.content} if item.content else {"content_text": item.title}),
                "date_published": item.created_at.astimezone(UTC).isoformat(timespec="seconds"),
            }
            for item in items
        ],
    }
    return json.dumps(feed, ensure_ascii=False).encode("utf-8", "replace")


def _guid(item: FeedItem) -> str:
    return f"urn:caveat:issue:{item.id}"


def _add(parent: ET.Element, name: str, text: str) -> None:
    ET.SubElement(parent, name).text = _NO_XML.sub("", text)
