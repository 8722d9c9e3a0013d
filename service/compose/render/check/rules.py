"""Rules for rendered issues: what is wrong with one, in sentences (pure).

An issue is checked with its placeholders, as it is stored, or with the values of a recipient in their place.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from service.compose.render.check.page import PageElement, letters, read_page
from service.compose.render.text_cleaning import clean, shorten
from service.core.model import Digest, Placement, RenderedMail, Story
from service.core.placeholders import MARKER, Placeholder

HTML_FILE, TEXT_FILE, SUBJECT_FILE = "body.html", "body.txt", "subject.txt"
MAX_QUOTED_CHARACTERS = 60  # of what a finding quotes
COMPARED_CHARACTERS = 40  # at the start of a sentence: a theme may shorten the rest
SAFE_SCHEMES = frozenset(("http", "https", "mailto"))
LINK_STARTS = ("http", Placeholder.NAME.marker[0])  # of the links that both parts must have
FORBIDDEN = ("script", "iframe", "object", "embed", "form", "link", "base")
_ADDRESS = re.compile(f"https?://[^\\s<>]+|{MARKER.pattern}")


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong with a rendered mail, in a sentence without its full stop, and the template's file."""

    file: str
    message: str


def check_mail(mail: RenderedMail, digest: Digest, *, unsubscribe_url: str, sent_by: str) -> list[Finding]:
    """Return what is wrong with a rendered issue.

    `unsubscribe_url` is what must be in both parts: the placeholder or a recipient's link. `sent_by` is the
    sender with the postal address.
    """
    findings = [Finding(SUBJECT_FILE, "the subject is empty")] if not mail.subject.strip() else []
    findings += [
        Finding(TEXT_FILE, message) for message in _text_messages(mail.text, unsubscribe_url, sent_by)
    ]
    if mail.html:
        page = read_page(mail.html)
        shown = letters(page.text())
        messages = (*_footer_messages(page, shown, unsubscribe_url, sent_by), *_page_messages(page))
        findings += [Finding(HTML_FILE, message) for message in (*messages, *_caveat_messages(shown, digest))]
        findings += [Finding(TEXT_FILE, message) for message in _missing_links(page, mail.text)]
    findings += [Finding(TEXT_FILE, message) for message in _caveat_messages(letters(mail.text), digest)]
    return findings


def text_links(text: str) -> set[str]:
    """Return the addresses and link placeholders in a plain text, without their fragments."""
    return {_address(found[0]) for found in _ADDRESS.finditer(text)}


def page_links(page: PageElement) -> set[str]:
    """Return the addresses and link placeholders that a page links to, without their fragments."""
    return {
        _address(href)
        for link in page.elements("a")
        if (href := link.attributes.get("href", "")) and not href.startswith(("#", "mailto:"))
    }


def _address(url: str) -> str:
    return url.partition("#")[0]


def _text_messages(text: str, unsubscribe_url: str, sent_by: str) -> Iterator[str]:
    if unsubscribe_url not in text:
        yield "there is no address to unsubscribe (page.unsubscribe_url)"
    if letters(sent_by) not in letters(text):
        yield "the postal address is missing (page.sent_by)"


def _footer_messages(page: PageElement, shown: str, unsubscribe_url: str, sent_by: str) -> Iterator[str]:
    links = page.elements("a")
    if not any(link.attributes.get("href") == unsubscribe_url and link.text() for link in links):
        yield "there is no link to unsubscribe (page.unsubscribe_url)"
    if letters(sent_by) not in shown:
        yield "the postal address is missing (page.sent_by)"


def _missing_links(page: PageElement, text: str) -> Iterator[str]:
    """Yield a message if the page has links that the text lacks."""
    missing = sorted(url for url in page_links(page) - text_links(text) if url.startswith(LINK_STARTS))
    if missing:
        number = f"{len(missing)} links are" if len(missing) > 1 else "a link is"
        yield f"{number} missing that {HTML_FILE} has: {_quoted(MARKER.sub(_named, missing[0]))}"


def _named(marker: re.Match[str]) -> str:
    return f"page.{marker[1]}"


def _page_messages(page: PageElement) -> Iterator[str]:
    """Yield a message for each fault of the page itself."""
    root = next(page.elements("html"), PageElement("html"))
    if not root.attributes.get("lang"):
        yield 'the <html> tag names no language (lang="{{ page.lang }}")'
    if root.attributes.get("dir") not in {"ltr", "rtl"}:
        yield 'the <html> tag names no direction (dir="{{ page.direction }}")'
    if not next((title.children for title in page.elements("title")), None):
        yield "there is no <title>"
    if (count := sum(1 for _ in page.elements("h1"))) != 1:
        yield f"there are {count} first headings (<h1>), not one"
    identifiers = Counter(e.attributes["id"] for e in page.elements() if "id" in e.attributes)
    for name, count in identifiers.items():
        if count > 1:
            yield f"the id {_quoted(name)} is there {count} times"
    for element in page.elements():
        yield from _element_messages(element)
    for link in page.elements("a"):
        yield from _link_messages(link, identifiers)


def _element_messages(element: PageElement) -> Iterator[str]:
    attributes = element.attributes
    if element.tag in FORBIDDEN:
        yield f"mail programs drop or distrust the element <{element.tag}>"
    for name in attributes:
        if name.startswith("on"):
            yield f"the attribute {name} of <{element.tag}> is a script"
    if element.tag == "img" and "alt" not in attributes:
        yield f"the picture {_quoted(attributes.get('src', ''))} has no alternative text (alt)"
    is_layout = element.tag == "table" and not any(element.elements("th", "caption"))
    if is_layout and attributes.get("role") not in {"presentation", "none"}:
        yield 'a table for the layout is not marked as such (role="presentation")'


def _link_messages(link: PageElement, identifiers: Counter[str]) -> Iterator[str]:
    href, words = link.attributes.get("href", ""), link.text()
    if not href:
        yield f"the link {_quoted(words)} leads nowhere"
    elif not words:
        yield f"the link to {_quoted(href)} has no text"
    elif href.startswith("#"):
        if href[1:] not in identifiers:
            yield f"the link {_quoted(words)} leads to {_quoted(href)}, which is not on the page"
    elif not MARKER.match(href) and urlsplit(href).scheme not in SAFE_SCHEMES:
        yield f"the link {_quoted(words)} leads to {_quoted(href)}, which is no web address"


def _caveat_messages(shown: str, digest: Digest) -> Iterator[str]:
    """Yield a message if caveats are missing although what they qualify is shown.

    `shown` are the letters of the part.
    """
    missing = [
        (claim, caveat)
        for story in digest.stories
        for claim, caveat in _qualified(story)
        if _start(claim) and _start(claim) in shown and _start(caveat) not in shown
    ]
    if missing:
        claim, caveat = (_quoted(clean(text)) for text in missing[0])
        number = f"{len(missing)} caveats are" if len(missing) > 1 else "a caveat is"
        yield f"{number} missing below what they qualify: {caveat} of {claim}"


def _qualified(story: Story) -> Iterator[tuple[str, str]]:
    """Yield the text that each caveat of a story in the mail qualifies, and the caveat.

    A caveat of the whole story belongs to its headline.
    """
    if story.placement is Placement.WEB:
        return
    for point in story.points:
        if point.is_of_headline or point.is_story_caveat:
            yield story.headline, point.text
        elif point.qualifies is not None:
            yield story.points[point.qualifies].text, point.text


def _start(sentence: str) -> str:
    return letters(clean(sentence))[:COMPARED_CHARACTERS]


def _quoted(text: str) -> str:
    return f"“{shorten(text, MAX_QUOTED_CHARACTERS)}”"
