"""OPML: lists of feeds in and out, as every feed reader exchanges them (opml.org, version 2.0). Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from xml.etree import ElementTree as ET

from service.core.errors import FeedUnreadable
from service.core.model import Feed
from service.gather.clean import one_line, web_url, without_poison
from service.gather.rss_atom import to_utf8

MOST_FEEDS = 5_000
DEEPEST = 50
LONGEST_TOPIC = 64


@dataclass(frozen=True, slots=True)
class Listed:
    """A feed as a list names it. The folders that it lies in, and its categories, are its topics."""

    url: str
    name: str
    topics: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Listing:
    """What a list holds: its feeds, each once, and a sentence for each line that was left out."""

    feeds: tuple[Listed, ...]
    left_out: tuple[str, ...] = ()


def read_opml(body: bytes) -> Listing:
    """Read a list. Raises FeedUnreadable for bytes that are no OPML, with the line where they break."""
    try:
        root = ET.fromstring(to_utf8(body))  # noqa: S314 - the doctype and its entities are gone by now
    except ET.ParseError as error:
        # One line was put before the document, unless it brought an XML declaration of its own.
        shift = 0 if body.lstrip().startswith(b"<?xml") else 1
        line = max(1, error.position[0] - shift)
        raise FeedUnreadable(
            f"the list is broken in line {line}: {ET_ERRORS.get(error.code, 'not well-formed')}"
        ) from None
    if root.tag.lower() != "opml":
        raise FeedUnreadable(f"no list of feeds: it begins with <{root.tag[:40]}>, not with <opml>")
    found: dict[str, Listed] = {}
    left_out: list[str] = []
    for name, url, topics in _outlines(root, (), 0):
        address = web_url(url)
        if not address:
            left_out.append(f"{name or 'a feed without a name'}: {one_line(url, 100)!r} is no web address")
        elif len(found) >= MOST_FEEDS:
            left_out.append(f"{name}: only {MOST_FEEDS} feeds are taken")
        elif address in found:
            kept = found[address]
            found[address] = Listed(address, kept.name, tuple(dict.fromkeys([*kept.topics, *topics])))
        else:
            found[address] = Listed(address, name or address, topics)
    return Listing(tuple(found.values()), tuple(left_out))


ET_ERRORS = {
    3: "it holds no element",
    4: "not well-formed",
    7: "the tags do not match",
    9: "something follows the end",
}
"""What expat's most common error codes say."""


def _outlines(
    element: ET.Element, folders: tuple[str, ...], depth: int
) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Yield name, address and topics of every feed below the element."""
    for child in element:
        values = {key.lower(): value for key, value in child.attrib.items()}
        name = one_line(values.get("title") or values.get("text") or "", 100)
        url = values.get("xmlurl") or (
            values.get("url", "") if values.get("type", "").lower() in ("rss", "atom") else ""
        )
        inside = folders
        if url.strip():
            yield name, url, tuple(dict.fromkeys([*folders, *_categories(values.get("category", ""))]))
        elif name and child.tag.lower() == "outline":
            inside = (*folders, _topic(name))
        if depth < DEEPEST:
            yield from _outlines(child, inside, depth + 1)


def _categories(value: str) -> list[str]:
    """Read `/World/Africa,news`: categories between commas, folders between slashes."""
    words = [_topic(word) for category in value.split(",") for word in category.split("/")]
    return [word for word in words if word]


def _topic(name: str) -> str:
    return one_line(name, LONGEST_TOPIC).casefold()


def write_opml(feeds: Sequence[Feed], *, title: str, now: datetime) -> bytes:
    """Return a list of the feeds on the web, each in the folder of its first topic; files stay at home."""
    root = ET.Element("opml", version="2.0")
    head = ET.SubElement(root, "head")
    ET.SubElement(head, "title").text = without_poison(title)
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
        name = without_poison(feed.name)
        entry = ET.SubElement(folder, "outline", type="rss", text=name, title=name, xmlUrl=feed.url)
        if len(feed.topics) > 1:
            entry.set("category", ",".join(f"/{topic}" for topic in feed.topics[1:]))
    ET.indent(root)
    written: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return written + b"\n"
