"""ParsedItem: the item that fast_xml builds, with feedparser's names and rules. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
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
