"""Mail page: the HTML of a mail as a tree of elements, with the text that readers see (pure)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

from typing_extensions import override

# Elements without an end tag (HTML standard, 13.1.2).
VOID = frozenset(
    ("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr")
)
UNSEEN = frozenset(("head", "script", "style", "template", "title"))
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_NO_LETTERS = re.compile(r"[\W_]+")


@dataclass(slots=True, eq=False)
class PageElement:
    """An element; `children` are elements and pieces of text, in their order. The root has the tag ""."""

    tag: str
    attributes: dict[str, str] = field(default_factory=dict)
    parent: PageElement | None = None
    children: list[PageElement | str] = field(default_factory=list)

    @property
    def is_unseen(self) -> bool:
        """Return whether mail programs show nothing of it."""
        style = self.attributes.get("style", "")
        return self.tag in UNSEEN or "hidden" in self.attributes or bool(style and _HIDDEN.search(style))

    def elements(self, *tags: str) -> Iterator[PageElement]:
        """Yield the elements inside it with one of these tags, all without tags, in the order of the page."""
        waiting = [child for child in reversed(self.children) if isinstance(child, PageElement)]
        while waiting:
            element = waiting.pop()
            if not tags or element.tag in tags:
                yield element
            waiting += [child for child in reversed(element.children) if isinstance(child, PageElement)]

    def text(self) -> str:
        """Return the text that readers see of it, its white space as spaces.

        The alternative text of a picture counts.
        """
        pieces: list[str] = []
        waiting: list[PageElement | str] = [self]
        while waiting:
            item = waiting.pop()
            if isinstance(item, str):
                pieces.append(item)
            elif item.tag == "img":
                pieces.append(item.attributes.get("alt", ""))
            elif not item.is_unseen:
                waiting += reversed(item.children)
        return " ".join("".join(pieces).split())


def read_page(html: str) -> PageElement:
    """Return the root of the page. An end tag without its start tag is ignored."""
    reader = _PageReader()
    reader.feed(html)
    reader.close()
    return reader.root


def letters(text: str) -> str:
    """Return the letters and digits of a text in lower case.

    Two texts that differ in line breaks, indents, quotation marks and list marks have the same letters.
    """
    return _NO_LETTERS.sub("", text.casefold())


class _PageReader(HTMLParser):
    """Builds the tree. The inliner of styles writes every end tag, so no tag has to be guessed."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = PageElement("")
        self._open = [self.root]

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        parent = self._open[-1]
        element = PageElement(tag, {name: value or "" for name, value in reversed(attrs)}, parent)
        parent.children.append(element)
        if tag not in VOID:
            self._open.append(element)

    @override
    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    @override
    def handle_endtag(self, tag: str) -> None:
        if any(element.tag == tag for element in self._open):
            while self._open.pop().tag != tag:
                pass

    @override
    def handle_data(self, data: str) -> None:
        self._open[-1].children.append(data)
