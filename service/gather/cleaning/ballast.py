"""Ballast: remove what a browser does not show as text, so that size limits count an article's text. Pure.

Scripts, styles, comments, drawings and data: URIs are often nine tenths of a page. One linear pass removes
them before anything is parsed. It does not have to be exact: parsers and the sanitizer follow.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

MAX_ATTRIBUTE_CHARACTERS = 400  # a longer value is data for a script; addresses and alternative texts fit

_OPENING = re.compile(r"<(!--|(?i:script|style|svg)(?=[\s>/]))")
_COMMENT_END = re.compile(r"--!?>")
_ENDS = {
    "script": re.compile(r"(?i)</script(?=[\s>/])[^<>]{0,200}>"),
    "style": re.compile(r"(?i)</style(?=[\s>/])[^<>]{0,200}>"),
}
_DRAWING_EDGE = re.compile(r"(?i)<(/?)svg(?=[\s>/])([^<>]{0,4000}?)(/?)>")
_TAG_REST = re.compile(r"[^>]{0,2000}>")
_ARTICLE_DATA = re.compile(r"(?i)application/ld\+json")
_DATA_URI = re.compile(
    r"(?i)\bdata:[\w.+-]{1,40}/[\w.+-]{1,60}(?:;[\w=.-]{1,40}){0,4},[\w+/=%&;.:,!$*()@~-]*+"
)
_LONG_VALUES = {
    '"': re.compile(rf'="[^"<>]{{{MAX_ATTRIBUTE_CHARACTERS},}}+"'),
    "'": re.compile(rf"='[^'<>]{{{MAX_ATTRIBUTE_CHARACTERS},}}+'"),
}


def without_ballast(html: str, *, keep_article_data: bool = False) -> str:
    """Return the HTML without scripts, styles, comments, drawings, data: URIs and long attribute values.

    `keep_article_data` keeps JSON-LD, which may contain the article. An element or comment without an end
    stays. The time is linear in the length.
    """
    if "<" in html:
        html = "".join(_kept_pieces(html, keep_article_data=keep_article_data))
    if ":" in html and "data:" in html.lower():
        html = _DATA_URI.sub("data:,", html)
    for quote, values in _LONG_VALUES.items():
        if quote in html:
            html = values.sub('=""', html)
    return html


def _kept_pieces(html: str, *, keep_article_data: bool) -> Iterator[str]:
    """Yield the pieces of the HTML between comments, scripts, styles and drawings."""
    without_end: set[str] = set()
    kept_from = at = 0
    while opening := _OPENING.search(html, at):
        name = opening[1].lower()
        at = opening.end()
        if name in without_end:
            continue
        tag = "" if name == "!--" else _tag_rest(html, at)
        end = _end_of(html, name, at, tag)
        if end is None:
            without_end.add(name)
        elif keep_article_data and name == "script" and _ARTICLE_DATA.search(tag):
            at = end
        else:
            yield html[kept_from : opening.start()]
            # What is removed may stand between two words.
            yield " " if name == "svg" else ""
            kept_from = at = end
    yield html[kept_from:]


def _tag_rest(html: str, at: int) -> str:
    rest = _TAG_REST.match(html, at)
    return rest[0] if rest else ""


def _end_of(html: str, name: str, at: int, tag: str) -> int | None:
    """Return where the element or comment ends whose opening ends at `at`; None if it has no end."""
    if name == "!--":
        if html.startswith((">", "->"), at):  # an empty comment (WHATWG HTML, 13.2.5.43)
            return html.index(">", at) + 1
        found = _COMMENT_END.search(html, at)
        return found.end() if found else None
    if name != "svg":
        found = _ENDS[name].search(html, at)
        return found.end() if found else None
    if tag.endswith("/>"):
        return at + len(tag)
    depth = 1
    for edge in _DRAWING_EDGE.finditer(html, at):
        depth += -1 if edge[1] else 0 if edge[3] else 1
        if not depth:
            return edge.end()
    return None
