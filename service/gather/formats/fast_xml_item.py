"""ParsedItem: the item that fast_xml builds, with feedparser's names and rules. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

_C1 = re.compile("[\x80-\x9f]")
_REFERENCE = re.compile("&([A-Za-z0-9_]+);")


class UnsupportedXml(Exception):
    """The document contains something that only feedparser reads correctly."""


class ParsedItem(dict[str, Any]):
    """An item with feedparser's keys, filled in the order of its elements."""

    other_title = has_source = has_content = False

    def add_identifier(self, code: str, value: str) -> None:
        """Add a link, or a guid, which also is the link of an item without one."""
        if code == "link":
            value = value.replace("&amp;", "&")
            self["link"] = _REFERENCE.sub(r"&\g<1>", value) if "&" in value else value
            return
        if "guid" in self:
            raise UnsupportedXml
        self["id"] = self["guid"] = value
        if code == "guid":
            self.setdefault("link", value)

    def begin_source(self, url: str | None) -> None:
        """Add a source without its name. Raises UnsupportedXml for a second one."""
        if "source" in self:
            raise UnsupportedXml
        self["source"] = {"href": url} if url is not None else {}
        self.has_source = True

    def begin_category(self, attributes: Mapping[str, str]) -> None:
        """Add a category with the name that its attributes give; its text may give another."""
        tag = {name: attributes.get(name) for name in ("term", "label")}
        tag["scheme"] = attributes.get("scheme", attributes.get("domain"))
        tags = self.setdefault("tags", [])
        if any(tag.values()):
            tags.append(tag)

    def end_category(self, text: str) -> None:
        """Add the text of a category: as the name of one that has none, else as a category of its own."""
        tags = self["tags"]
        if text and tags and not tags[-1]["term"]:
            tags[-1]["term"] = text
        elif text:
            tags.append({"term": text})

    def add_keywords(self, text: str) -> None:
        """Add each of the words between commas as a category."""
        self.setdefault("tags", []).extend({"term": word} for word in text.split(",") if word.strip())

    def add_picture(self, key: str, attributes: Mapping[str, str]) -> None:
        """Add a picture or another file to those of a key."""
        known = {name.lower(): value for name, value in attributes.items()}
        if "url" not in known:
            raise UnsupportedXml
        kind = known.get("type", "").lower()
        self.setdefault(key, []).append({**known, "type": kind} if kind else known)

    def add_text(self, code: str, value: str, kind: str, guessed: Callable[[str, str], str]) -> None:
        """Add a title or a text. A second summary becomes content, unless the item already has content."""
        if code == "title":
            if "title" in self:
                raise UnsupportedXml
            self |= {"title": value, "title_detail": {"type": guessed(kind or "text/plain", value)}}
            return
        if code in ("description", "summary") and ("summary" not in self or self.has_content):
            kind = guessed(kind or ("text/html" if code == "description" else "text/plain"), value)
            self |= {"summary": value, "summary_detail": {"type": kind}}
            return
        self.has_content = True
        kind = guessed(kind or ("text/html" if code == "encoded" else "text/plain"), value)
        self.setdefault("content", []).append({"type": kind, "value": value})
        self.setdefault("summary", value)

    def validate(self) -> None:
        """Raise UnsupportedXml for an item without a link or with an uncertain title."""
        if not self.get("link") or (self.other_title and (self.has_source or not self.get("title"))):
            raise UnsupportedXml


def element_text(text: str) -> str:
    """Return an element's text. Raises UnsupportedXml for one whose encoding feedparser would repair."""
    text = text.strip()
    if text.isascii():
        return text
    if _C1.search(text):
        raise UnsupportedXml
    try:
        text.encode("iso-8859-1").decode("utf-8")
    except UnicodeError:
        return text
    raise UnsupportedXml
