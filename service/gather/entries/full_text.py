"""Full text: extract an article from its web page.

Pure and CPU-heavy: it runs in a worker process with a time limit, on pages of limited size.
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from typing import Any

from service.core.model import BlockKind
from service.gather.cleaning.block_text import MAX_TEXT_CHARACTERS, BlockDraft, assemble, shortened
from service.gather.cleaning.markup import plain_text
from service.gather.entries.boilerplate import COOKIE_CONSENT, PAYWALL, compiled
from service.gather.entries.language import detect_language

MAX_PAGE_BYTES = 2 * 1024 * 1024
MAX_PAGE_TAGS = 60_000  # the extraction time grows faster than the number of tags
MIN_TEXT_CHARACTERS = 250  # a shorter text is no article
MIN_SHARED_WORDS_RATIO = 0.4  # of the words in the feed's title and teaser that the page must contain
MAX_PAYWALL_CHARACTERS = 1_500  # a longer text contains the article, whatever it says of subscriptions
MIN_CELL_CHARACTERS = 80  # a shorter table cell is data, not text
NON_TEXT_TAGS = ("script", "style", "noscript", "template", "svg", "iframe", "canvas", "nav")

_WALL = compiled(rf"\b{PAYWALL}\b")
_CONSENT = compiled(rf"\b{COOKIE_CONSENT}\b")
_WORDS = re.compile(r"\w{4,}")


@dataclass(frozen=True, slots=True)
class ExtractedPage:
    """The article's text and its language. `reason` says why the text is empty, "" when it is not."""

    text: str
    language: str
    reason: str = ""


def read_page(page: bytes, title: str, teaser: str, url: str = "", declared: str = "") -> ExtractedPage:
    """Extract the article from an HTML page; `declared` is the language that the feed declares."""
    text, reason = extract_article(page, title=title, teaser=teaser, url=url)
    return ExtractedPage(text, detect_language(text, declared), reason)


def extract_article(page: bytes, *, title: str, teaser: str, url: str = "") -> tuple[str, str]:
    """Return the article's text and "", or "" and the reason why the page has no usable text.

    `title` and `teaser` come from the feed; a text without their words belongs to another page.
    """
    if len(page) > MAX_PAGE_BYTES or page.count(b"<") > MAX_PAGE_TAGS:
        return "", "the page is too large"
    if b"\x00" in page[:1024] or page.startswith((b"%PDF", b"PK\x03\x04", b"\x89PNG", b"\xff\xd8\xff")):
        return "", "the page is not HTML"
    text = shortened(extract_text(page, url), MAX_TEXT_CHARACTERS)
    if len(text) < MIN_TEXT_CHARACTERS:
        return "", "the page has hardly any text"
    if is_paywall(text):
        return "", "the page asks for a subscription or for consent"
    if not is_same_subject(f"{title} {teaser}", text):
        return "", "the page is about something else"
    return text, ""


def extract_text(page: bytes, url: str = "") -> str:
    """Return the main text of a page as trafilatura finds it; paragraphs and headings are separated."""
    import trafilatura  # noqa: PLC0415 - takes 0.8 s, in workers only

    logging.getLogger("trafilatura").setLevel(logging.CRITICAL)
    tree = trafilatura.load_html(page)
    if tree is None:
        return ""
    _drop_non_text(tree)
    found = trafilatura.extract(tree, url=url or None, fast=True, include_comments=False) or ""
    parts = (part for line in found.split("\n") for part in _parts(line))
    return assemble(BlockDraft(BlockKind.PARAGRAPH, part) for part in parts).text


def _drop_non_text(tree: Any) -> None:  # noqa: ANN401 - lxml's elements, which ship no types
    """Remove elements without article text, because trafilatura copies and searches the tree a dozen times.

    JSON-LD stays, because it may contain the article; forms stay, because some sites put the page into one.
    """
    for element in list(tree.iter(*NON_TEXT_TAGS)):
        if element.getparent() is not None and element.get("type") != "application/ld+json":
            element.drop_tree()


def _parts(line: str) -> list[str]:
    """Return a line of extracted text without list marks; of a table row only the cells with text.

    Rows are kept because old pages use tables for their layout, with the article in a cell.
    """
    if line.startswith("|"):
        return [
            cell for cell in (part.strip() for part in line.split("|")) if len(cell) >= MIN_CELL_CHARACTERS
        ]
    return [line.removeprefix("- ")]


def is_paywall(text: str) -> bool:
    """Return whether a text is that of a paywall or a cookie banner instead of an article."""
    if len(_CONSENT.findall(text)) >= 2 and len(text) < 2 * MAX_PAYWALL_CHARACTERS:
        return True
    walls = len(_WALL.findall(text))
    return bool(walls) and len(text) < MAX_PAYWALL_CHARACTERS


def is_same_subject(feed_text: str, text: str) -> bool:
    """Return whether the page's text contains enough of the longer words of the feed's text."""
    words = {word.casefold() for word in _WORDS.findall(plain_text(feed_text))}
    if len(words) < 4:
        return True
    page = text.casefold()
    return sum(1 for word in words if word in page) >= MIN_SHARED_WORDS_RATIO * len(words)
