"""Page tree: the part of a web page's own markup that is the article.

trafilatura finds the main text, but its output has lost lists, tables, captions and some words. So each run
of text gets a mark, a character that no page contains, before trafilatura reads the page. The marks in its
output tell which runs are the article; these are kept in the page's own markup (see article_parts), which is
then read like the markup of a feed.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from functools import cache
from html import escape, unescape
from itertools import islice
from typing import Any, NamedTuple, TypeAlias

from service.gather.cleaning.ballast import without_ballast
from service.gather.pages.article_parts import FIRST_MARK, LAST_MARK, MARKS, ArticleParts
from service.gather.pages.page_path import part_at, path_of

Element: TypeAlias = Any
"""An element of lxml, which ships no types."""

TOO_LARGE = "the page is too large"
MAX_PAGE_CHARACTERS = 2_000_000  # without scripts and the like
MAX_PAGE_TAGS = 60_000  # the extraction time grows faster than the number of tags
MAX_DATA_DEPTH = 12  # of objects in JSON-LD
NON_TEXT_TAGS = ("script", "style", "noscript", "template", "svg", "iframe", "canvas", "nav")
MIN_PART_CHARACTERS = 60  # of an <article>; shorter ones are cards
MAX_HEADLINE_CHARACTERS = 500  # of a page's title or heading
MAX_CARD_LINK_SHARE = 0.5  # of the text of an <article> that is part of a longer article

_SHOWN_TEXT = (
    "./body//text()[not(ancestor::footer or ancestor::aside or ancestor::button or ancestor::script)]"
)
_RUN = re.compile(r">((?:\s|&nbsp;|&#160;)*+)([^<]+)", re.IGNORECASE)
_TAG = re.compile(r"</?[a-z][a-z0-9]*(?:\s[^<>]*)?/?>", re.IGNORECASE)


class PageTooLarge(Exception):
    """The page has more text or tags than are read; the text is a sentence for people."""


class PageArticle(NamedTuple):
    """The HTML of the article in a page, "" when none is found, and what the page calls itself.

    `path` is where the article is (see page_path), "" if that is no help for other pages; `by_path` tells
    that it was only looked for there.
    """

    markup: str
    headlines: tuple[str, ...] = ()
    path: str = ""
    by_path: bool = False


def article_markup(page: str) -> str:
    """Return the HTML of the article in a page, "" when none is found. Raises PageTooLarge."""
    return page_article(page).markup


def page_article(page: str, path: str = "", *, is_trusted: bool = False) -> PageArticle:
    """Find the article in a page. Raises PageTooLarge.

    `path` is where earlier pages of the site had it. If it is trusted, the article is looked for only there,
    unless the page looks different. If not, both readings are compared; if they differ, no path is returned.
    """
    page = MARKS.sub("", without_ballast(page, keep_article_data=True))
    if len(page) > MAX_PAGE_CHARACTERS or page.count("<") > MAX_PAGE_TAGS:
        raise PageTooLarge(TOO_LARGE)
    marked = _marked(page)
    if path and is_trusted and (found := _article_at(marked, path)) is not None:
        return found
    tree = _prepared(marked)
    if tree is None:
        return PageArticle("")
    headlines = _headlines(tree)
    markup, at = _article(tree, tree)
    if at and at == path:
        alone = None if is_trusted else _article_at(marked, path)
        at = at if alone is not None and alone.markup == markup else ""
    return PageArticle(markup, headlines, at)


def _prepared(page: str) -> Element | None:
    tree = _parsed(page)
    if tree is not None:
        _drop_non_text(tree)
        _join_parts(tree)
    return tree


def _article_at(page: str, path: str) -> PageArticle | None:
    """Return the article that is at the path; None if the page looks different."""
    tree = _prepared(page)
    if tree is None:
        return None
    part = part_at(tree, path)
    if part is None:
        return None
    headlines = _headlines(tree)
    markup, at = _article(tree, part)
    return PageArticle(markup, headlines, path, by_path=True) if at == path else None


def _article(tree: Element, searched: Element) -> tuple[str, str]:
    """Return the HTML of the article in a page's tree and its path; trafilatura reads `searched`."""
    main = _main_body(searched)
    marks = [] if main is None else MARKS.findall("".join(main.itertext()))
    if not marks:
        # trafilatura has read the page's data, or all its text without any structure.
        if data := _article_data(tree):
            return data, ""
        marks = MARKS.findall("".join(tree.xpath(_SHOWN_TEXT)))
    if not marks:
        return "", ""
    parts = ArticleParts(tree, marks)
    path = path_of(parts.element)
    parts.prune()
    return MARKS.sub("", _serialized(parts.element)), path


def _marked(page: str) -> str:
    """Return the page with a mark at the start of each run of text.

    Equal runs have equal marks, because trafilatura drops paragraphs that it has seen before.
    """
    marks: dict[str, str] = {}

    def with_mark(found: re.Match[str]) -> str:
        space, text = found[1], found[2]
        words = text.rstrip()
        mark = marks.get(words)
        if mark is None:
            mark = marks[words] = chr(min(FIRST_MARK + len(marks), LAST_MARK))
        return f">{space}{mark}{text}"

    return _RUN.sub(with_mark, page)


@cache
def _parser() -> Any:  # noqa: ANN401 - lxml ships no types
    """Return a parser of HTML whose elements are all of one class.

    lxml.html asks a Python function for the class of each element, which takes a tenth of the time of a page.
    """
    from lxml import etree, html  # noqa: PLC0415 - part of trafilatura, in workers only

    parser = etree.HTMLParser(
        encoding="utf-8", remove_comments=True, remove_pis=True, collect_ids=False, default_doctype=False
    )
    parser.set_element_class_lookup(etree.ElementDefaultClassLookup(element=html.HtmlElement))
    return parser


def _parsed(page: str) -> Element | None:
    from lxml import etree, html  # noqa: PLC0415 - see above
    from trafilatura.utils import repair_faulty_html  # noqa: PLC0415 - takes 0.8 s, in workers only

    page = repair_faulty_html(page, page[:50].lower())
    try:
        return html.document_fromstring(page.encode("utf-8", "replace"), parser=_parser())
    except (etree.LxmlError, ValueError):
        return None


@cache
def _options() -> Any:  # noqa: ANN401 - see above
    """Return the options of the extraction; to make them takes a third of a millisecond."""
    from trafilatura.settings import Extractor  # noqa: PLC0415 - takes 0.8 s, in workers only

    logging.getLogger("trafilatura").setLevel(logging.CRITICAL)
    return Extractor(fast=True, comments=False, output_format="xml")


def _main_body(tree: Element) -> Element | None:
    """Return the body element with trafilatura's own tags; the tree stays as it is."""
    from trafilatura import bare_extraction  # noqa: PLC0415 - takes 0.8 s, in workers only

    found = bare_extraction(tree, options=_options())
    return None if found is None or isinstance(found, dict) else found.body


def _serialized(element: Element) -> str:
    """Return the element as HTML without its own attributes, which may hide the whole page from programs."""
    from lxml.html import tostring  # noqa: PLC0415 - trafilatura's parser, in workers only

    element.attrib.clear()
    return str(tostring(element, encoding="unicode", with_tail=False))


def _headlines(tree: Element) -> tuple[str, ...]:
    """Return the page's title, the title that it gives to social networks, and its heading.

    Where several headings are of the first level, they may be those of other articles, as on a home page.
    """
    headings = list(tree.iter("h1"))
    named = [*islice(tree.iter("title"), 1), *(headings if len(headings) == 1 else ())]
    texts = [element.text_content() for element in named]
    texts += tree.xpath("//meta[@property='og:title' or @name='twitter:title']/@content")[:2]
    lines = (" ".join(MARKS.sub("", text).split())[:MAX_HEADLINE_CHARACTERS] for text in texts)
    return tuple(dict.fromkeys(line for line in lines if line))


def _drop_non_text(tree: Element) -> None:
    """Remove elements without article text, because trafilatura copies and searches the tree a dozen times.

    JSON-LD stays, because it may contain the article; forms stay, because some sites put the page into one.
    """
    for element in list(tree.iter(*NON_TEXT_TAGS)):
        if "ld+json" in (element.get("type") or ""):
            element.text = MARKS.sub("", element.text or "")
        elif element.getparent() is not None:
            element.drop_tree()


def _join_parts(tree: Element) -> None:
    """Rename adjacent <article> elements that are parts of one article, such as the posts of a live blog.

    trafilatura reads only the first <article> of a page. Parts have no heading of the first level, and their
    text is not that of links, as the text of cards is.
    """
    siblings: dict[Element, list[Element]] = {}
    for element in tree.iter("article"):
        siblings.setdefault(element.getparent(), []).append(element)
    for articles in siblings.values():
        if len(articles) > 1 and all(map(_is_part, articles)):
            for element in articles:
                element.tag = "section"


def _is_part(article: Element) -> bool:
    if article.find(".//h1") is not None:
        return False
    length = len(article.text_content())
    linked = sum(len(link.text_content()) for link in article.iter("a"))
    return length >= MIN_PART_CHARACTERS and linked <= MAX_CARD_LINK_SHARE * length


def _article_data(tree: Element) -> str:
    """Return the longest article body in the page's JSON-LD as HTML, "" when there is none."""
    bodies: list[str] = []
    for script in tree.iter("script"):
        try:
            data = json.loads(script.text or "", strict=False)
        except (ValueError, RecursionError):
            continue
        bodies.extend(_bodies_in(data, MAX_DATA_DEPTH))
    body = max(bodies, key=len, default="")
    if "&lt;" in body and "<" not in body:
        body = unescape(body)
    if _TAG.search(body):
        return body
    return "".join(f"<p>{escape(line)}</p>" for line in body.splitlines() if line.strip())


def _bodies_in(data: object, depth: int) -> Iterator[str]:
    if isinstance(data, list) and depth:
        for value in data:
            yield from _bodies_in(value, depth - 1)
    elif isinstance(data, dict) and depth:
        for key, value in data.items():
            if key == "articleBody" and isinstance(value, str):
                yield value
            else:
                yield from _bodies_in(value, depth - 1)
