"""Page: the full text of an article from the web page that its feed only gives a taste of.

Pure and heavy: it runs in a worker process, with a limit of size before it and a deadline around it.
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from typing import Any

from service.gather.entries.boilerplate import CONSENT, WALL, compiled
from service.gather.entries.language import language_of
from service.gather.entries.markup import MOST_TEXT, paragraphs, plain_text, shortened

LARGEST = 2 * 1024 * 1024
MOST_TAGS = 60_000
LEAST = 250
AKIN = 0.4
WALL_BELOW = 1_500
LONGEST_CELL = 80
MACHINERY = ("script", "style", "noscript", "template", "svg", "iframe", "canvas", "nav")

_WALL = compiled(rf"\b{WALL}\b")
_CONSENT = compiled(rf"\b{CONSENT}\b")
_WORDS = re.compile(r"\w{4,}")


@dataclass(frozen=True, slots=True)
class PageRead:
    """What a page gave: the article's text and its language, or `why` it gave none."""

    text: str
    language: str
    why: str = ""


def read_page(page: bytes, title: str, teaser: str, url: str = "", declared: str = "") -> PageRead:
    """Return the article's text out of an HTML page; `declared` is the language its feed claims."""
    text, why = page_text(page, title=title, teaser=teaser, url=url)
    return PageRead(text, language_of(text, declared), why)


def page_text(page: bytes, *, title: str, teaser: str, url: str = "") -> tuple[str, str]:
    """Return the article's text out of an HTML page, and why there is none ("" when there is).

    `title` and `teaser` are what the feed says; a text that has nothing to do with them is another page's.
    """
    if len(page) > LARGEST or page.count(b"<") > MOST_TAGS:
        return "", "the page is too large"
    if b"\x00" in page[:1024] or page.startswith((b"%PDF", b"PK\x03\x04", b"\x89PNG", b"\xff\xd8\xff")):
        return "", "the page is no web page"
    text = shortened(extracted(page, url), MOST_TEXT)
    if len(text) < LEAST:
        return "", "the page holds hardly any text"
    if is_wall(text):
        return "", "the page asks for a subscription or for consent"
    if not akin(f"{title} {teaser}", text):
        return "", "the page tells something else"
    return text, ""


def extracted(page: bytes, url: str = "") -> str:
    """Return what trafilatura takes for the article's text, as paragraphs; headings stand on their own."""
    import trafilatura  # noqa: PLC0415 - 0.8 s that only a worker pays

    logging.getLogger("trafilatura").setLevel(logging.CRITICAL)
    tree = trafilatura.load_html(page)
    if tree is None:
        return ""
    _without_machinery(tree)
    found = trafilatura.extract(tree, url=url or None, fast=True, include_comments=False) or ""
    return paragraphs(sentences for line in found.split("\n") for sentences in _said(line))


def _without_machinery(tree: Any) -> None:  # noqa: ANN401 - lxml's elements, which ship no types
    """Take out of a page what is never an article, before it is copied and searched a dozen times over.

    Articles told as data (JSON-LD) stay, and so do forms, which some sites lay whole pages in.
    """
    for element in list(tree.iter(*MACHINERY)):
        if element.getparent() is not None and element.get("type") != "application/ld+json":
            element.drop_tree()


def _said(line: str) -> list[str]:
    """Return what a line of extracted text says: list marks go, and of a table's row what is no mere cell.

    Whole articles stand in the tables that old pages are laid out with, so that rows are not thrown away.
    """
    if line.startswith("|"):
        return [cell for cell in (part.strip() for part in line.split("|")) if len(cell) >= LONGEST_CELL]
    return [line.removeprefix("- ")]


def is_wall(text: str) -> bool:
    """Tell whether a text is what a pay wall or a cookie banner leaves of an article."""
    if len(_CONSENT.findall(text)) >= 2 and len(text) < 2 * WALL_BELOW:
        return True
    walls = len(_WALL.findall(text))
    return bool(walls) and len(text) < WALL_BELOW


def akin(told: str, text: str) -> bool:
    """Tell whether a page's text is about what the feed told: enough of its longer words occur."""
    words = {word.casefold() for word in _WORDS.findall(plain_text(told))}
    if len(words) < 4:
        return True
    there = text.casefold()
    return sum(1 for word in words if word in there) >= AKIN * len(words)
