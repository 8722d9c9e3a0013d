"""OPML 2.0 (opml.org): read and write the lists of feeds that feed readers exchange. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from xml.etree import ElementTree as ET

from service.core.errors import FeedUnreadable
from service.core.model import Feed
from service.gather.cleaning.characters import one_line, without_unsafe_characters
from service.gather.formats.charset import reencode_utf8
from service.gather.formats.opml_outlines import Outline, lenient_outlines, strict_outlines, unescaped
from service.gather.web_addresses import safe_web_url

MAX_OPML_BYTES = 16 << 20  # the largest list found so far has 2 MB
MAX_FEEDS = 5_000
MAX_FOLDER_DEPTH = 50
MAX_TOPIC_CHARACTERS = 64
FEED_TYPES = ("rss", "atom", "rdf", "feed", "")
"""Types of outlines whose `url` attribute is a feed, "" for an outline without a type."""

_DECLARED = re.compile(rb"<\?xml[^<>]{0,500}\?>|<!DOCTYPE[^<>\[]{0,500}>", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ListedFeed:
    """A feed of a list. Its topics are the folders that contain it and its categories."""

    url: str
    name: str
    topics: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FeedList:
    """The feeds of a list, each once, and a sentence for each outline that was skipped."""

    feeds: tuple[ListedFeed, ...]
    skipped: tuple[str, ...] = ()


def read_opml(body: bytes) -> FeedList:
    """Read a list, with a lenient parser when it is not well-formed.

    Raises FeedUnreadable for bytes that are not OPML, with the line of the error.
    """
    if len(body) > MAX_OPML_BYTES:
        raise FeedUnreadable(f"the list is larger than {MAX_OPML_BYTES >> 20} MB")
    text = reencode_utf8(body)
    if b"<!ENTITY" in text[: text.lower().find(b"<outline")].upper():
        raise FeedUnreadable("the list declares XML entities, which a list of feeds does not need")
    try:
        return _feed_list(strict_outlines(_without_declarations(text)))
    except FeedUnreadable:
        feed_list = _feed_list(lenient_outlines(text.decode("utf-8")))
        if not (feed_list.feeds or feed_list.skipped):
            raise
        return feed_list


def _without_declarations(text: bytes) -> bytes:
    """Return the document without declaration and doctype; line numbers stay the same."""
    start = text.lower().find(b"<opml")
    before = text[:start] if start >= 0 else b""
    # Anything else before the root is left to the parser, whose errors name the line.
    kept = _DECLARED.sub(lambda found: b"\n" * found[0].count(b"\n"), before)
    return kept + text[len(before) :]


def _feed_list(outlines: Iterable[Outline]) -> FeedList:
    """Return the feeds of the outlines, and a sentence for each outline that is skipped."""
    found: dict[str, ListedFeed] = {}
    skipped: list[str] = []
    folders: list[str] = []
    for outline in outlines:
        del folders[outline.depth :]
        name, url = _named(outline.attributes)
        folders.append("" if url else _topic(name))
        if not (url or outline.fault):
            continue
        address = _address(url)
        full = len(found) >= MAX_FEEDS and address not in found
        reason = (outline.fault if not address else "") or _skip_reason(url, address, outline, full=full)
        if reason:
            skipped.append(f"line {outline.line}: {name or 'a feed without a name'}: {reason}")
            continue
        topics = [*filter(None, folders), *_categories(outline.attributes.get("category", ""))]
        kept = found.get(address, ListedFeed(address, name or address))
        found[address] = ListedFeed(address, kept.name, tuple(dict.fromkeys([*kept.topics, *topics])))
    return FeedList(tuple(found.values()), tuple(skipped))


def _skip_reason(url: str, address: str, outline: Outline, *, full: bool) -> str:
    """Return why a feed is skipped, "" when it is not."""
    if not address:
        return f"{one_line(url, 100)!r} is not a web address"
    if outline.depth > MAX_FOLDER_DEPTH:
        return f"it is nested in more than {MAX_FOLDER_DEPTH} folders"
    return f"only {MAX_FEEDS} feeds are imported" if full else ""


def _named(attributes: Mapping[str, str]) -> tuple[str, str]:
    """Return the name of an outline and the address of its feed, "" for a folder or a link."""
    name = one_line(unescaped(attributes.get("title") or attributes.get("text") or ""), 100)
    url = attributes.get("xmlurl", "").strip()
    if not url and attributes.get("type", "").strip().lower() in FEED_TYPES:
        url = attributes.get("url", "").strip()
    return name, url


def _address(url: str) -> str:
    """Return the web address. Some lists escape `&` twice, some write `feed://` for `http://`."""
    plain = re.sub(r"^feed:(?://)?(?=https?:)", "", url, count=1, flags=re.IGNORECASE)
    plain = re.sub(r"^feed://", "http://", plain, count=1, flags=re.IGNORECASE)
    return safe_web_url(plain.replace("&amp;", "&"))


def _categories(value: str) -> list[str]:
    """Parse `/World/Africa,news`: commas separate categories, slashes separate folders."""
    words = [_topic(word) for category in value.split(",") for word in category.split("/")]
    return [word for word in words if word]


def _topic(name: str) -> str:
    return one_line(name, MAX_TOPIC_CHARACTERS).casefold()


def write_opml(feeds: Sequence[Feed], *, title: str, now: datetime) -> bytes:
    """Return a list of the feeds with a web address, each in the folder of its first topic."""
    root = ET.Element("opml", version="2.0")
    head = ET.SubElement(root, "head")
    ET.SubElement(head, "title").text = without_unsafe_characters(title)
    ET.SubElement(head, "dateCreated").text = format_datetime(now)
    body = ET.SubElement(root, "body")
    folders: dict[str, ET.Element] = {}
    for feed in feeds:
        if not feed.url.startswith(("http://", "https://")):
            continue
        folder = body
        if feed.topics:
            first = feed.topics[0]
            if first not in folders:
                folders[first] = ET.SubElement(body, "outline", text=first, title=first)
            folder = folders[first]
        name = without_unsafe_characters(feed.name)
        entry = ET.SubElement(folder, "outline", type="rss", text=name, title=name, xmlUrl=feed.url)
        if len(feed.topics) > 1:
            entry.set("category", ",".join(f"/{topic}" for topic in feed.topics[1:]))
    ET.indent(root)
    written: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return written + b"\n"
