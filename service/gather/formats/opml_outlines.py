"""Outlines of an OPML document, read by a strict XML parser or by a lenient one. Pure.

Most lists are not well-formed: they have a raw `&` in an address, a raw `<` or raw quotes in a title, an HTML
entity, text before or after the document, or they are incomplete. Both parsers take time linear in the length
of the document, at any depth.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from xml.parsers import expat

from service.core.errors import FeedUnreadable

MAX_OUTLINE_CHARACTERS = 64 * 1024  # of one tag; a longer tag is unclosed

_MARK = re.compile(r"<(/?)(?:[\w-]{1,40}:)?(outline|body|opml)(?=[\s/>])", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"(?<![\w:.-])([A-Za-z_][\w:.-]{0,63})\s{0,100}=\s{0,100}([\"'])")
# What can follow the quote that ends a value: another attribute, or the end of the tag.
_AFTER_VALUE = re.compile(
    r"\s{0,100}(?:[A-Za-z_][\w:.-]{0,63}\s{0,100}=\s{0,100}[\"']|(/?)\s{0,100}>\s{0,100}(?:<|$))"
)
_BARE = re.compile(r"\s{0,100}(/?)\s{0,100}>")
_REFERENCE = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_ERRORS = {
    3: "it holds no element",
    4: "not well-formed",
    7: "the tags do not match",
    9: "there is text after the end",
}
"""The most common error codes of expat."""


@dataclass(frozen=True, slots=True)
class Outline:
    """An outline: its line, its depth of nesting, and its attributes by lower-case name.

    `fault` says why it cannot be used, "" for a valid one.
    """

    line: int
    depth: int
    attributes: Mapping[str, str]
    fault: str = ""


def strict_outlines(document: bytes) -> list[Outline]:
    """Return the outlines of a UTF-8 document. Raises FeedUnreadable when it is not well-formed OPML."""
    found: list[Outline] = []
    path: list[str] = []
    depth = 0
    parser = expat.ParserCreate("utf-8")

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        name = tag.rpartition(":")[2].lower()
        if not path and name != "opml":
            raise FeedUnreadable(f"not a list of feeds: it starts with <{tag[:40]}>, not with <opml>")
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
        parser.Parse(document, True)  # noqa: FBT003 - expat accepts no keyword
    except expat.ExpatError as error:
        message = _ERRORS.get(error.code, "not well-formed")
        raise FeedUnreadable(f"the list is broken in line {error.lineno}: {message}") from None
    return found


def lenient_outlines(text: str) -> Iterator[Outline]:
    """Yield the outlines of any text, with the readable attributes of each tag."""
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
    """Return the outline whose tag starts here, and whether the tag closes itself."""
    values: dict[str, str] = {}
    at, closed, ended = 0, False, False
    while not ended and (begin := _ATTRIBUTE.search(tag, at)):
        end, after = _end_of_value(tag, begin.end(), begin[2])
        if after is None:
            break
        values.setdefault(begin[1].lower(), unescaped(tag[begin.end() : end]))
        at, ended = end + 1, after[1] is not None
        closed = after[1] == "/"
    if not values and (bare := _BARE.match(tag)):
        ended, closed = True, bare[1] == "/"
    fault = ""
    if not ended:
        closed = tag[: tag.rfind(">")].endswith("/")
        fault = "its attributes cannot be separated" if ">" in tag else "it is incomplete"
    elif "xmlurl" not in values and "xmlurl" in tag.lower():
        fault = "its address cannot be read"
    return Outline(line, depth, values, fault), closed


def _without_comments(text: str) -> str:
    """Return the text without its comments, with the same line numbers; an unclosed comment is kept."""
    pieces, at = [], 0
    while (start := text.find("<!--", at)) >= 0 and (end := text.find("-->", start)) >= 0:
        pieces += [text[at:start], "\n" * text.count("\n", start, end)]
        at = end + 3
    return "".join([*pieces, text[at:]])


def _end_of_value(tag: str, at: int, quote: str) -> tuple[int, re.Match[str] | None]:
    """Return the end of the value that starts at `at` and the match after its quote (None: unclosed).

    A quote inside a value is followed by neither an attribute nor the end of the tag.
    """
    while (at := tag.find(quote, at)) >= 0:
        if after := _AFTER_VALUE.match(tag, at + 1):
            return at, after
        at += 1
    return at, None


def unescaped(value: str) -> str:
    """Return the text with its character references decoded; any other `&` is kept."""
    return _REFERENCE.sub(lambda reference: html.unescape(reference[0]), value)
