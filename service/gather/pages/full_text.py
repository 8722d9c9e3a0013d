"""Full text: the article of a web page, or the reason why the feed's own text is better.

Pure and CPU-heavy: it runs in a worker process with a time limit, on pages of limited size.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from service.core.model import Block
from service.gather.cleaning.block_text import BlockText
from service.gather.cleaning.markup import read_markup
from service.gather.entries.page_paths import LearnedPath
from service.gather.formats.charset import decode_document
from service.gather.language import detect_language
from service.gather.pages.text_choice import chosen_text, without_repeated_head
from service.gather.pages.tree import TOO_LARGE, PageArticle, PageTooLarge, article_markup, page_article
from service.gather.pages.walls import length_of, without_walls

MAX_PAGE_BYTES = 16 * 1024 * 1024  # with scripts and pictures; the fetcher decodes no more
PAGE_LEFT_OUT = "the page of an article was too large"
MIN_TEXT_CHARACTERS = 250  # a shorter text is no article

_NO_TEXT_SIGNATURES = (b"%PDF", b"PK\x03\x04", b"\x89PNG", b"\xff\xd8\xff", b"GIF8")
_META_CHARSET = re.compile(rb"<meta[^<>]{0,200}?charset\s*=\s*[\"']?\s*([\w.:-]{1,40})", re.IGNORECASE)
_CLOSED = re.compile(r'"isAccessibleForFree"\s{0,9}:\s{0,9}"?false', re.IGNORECASE)
NOT_LEARNED = LearnedPath()
CHARSET_BYTES = 4_096  # at the beginning of a page, in which its charset is declared


@dataclass(frozen=True, slots=True)
class ExtractedPage:
    """The article's text with its blocks and language. `reason` says why there is none, "" if there is.

    `cut` says why a limit left out a part of the text, or all of it; it is "" when none did. `path` and
    `by_path` are those of PageArticle.
    """

    text: str
    language: str
    reason: str = ""
    blocks: tuple[Block, ...] = ()
    cut: str = ""
    path: str = ""
    by_path: bool = False


def read_page(
    page: bytes,
    title: str,
    teaser: str,
    content_type: str = "",
    declared: str = "",
    *,
    learned: LearnedPath = NOT_LEARNED,
) -> ExtractedPage:
    """Extract the article from an HTML page, if it is better than the feed's text.

    `title` and `teaser` are the feed's, `content_type` is the page's HTTP header, `declared` the language
    of all the feed's articles ("" for unknown), `learned` where the feed's other pages have their article.
    """
    article = PageArticle("")
    try:
        html, reason = _html(page, content_type)
        text = BlockText("")
        if not reason:
            article = page_article(html, learned.path, is_trusted=learned.is_trusted)
            closed = _CLOSED.search(html) is not None
            text, reason = _article_text(
                article, title=title, teaser=teaser, declared=declared, closed=closed
            )
    except PageTooLarge:
        text, reason = BlockText(""), TOO_LARGE
    except Exception as error:  # noqa: BLE001 - no page may stop the feed that links to it
        text, reason = BlockText(""), f"the page could not be read ({type(error).__name__})"
    language = declared or detect_language(text.text)
    cut = PAGE_LEFT_OUT if reason == TOO_LARGE else text.cut
    return ExtractedPage(
        text.text, language, reason, text.blocks, cut, path=article.path, by_path=article.by_path
    )


def _html(page: bytes, content_type: str) -> tuple[str, str]:
    """Return the decoded page and "", or "" and the reason why it is not read."""
    if len(page) > MAX_PAGE_BYTES:
        return "", TOO_LARGE
    if b"\x00" in page[:1024] or page.startswith(_NO_TEXT_SIGNATURES):
        return "", "the page is not HTML"
    return decoded(page, content_type), ""


def _article_text(
    article: PageArticle, *, title: str, teaser: str, declared: str, closed: bool
) -> tuple[BlockText, str]:
    """Return the article's text and "", or no text and the reason why the page has no usable text.

    `closed` tells that the page says of itself that it is not free to read.
    """
    nothing = BlockText("")
    text = read_markup(article.markup, language=declared)
    found = without_walls(without_repeated_head(text, title), closed=closed)
    if found.is_wall:
        return nothing, "the page asks for a subscription or for consent"
    if length_of(found.text.text) < MIN_TEXT_CHARACTERS:
        return nothing, "the page has hardly any text"
    return chosen_text(found.text, title=title, text=teaser, language=declared, headlines=article.headlines)


def extract_text(page: bytes, content_type: str = "") -> BlockText:
    """Return the main text of a page with its blocks. Raises PageTooLarge."""
    return without_walls(read_markup(article_markup(decoded(page, content_type)))).text


def decoded(page: bytes, content_type: str = "") -> str:
    """Decode a page; its header decides before what the page itself declares."""
    declared = _META_CHARSET.search(page, 0, CHARSET_BYTES)
    if "charset" not in content_type.lower() and declared is not None:
        content_type = f"text/html; charset={declared[1].decode('ascii')}"
    return decode_document(page, content_type)
