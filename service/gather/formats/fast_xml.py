"""Plain: feeds of the common kind, read by expat just as feedparser reads them, in a tenth of its time. Pure.

Only what it knows in every detail is read here, and that is most of what is published. At the first thing
beyond it (markup within a text, a doctype, xml:base, an element with rules of its own) it gives up, and
feedparser reads the document. What it returns has feedparser's names and shapes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from xml.parsers import expat

from service.gather.formats.fast_xml_item import ParsedItem, UnsupportedXml, element_text
from service.gather.formats.fast_xml_names import (
    ALLOWED_CHILDREN,
    ATOM,
    CHANNEL_ELEMENT,
    FEED_ELEMENTS,
    IGNORED_ELEMENTS,
    IGNORED_NAMESPACES,
    ITEM_ELEMENT,
    ITEM_ELEMENTS,
    MEDIA,
    PERSON_ELEMENTS,
    RDF,
    RDF_SIBLINGS,
    RSS1,
)

HTML_TYPES = frozenset({"text/html", "application/xhtml+xml"})
_TYPES = {"text": "text/plain", "text/plain": "text/plain", "html": "text/html", "text/html": "text/html"}
_VERSIONS = {"rss": "rss20", f"{RDF} RDF": "rss10", f"{ATOM} feed": "atom10"}
_TELLS_VERSION = {RSS1.lower(): "rss10", ATOM.lower(): "atom10", "http://my.netscape.com/rdf/simple/0.9/": ""}
_XML_LANG = "http://www.w3.org/XML/1998/namespace lang"
_HEEDED = frozenset({"base", "lastmod", "href", "about"})
"""Attributes that mean something wherever they stand."""

_STAYS_WHEN_JOINED = re.compile(r"https?://[\w.-]+/(?:[\w/~%+-]|\.(?!\.))*(?:\?[\w=&%.+-]+)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class FeedparserRules:
    """What we take over from feedparser itself.

    instant      reads a date, as a `struct_time` or None
    joined       resolves an address against a base
    is_markup    guesses whether what calls itself plain text is markup
    prefixes     the prefix that each namespace (in lower case) goes by, "" for those of feeds themselves
    """

    parse_date: Callable[[str], object]
    join_url: Callable[[str, str], str]
    looks_like_html: Callable[[str], bool]
    prefixes: Mapping[str, str]


def read(document: bytes, url: str, rules: FeedparserRules) -> Mapping[str, Any] | None:
    """Return what feedparser would return of the document, as far as we use it; None if it is not plain.

    The document is in UTF-8; `url` is its address, for relative links.
    """
    if url and not url.startswith(("http://", "https://", "file:")):
        return None
    reading = _Reading(rules, url)
    parser = expat.ParserCreate("utf-8", " ")
    parser.buffer_text = True
    parser.StartNamespaceDeclHandler = reading.declared
    parser.StartDoctypeDeclHandler = reading.doctype
    parser.StartElementHandler = reading.start
    parser.EndElementHandler = reading.end
    parser.CharacterDataHandler = reading.said
    try:
        parser.Parse(document, True)  # noqa: FBT003 - expat takes no names
    except (UnsupportedXml, expat.ExpatError):
        return None
    return {"version": reading.version, "feed": reading.feed, "entries": reading.entries}


class _Reading:
    """Where expat is in a document, and what it has told so far."""

    def __init__(self, habits: FeedparserRules, url: str) -> None:
        self.version = ""
        self.feed: dict[str, Any] = {}
        self.entries: list[ParsedItem] = []
        self._habits = habits
        self._base = habits.join_url(url, url) if url else ""
        self._prefixes: dict[str | None, str] = {}
        self._depth = 0
        self._channels = 0
        self._item: ParsedItem | None = None
        self._person: dict[str, str] | None = None
        self._code, self._type, self._text = "", "", ""
        self._skipped, self._may_hold = 0, frozenset[str]()

    # --- what expat calls ----------------------------------------------------------------------

    def doctype(self, *_declaration: object) -> None:
        """Give up: entities may change what everything means."""
        raise UnsupportedXml

    def declared(self, prefix: str | None, uri: str | None) -> None:
        """Note a prefix; give up on one that means two things, or that feedparser tells the format by."""
        uri = uri or ""
        if self._prefixes.setdefault(prefix, uri) != uri and prefix is not None:
            raise UnsupportedXml

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Take up an element."""
        self._depth += 1
        if self._skipped:
            self._within(name)
        elif self._code:
            raise UnsupportedXml  # markup that stands within a text
        elif self._person is not None:
            self._of_person(name)
        elif self._item is not None:
            self._part(name, attributes, self._item)
        elif self._depth == 1:
            self._root(name, attributes)
        elif name == ITEM_ELEMENT[self.version] and self._depth == (3 if self.version == "rss20" else 2):
            self._begin(attributes)
        else:
            self._beside(name, attributes)

    def said(self, text: str) -> None:
        """Keep text where it is asked for."""
        if self._code:
            self._text += text
        elif self._person is not None and not self._skipped and text.strip():
            raise UnsupportedXml  # an author that is text and elements at once

    def end(self, _name: str) -> None:
        """Bring an element to its end."""
        self._depth -= 1
        if self._skipped:
            if self._depth < self._skipped:
                self._skipped = 0
        elif self._code:
            self._tell()
        elif self._person is not None:
            self._named(self._person)
        elif self._item is not None:
            self._item.validate()
            self.entries.append(self._item)
            self._item = None

    # --- beside the items ----------------------------------------------------------------------

    def _root(self, name: str, attributes: Mapping[str, str]) -> None:
        self.version = _VERSIONS.get(name, "")
        told_by = {_TELLS_VERSION.get(uri.lower(), self.version) for uri in self._prefixes.values()}
        wrong = told_by - ({"rss20", "atom10"} if self.version == "rss20" else {self.version})
        if not self.version or wrong or any(_local(key) in _HEEDED for key in attributes):
            raise UnsupportedXml
        if self.version == "rss20" and not attributes.get("version", "").startswith("2."):
            raise UnsupportedXml
        language = attributes.get(_XML_LANG, attributes.get("lang"))
        if language and self.version != "rss10":
            self.feed["language"] = language.replace("_", "-")

    def _beside(self, name: str, attributes: Mapping[str, str]) -> None:
        if self._depth == 2 and self.version != "atom10":
            if name == CHANNEL_ELEMENT[self.version]:
                self._open_channel(attributes)
            elif name in RDF_SIBLINGS:
                self._skip(name)
            else:
                raise UnsupportedXml
        elif (code := FEED_ELEMENTS.get(name)) is not None:
            # Of two titles the first would count, of two languages the last; and a description after a
            # summary makes another thing of the texts in the first item.
            if (code in self.feed and code != "language") or (
                code == "description" and "summary" in self.feed
            ):
                raise UnsupportedXml
            self._listen(code, attributes, may_have={"type"} if self.version == "atom10" else set())
        else:
            self._skip(name)

    def _open_channel(self, attributes: Mapping[str, str]) -> None:
        self._channels += 1
        if self._channels > 1 or any(_local(key) in _HEEDED - {"about"} for key in attributes):
            raise UnsupportedXml

    # --- the items -----------------------------------------------------------------------------

    def _begin(self, attributes: Mapping[str, str]) -> None:
        heeded = {key: value for key, value in attributes.items() if _local(key) in _HEEDED}
        about = heeded.pop(f"{RDF} about", None) if self.version == "rss10" else None
        if heeded:
            raise UnsupportedXml
        self._item = ParsedItem(id=about) if about else ParsedItem()

    def _part(self, name: str, attributes: Mapping[str, str], item: ParsedItem) -> None:
        code = ITEM_ELEMENTS.get(name)
        if code == "id":
            permalink = attributes.get("isPermaLink", "true") == "true"
            self._listen("guid" if permalink else "id", attributes, may_have={"isPermaLink"})
        elif name == f"{ATOM} link":
            self._link(attributes, item)
        elif code == "author" and self.version == "atom10" and name == f"{ATOM} author":
            if "author" in item:
                raise UnsupportedXml  # feedparser would give one the other's address
            self._person = {}
        elif code is not None:
            self._listen(code, attributes, may_have={"type"} if name.startswith(ATOM) else set())
        elif name == f"{MEDIA} title":
            item.other_title = True
            self._skip(name)
        else:
            item.has_source = item.has_source or name == "source"
            self._skip(name)

    def _of_person(self, name: str) -> None:
        code = PERSON_ELEMENTS.get(name)
        if code is None:
            raise UnsupportedXml
        self._listen(code, {}, may_have=set())

    def _named(self, person: Mapping[str, str]) -> None:
        assert self._item is not None  # noqa: S101 - for the type checker: persons stand in items
        name, email = person.get("name"), person.get("email")
        self._item["author"] = f"{name} ({email})" if name and email else name or email or ""
        self._person = None

    def _link(self, attributes: Mapping[str, str], item: ParsedItem) -> None:
        if any(_local(key) in ("url", "uri", "base") or " " in key for key in attributes if key != _XML_LANG):
            raise UnsupportedXml
        href = attributes.get("href")
        if href is None:
            raise UnsupportedXml
        kind = attributes.get("type", "text/html").lower()
        if attributes.get("rel", "alternate").lower() == "alternate" and _TYPES.get(kind, kind) in HTML_TYPES:
            item["link"] = self._joined(href)
        self._skip("")

    # --- texts ---------------------------------------------------------------------------------

    def _listen(self, code: str, attributes: Mapping[str, str], *, may_have: set[str]) -> None:
        if any(key not in may_have and key != _XML_LANG for key in attributes):
            raise UnsupportedXml
        kind = attributes.get("type", "").lower() if "type" in may_have else ""
        if kind and kind not in _TYPES:
            raise UnsupportedXml
        self._code, self._type, self._text = code, _TYPES.get(kind, ""), ""

    def _tell(self) -> None:
        code, value = self._code, element_text(self._text)
        self._code = ""
        if self._person is not None:
            self._person[code] = value
        elif self._item is None:
            self.feed[code] = value
        elif code in ("published", "updated", "created"):
            self._item[f"{code}_parsed"] = self._habits.parse_date(value)
        elif code in ("link", "guid", "id"):
            self._item.add_identifier(code, self._joined(value) if value and code != "id" else value)
        elif code == "author":
            self._item[code] = value
        else:
            self._item.add_text(code, value, self._type, self._guessed)

    def _guessed(self, kind: str, value: str) -> str:
        """Return the type of a text; what calls itself plain may be markup all the same, except in Atom."""
        if kind != "text/plain" or self.version == "atom10" or ("<" not in value and "&" not in value):
            return kind
        return "text/html" if self._habits.looks_like_html(value) else kind

    def _joined(self, link: str) -> str:
        return link if _STAYS_WHEN_JOINED.fullmatch(link) else self._habits.join_url(self._base, link)

    # --- what is left out ----------------------------------------------------------------------

    def _skip(self, name: str) -> None:
        """Pass over an element, if it and what it may hold have no part in the articles."""
        self._skipped = self._depth
        parts = IGNORED_ELEMENTS["item" if self._item is not None else self.version]
        if not name:
            self._may_hold = frozenset()
        elif name in parts:
            self._may_hold = parts[name]
        elif self._is_foreign(name):
            self._may_hold = ALLOWED_CHILDREN.get(name, frozenset({name.rpartition(" ")[0]}))
        else:
            raise UnsupportedXml

    def _within(self, name: str) -> None:
        if name == f"{MEDIA} title" and self._item is not None and name in self._may_hold:
            self._item.other_title = True
        elif name not in self._may_hold and not (
            (uri := name.rpartition(" ")[0]) in self._may_hold and uri not in IGNORED_NAMESPACES
        ):
            raise UnsupportedXml

    def _is_foreign(self, name: str) -> bool:
        """Tell whether feedparser keeps an element to itself: one without meaning to it, or unknown."""
        uri, _, local = name.rpartition(" ")
        if uri in IGNORED_NAMESPACES:
            return local not in IGNORED_NAMESPACES[uri]
        if not uri or uri.lower() in self._habits.prefixes or "backend.userland.com/rss" in uri.lower():
            return False
        prefixes = [prefix for prefix, meant in self._prefixes.items() if meant == uri]
        known = self._habits.prefixes.values()
        return bool(prefixes) and all(p and p.lower() not in known for p in prefixes)


def _local(name: str) -> str:
    return name.rpartition(" ")[2].lower()
