"""OPML: lists of feeds in and out, as every feed reader exchanges them (opml.org, version 2.0). Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from xml.etree import ElementTree as ET

from service.core.errors import FeedUnreadable
from service.core.model import Feed
from service.gather.entries.markup import one_line, safe_web_url, without_unsafe_characters
from service.gather.formats.charset import reencode_utf8
from service.gather.formats.opml_outlines import Outline, lenient_outlines, strict_outlines, unescaped

MAX_OPML_BYTES = 16 << 20  # bytes; the largest list that we met has 2 MB
MAX_FEEDS = 5_000
MAX_FOLDER_DEPTH = 50
MAX_TOPIC_CHARACTERS = 64
FEED_TYPES = ("rss", "atom", "rdf", "feed", "")
"""Types of outlines whose `url` is a feed's; one without a type names its feed so as well."""

_DECLARED = re.compile(rb"<\?xml[^<>]{0,500}\?>|<!DOCTYPE[^<>\[]{0,500}>", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ListedFeed:
    """A feed as a list names it. The folders that it lies in, and its categories, are its topics."""

    url: str
    name: str
    topics: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FeedList:
    """What a list holds: its feeds, each once, and a sentence for each outline that was left out."""

    feeds: tuple[ListedFeed, ...]
    skipped: tuple[str, ...] = ()


def read_opml(body: bytes) -> FeedList:
    """Read a list, leniently where it is not well-formed.

    Raises FeedUnreadable for bytes that are no OPML, with the line where they break.
    """
    if len(body) > MAX_OPML_BYTES:
        raise FeedUnreadable(f"the list is larger than {MAX_OPML_BYTES >> 20} MB")
    text = reencode_utf8(body)
    if b"<!ENTITY" in text[: text.lower().find(b"<outline")].upper():
        raise FeedUnreadable("the list declares entities of its own, which no list of feeds needs")
    try:
        return _listing(strict_outlines(_undeclared(text)))
    except FeedUnreadable:
        listing = _listing(lenient_outlines(text.decode("utf-8")))
        if not (listing.feeds or listing.skipped):
            raise
        return listing


def _undeclared(text: bytes) -> bytes:
    """Return the document without declaration and doctype, on as many lines as before."""
    start = text.lower().find(b"<opml")
    before = text[:start] if start >= 0 else b""
    # Comments may stand there, and whatever else does is left for the parser to complain of.
    kept = _DECLARED.sub(lambda found: b"\n" * found[0].count(b"\n"), before)
    return kept + text[len(before) :]


def _listing(outlines: Iterable[Outline]) -> FeedList:
    """Return the feeds that the outlines name, and a sentence for each that is left out."""
    found: dict[str, ListedFeed] = {}
    left_out: list[str] = []
    folders: list[str] = []
    for outline in outlines:
        del folders[outline.depth :]
        name, url = _named(outline.attributes)
        folders.append("" if url else _topic(name))
        if not (url or outline.fault):
            continue
        address = _address(url)
        why = outline.fault if not address else ""
        why = why or _refused(url, address, outline, full=len(found) >= MAX_FEEDS and address not in found)
        if why:
            left_out.append(f"line {outline.line}: {name or 'a feed without a name'}: {why}")
            continue
        topics = [*filter(None, folders), *_categories(outline.attributes.get("category", ""))]
        kept = found.get(address, ListedFeed(address, name or address))
        found[address] = ListedFeed(address, kept.name, tuple(dict.fromkeys([*kept.topics, *topics])))
    return FeedList(tuple(found.values()), tuple(left_out))


def _refused(url: str, address: str, outline: Outline, *, full: bool) -> str:
    """Return why a feed is left out; empty when it is not."""
    if not address:
        return f"{one_line(url, 100)!r} is not a web address"
    if outline.depth > MAX_FOLDER_DEPTH:
        return f"it lies in more than {MAX_FOLDER_DEPTH} folders"
    return f"only {MAX_FEEDS} feeds are taken" if full else ""


def _named(attributes: Mapping[str, str]) -> tuple[str, str]:
    """Return the name of an outline, and the address of its feed; empty for a folder or a link."""
    name = one_line(unescaped(attributes.get("title") or attributes.get("text") or ""), 100)
    url = attributes.get("xmlurl", "").strip()
    if not url and attributes.get("type", "").strip().lower() in FEED_TYPES:
        url = attributes.get("url", "").strip()
    return name, url


def _address(url: str) -> str:
    """Return the web address; some lists escape `&` twice, some write `feed://` for `http://`."""
    plain = re.sub(r"^feed:(?://)?(?=https?:)", "", url, count=1, flags=re.IGNORECASE)
    plain = re.sub(r"^feed://", "http://", plain, count=1, flags=re.IGNORECASE)
    return safe_web_url(plain.replace("&amp;", "&"))


def _categories(value: str) -> list[str]:
    """Read `/World/Africa,news`: categories between commas, folders between slashes."""
    words = [_topic(word) for category in value.split(",") for word in category.split("/")]
    return [word for word in words if word]


def _topic(name: str) -> str:
    return one_line(name, MAX_TOPIC_CHARACTERS).casefold()


def write_opml(feeds: Sequence[Feed], *, title: str, now: datetime) -> bytes:
    """Return a list of the feeds on the web, each in the folder of its first topic; files stay at home."""
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
