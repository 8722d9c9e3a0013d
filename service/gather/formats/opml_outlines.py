"""Outlines of an OPML document, read twice: as XML, and where it is none, outline by outline. Pure.

Most lists in the world are not well-formed: they hold a raw `&` in an address, a raw `<` or raw quotes in a
title, an entity of HTML, text before or behind the document, or they break off. Both readings take time in
proportion to the length of the document, at any depth.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from xml.parsers import expat

from service.core.errors import FeedUnreadable

MAX_OUTLINE_CHARACTERS = 64 * 1024  # characters of one tag; a longer one has lost its end

_MARK = re.compile(r"<(/?)(?:[\w-]{1,40}:)?(outline|body|opml)(?=[\s/>])", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"(?<![\w:.-])([A-Za-z_][\w:.-]{0,63})\s{0,100}=\s{0,100}([\"'])")
# What can stand behind the quote that ends a value: another attribute, or the end of the tag.
_BEHIND = re.compile(
    r"\s{0,100}(?:[A-Za-z_][\w:.-]{0,63}\s{0,100}=\s{0,100}[\"']|(/?)\s{0,100}>\s{0,100}(?:<|$))"
)
_BARE = re.compile(r"\s{0,100}(/?)\s{0,100}>")
_REFERENCE = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_SAYS = {
    3: "it holds no element",
    4: "not well-formed",
    7: "the tags do not match",
    9: "something follows the end",
}
"""What expat's most common error codes say."""


@dataclass(frozen=True, slots=True)
class Outline:
    """An outline: its line, how many others it lies in, and its attributes by lower-case name.

    `broken` says why it cannot be used; empty for one that can.
    """

    line: int
    depth: int
    attributes: Mapping[str, str]
    fault: str = ""


def strict_outlines(document: bytes) -> list[Outline]:
    """Return the outlines of a well-formed document in UTF-8. Raises FeedUnreadable for any other."""
    found: list[Outline] = []
    path: list[str] = []
    depth = 0
    parser = expat.ParserCreate("utf-8")

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        name = tag.rpartition(":")[2].lower()
        if not path and name != "opml":
            raise FeedUnreadable(f"no list of feeds: it begins with <{tag[:40]}>, not with <opml>")
        if name == "outline":
            values = {key.lower(): value for key, value in attributes.items()}
            found.append(Outline(parser.CurrentLineNumber, depth, values))
            depth += 1
        path.append(name)

    def end(_tag: str) -> None:
        nonlocal depth
        depth -= path.pop() == "outline"

    parser.StartElementHandler, parser.EndElementHandler = start, end
    try:
        parser.Parse(document, True)  # noqa: FBT003 - expat takes it by position: the document is whole
    except expat.ExpatError as error:
        says = _SAYS.get(error.code, "not well-formed")
        raise FeedUnreadable(f"the list is broken in line {error.lineno}: {says}") from None
    return found


def lenient_outlines(text: str) -> Iterator[Outline]:
    """Yield the outlines of any text: of each tag what can be read of it, up to where the next one begins."""
    text = _without_comments(text)
    depth, line, counted = 0, 1, 0
    marks = list(_MARK.finditer(text))
    for number, mark in enumerate(marks):
        if mark[2].lower() != "outline":
            continue
        if mark[1]:
            depth = max(0, depth - 1)
            continue
        end = marks[number + 1].start() if number + 1 < len(marks) else len(text)
        line, counted = line + text.count("\n", counted, mark.start()), mark.start()
        outline, closed = _read(text[mark.end() : min(end, mark.end() + MAX_OUTLINE_CHARACTERS)], line, depth)
        yield outline
        depth += not closed


def _read(tag: str, line: int, depth: int) -> tuple[Outline, bool]:
    """Return the outline whose tag this begins with, and whether the tag closes itself."""
    values: dict[str, str] = {}
    at, closed, ended = 0, False, False
    while not ended and (begin := _ATTRIBUTE.search(tag, at)):
        end, behind = _end_of_value(tag, begin.end(), begin[2])
        if behind is None:
            break
        values.setdefault(begin[1].lower(), unescaped(tag[begin.end() : end]))
        at, ended = end + 1, behind[1] is not None
        closed = behind[1] == "/"
    if not values and (bare := _BARE.match(tag)):
        ended, closed = True, bare[1] == "/"
    broken = ""
    if not ended:
        closed = tag[: tag.rfind(">")].endswith("/")
        broken = "its attributes cannot be told apart" if ">" in tag else "it breaks off"
    elif "xmlurl" not in values and "xmlurl" in tag.lower():
        broken = "its address cannot be read"
    return Outline(line, depth, values, broken), closed


def _without_comments(text: str) -> str:
    """Return the text on as many lines; a comment without an end is none."""
    pieces, at = [], 0
    while (start := text.find("<!--", at)) >= 0 and (end := text.find("-->", start)) >= 0:
        pieces += [text[at:start], "\n" * text.count("\n", start, end)]
        at = end + 3
    return "".join([*pieces, text[at:]])


def _end_of_value(tag: str, at: int, quote: str) -> tuple[int, re.Match[str] | None]:
    """Return where the value that begins at `at` ends, and what stands behind its quote; None without an end.

    A quote inside a value is followed by neither an attribute nor the end of the tag.
    """
    while (at := tag.find(quote, at)) >= 0:
        if behind := _BEHIND.match(tag, at + 1):
            return at, behind
        at += 1
    return at, None


def unescaped(value: str) -> str:
    """Return the text with its references read; an `&` that begins none is itself."""
    return _REFERENCE.sub(lambda reference: html.unescape(reference[0]), value)
