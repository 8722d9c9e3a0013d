"""JSON Feed 1.0 and 1.1 (jsonfeed.org), read tolerantly."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urljoin

from service.core.errors import FeedUnreadable
from service.core.model import Entry
from service.gather.formats.item_details import MAX_CATEGORIES, MAX_PICTURES, category_names, picture_of
from service.gather.formats.parsed_feed import ParsedFeed

_VERSION = re.compile(r"jsonfeed\.org/version/(\d)(?:\.(\d))?")


def read(document: bytes, url: str = "") -> ParsedFeed:
    """Read a JSON Feed; `url`, its address, resolves relative links.

    Raises FeedUnreadable for invalid or too deeply nested JSON, and for JSON that is not a JSON Feed.
    """
    try:
        found = json.loads(document, strict=False)  # raw line breaks in strings are a common error
    except (ValueError, RecursionError) as error:
        raise FeedUnreadable(f"the JSON is invalid ({_reason(error)})") from None
    if not isinstance(found, dict) or not isinstance(found.get("items"), list):
        raise FeedUnreadable("JSON, but not a JSON Feed: it has no list of items")
    version = _VERSION.search(_text(found.get("version")))
    if version is None and not any(isinstance(item, dict) and _has_content(item) for item in found["items"]):
        raise FeedUnreadable("JSON, but not a JSON Feed: it names no version of the format")
    return ParsedFeed(
        format=f"json{version.group(1)}{version.group(2) or 0}" if version else "json",
        title=html.escape(_text(found.get("title")), quote=False),
        entries=tuple(
            _entry(item, url) for item in found["items"] if isinstance(item, dict) and _has_content(item)
        ),
        language=_text(found.get("language")),
    )


def _has_content(item: Mapping[str, Any]) -> bool:
    return any(
        _text(item.get(key)) for key in ("id", "url", "title", "content_html", "content_text", "summary")
    )


def _entry(item: Mapping[str, Any], base: str) -> Entry:
    authors = item.get("authors") if isinstance(item.get("authors"), list) else [item.get("author")]
    names = [_text(author.get("name")) for author in authors or () if isinstance(author, dict)]
    markup = _text(item.get("content_html"))
    return Entry(
        guid=_text(item.get("id")),
        url=_joined(base, _text(item.get("url")) or _text(item.get("external_url"))),
        title=html.escape(_text(item.get("title")), quote=False),
        html=markup or _text(item.get("content_text")) or _text(item.get("summary")),
        dates=tuple(filter(None, (_text(item.get("date_published")), _text(item.get("date_modified"))))),
        author=", ".join(name for name in names if name),
        is_plain=not markup,
        categories=category_names(_listed(item.get("tags"))),
        picture=picture_of(_pictures(item)),
    )


def _listed(value: object) -> list[str]:
    """Return the strings of a list; of anything else, none."""
    return [_text(one) for one in value[: 2 * MAX_CATEGORIES]] if isinstance(value, list) else []


def _pictures(item: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for key in ("image", "banner_image"):
        yield {"url": _text(item.get(key)), "medium": "image"}
    attachments = item.get("attachments")
    for file in attachments[:MAX_PICTURES] if isinstance(attachments, list) else ():
        if isinstance(file, dict):
            yield {"url": _text(file.get("url")), "type": _text(file.get("mime_type")).lower()}


def _text(value: object) -> str:
    """Return a string, or a number (some feeds have numeric ids) as a string, else ""."""
    if isinstance(value, str):
        return value.strip()
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""


def _joined(base: str, link: str) -> str:
    try:
        return urljoin(base, link) if link else ""
    except ValueError:
        return ""


def _reason(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"line {error.lineno}: {error.msg}"
    return "nested too deeply" if isinstance(error, RecursionError) else "not in a Unicode encoding"
