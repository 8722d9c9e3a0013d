"""Page elements: what an element's tag, name, links and text say of its place in an article. Pure."""

from __future__ import annotations

import re
from typing import Any, TypeAlias

Element: TypeAlias = Any
"""An element of lxml, which ships no types."""

MAX_LINK_SHARE = 0.4  # of the text of a part that trafilatura left out
MIN_LINKED_SHARE = 0.9  # of the text of a paragraph that only points elsewhere
MIN_SENTENCE_CHARACTERS = 60  # of a text in a <div>; a shorter one may be a button or a heading
MIN_PARAGRAPH_CHARACTERS = 25  # of a <p> that is a sentence
MIN_ITEM_CHARACTERS = 30  # of an item of a list, without its links; a shorter one may be part of a menu
MAX_NAME_CHARACTERS = 500  # of an element's class and id

_BLOCKS = (
    "address article aside blockquote body center dd details dialog dir div dl dt fieldset figcaption figure "
    "footer form h1 h2 h3 h4 h5 h6 header hr li main menu nav ol p pre section summary table tbody td tfoot "
    "th thead tr ul"
)
BLOCKS = frozenset(_BLOCKS.split())
LISTS = frozenset({"ul", "ol", "dl"})
_CONTAINERS = "html body main article section div td th tr tbody table form center"
CONTAINERS = frozenset(_CONTAINERS.split())
_TEXT_BLOCKS = "p ul ol dl table blockquote pre h2 h3 h4 h5 h6 dt dd li tr td th tbody thead"
TEXT_BLOCKS = frozenset(_TEXT_BLOCKS.split())
_NO_TEXT = "aside footer nav form button label select input textarea dialog menu script style header fieldset"
NO_TEXT_TAGS = frozenset(_NO_TEXT.split())
_FURNITURE_ROLES = (
    "navigation complementary contentinfo banner search dialog alert alertdialog menu menubar toolbar form "
    "button tablist"
)
FURNITURE_ROLES = frozenset(_FURNITURE_ROLES.split())

_APPENDED = (
    r"shar(?:e|ing)|social|promo\w*|newsletters?|related|advert\w*|sponsor\w*|sign-?up|subscri\w+|comments?"
    r"|recirc\w*|outbrain|taboola|breadcrumbs?|pop-?up|cookies?|consent|gdpr|paywall|regwall|teasers?|read-?more"
    r"|recommend\w*|copyright|boilerplate|contacts?|downloads?|controls?|toc|navbox|catlinks|hatnote|reflist"
    r"|references|editsection|sitesub|werbung|anzeige|publicite|publicidad"
)
_ANY_FURNITURE = (
    r"ads?|widget|footer|nav\w*|menu|tags?|author|byline|meta|toolbar|sidebar|modal|more|also|trending|popular"
    r"|ratings?|buttons?|btn|app-?(?:banner|promo)|most-?\w+"
)
_APPENDED_NAME = re.compile(rf"(?:^|[\s_-])(?:{_APPENDED})(?=$|[\s_-])")
_FURNITURE_NAME = re.compile(rf"(?:^|[\s_-])(?:{_APPENDED}|{_ANY_FURNITURE})(?=$|[\s_-])")
_SENTENCE_END = re.compile("[.!?…。！？؟।։።]")


def has_block(element: Element) -> bool:
    """Return whether an element is a block or has one in it."""
    return element.tag in BLOCKS or (
        len(element) > 0 and next(element.iterdescendants(*BLOCKS), None) is not None
    )


def has_text(element: Element) -> bool:
    """Return whether an element has any text."""
    return any(map(str.strip, element.itertext()))


def has_sentence_end(text: str) -> bool:
    """Return whether a text has a mark that ends a sentence."""
    return _SENTENCE_END.search(text) is not None


def is_furniture(element: Element) -> bool:
    """Return whether an element's tag, role or name says that it is not part of the text around it."""
    return (
        element.tag in NO_TEXT_TAGS
        or element.get("role") in FURNITURE_ROLES
        or _FURNITURE_NAME.search(_names(element)) is not None
    )


def is_appended(element: Element) -> bool:
    """Return whether an element's name says that it was added to an article: a contact, an advertisement."""
    return _APPENDED_NAME.search(_names(element)) is not None


def is_text_part(element: Element) -> bool:
    """Return whether an element between parts of the article is a part of it that trafilatura left out."""
    if element.tag not in BLOCKS:
        before = element.getprevious()
        text = element.getparent().text if before is None else before.tail
        return not is_furniture(element) and bool((text or "").strip() or (element.tail or "").strip())
    if element.tag in NO_TEXT_TAGS or is_furniture(element) or link_share(element) > MAX_LINK_SHARE:
        return False
    if element.tag == "figure":
        return element.find(".//figcaption") is not None
    return element.tag in TEXT_BLOCKS or any(
        len(text) >= MIN_SENTENCE_CHARACTERS and has_sentence_end(text) for text in element.itertext()
    )


def points_elsewhere(element: Element) -> bool:
    """Return whether a paragraph is nothing but a link, as "Read more" is."""
    return element.tag == "p" and link_share(element) >= MIN_LINKED_SHARE


def link_share(element: Element) -> float:
    """Return how much of an element's text is that of links, between 0 and 1."""
    links = [link.text_content() for link in element.iterdescendants("a")]
    return sum(map(len, links)) / max(1, len(element.text_content().strip())) if links else 0.0


def _names(element: Element) -> str:
    names = element.get("class", ""), element.get("id", "")
    return " ".join(names)[:MAX_NAME_CHARACTERS].lower() if any(names) else ""
