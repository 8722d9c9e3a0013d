"""Page: the full text of an article from the web page that its feed only gives a taste of.

Pure and heavy: it runs in a worker process, with a limit of size before it and a deadline around it.
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from typing import Any

from service.gather.entries.boilerplate import COOKIE_CONSENT, PAYWALL, compiled
from service.gather.entries.language import detect_language
from service.gather.entries.markup import MAX_TEXT_CHARACTERS, paragraphs, plain_text, shortened

MAX_PAGE_BYTES = 2 * 1024 * 1024
MAX_PAGE_TAGS = 60_000
MIN_TEXT_CHARACTERS = 250
MIN_SHARED_WORDS_RATIO = 0.4
MAX_PAYWALL_CHARACTERS = 1_500
MIN_CELL_CHARACTERS = 80
NON_TEXT_TAGS = ("script", "style", "noscript", "template", "svg", "iframe", "canvas", "nav")

_WALL = compiled(rf"\b{PAYWALL}\b")
_CONSENT = compiled(rf"\b{COOKIE_CONSENT}\b")
_WORDS = re.compile(r"\w{4,}")


@dataclass(frozen=True, slots=True)
class ExtractedPage:
    """What a page gave: the article's text and its language, or `why` it gave none."""

    text: str
    language: str
    reason: str = ""


def read_page(page: bytes, title: str, teaser: str, url: str = "", declared: str = "") -> ExtractedPage:
    """Return the article's text out of an HTML page; `declared` is the language its feed claims."""
    text, why = extract_article(page, title=title, teaser=teaser, url=url)
    return ExtractedPage(text, detect_language(text, declared), why)


def extract_article(page: bytes, *, title: str, teaser: str, url: str = "") -> tuple[str, str]:
    """Return the article's text out of an HTML page, and why there is none ("" when there is).

    `title` and `teaser` are what the feed says; a text that has nothing to do with them is another page's.
    """
    if len(page) > MAX_PAGE_BYTES or page.count(b"<") > MAX_PAGE_TAGS:
        return "", "the page is too large"
    if b"\x00" in page[:1024] or page.startswith((b"%PDF", b"PK\x03\x04", b"\x89PNG", b"\xff\xd8\xff")):
        return "", "the page is no web page"
    text = shortened(extract_text(page, url), MAX_TEXT_CHARACTERS)
    if len(text) < MIN_TEXT_CHARACTERS:
        return "", "the page holds hardly any text"
    if is_paywall(text):
        return "", "the page asks for a subscription or for consent"
    if not is_same_subject(f"{title} {teaser}", text):
        return "", "the page tells something else"
    return text, ""


def extract_text(page: bytes, url: str = "") -> str:
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
    for element in list(tree.iter(*NON_TEXT_TAGS)):
        if element.getparent() is not None and element.get("type") != "application/ld+json":
            element.drop_tree()


def _said(line: str) -> list[str]:
    """Return what a line of extracted text says: list marks go, and of a table's row what is no mere cell.

    Whole articles stand in the tables that old pages are laid out with, so that rows are not thrown away.
    """
    if line.startswith("|"):
        return [
            cell for cell in (part.strip() for part in line.split("|")) if len(cell) >= MIN_CELL_CHARACTERS
        ]
    return [line.removeprefix("- ")]


def is_paywall(text: str) -> bool:
    """Tell whether a text is what a pay wall or a cookie banner leaves of an article."""
    if len(_CONSENT.findall(text)) >= 2 and len(text) < 2 * MAX_PAYWALL_CHARACTERS:
        return True
    walls = len(_WALL.findall(text))
    return bool(walls) and len(text) < MAX_PAYWALL_CHARACTERS


def is_same_subject(feed_text: str, text: str) -> bool:
    """Tell whether a page's text is about what the feed told: enough of its longer words occur."""
    words = {word.casefold() for word in _WORDS.findall(plain_text(feed_text))}
    if len(words) < 4:
        return True
    there = text.casefold()
    return sum(1 for word in words if word in there) >= MIN_SHARED_WORDS_RATIO * len(words)
