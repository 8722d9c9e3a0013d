"""Page path: where a site's pages have their article, learned from the pages that were read before. Pure.

To find the article in a page is four fifths of the work on it. Where trafilatura found it in the same element
of earlier pages, it is given that element with its ancestors alone, which takes a quarter of the time. A page
that looks different is read whole, and so is every tenth page: then both readings have to agree.
"""

from __future__ import annotations

from copy import deepcopy

from service.gather.pages.elements import MIN_SENTENCE_CHARACTERS, Element

MIN_TEXT_SHARE = 0.7  # of the text of a page's paragraphs that is in the article's element
MIN_TEXT_CHARACTERS = 250  # of paragraphs in the article's element
MAX_PATH_CHARACTERS = 500
WHOLE_PAGE_TAGS = frozenset({"html", "body", "table", "tbody", "tr"})
"""Tags of an element that is not the article's own: there trafilatura took text from all of the page."""


def path_of(element: Element) -> str:
    """Return the names of the elements from the body to this one, "" for an element that has no path."""
    if element.tag in WHOLE_PAGE_TAGS:
        return ""
    names = [_name(element)]
    for ancestor in element.iterancestors():
        if ancestor.tag == "body":
            path = "/".join(reversed(names))
            return path if len(path) <= MAX_PATH_CHARACTERS else ""
        names.append(_name(ancestor))
    return ""


def part_at(tree: Element, path: str) -> Element | None:
    """Return a copy of a page with nothing but the element at this path and its ancestors.

    None if the page has not exactly one such element, or its text elsewhere.
    """
    element = _only_element(tree, path)
    if element is None or not _has_the_text(tree, element):
        return None
    part = deepcopy(element)
    part.tail = None
    for ancestor in element.iterancestors():
        outer = ancestor.makeelement(ancestor.tag, dict(ancestor.attrib))
        outer.append(part)
        part = outer
    return part


def _only_element(tree: Element, path: str) -> Element | None:
    """Return the element at the path; None if there is none or several."""
    found = tree.findall("body")
    for name in path.split("/"):
        found = [child for element in found for child in element if _name(child) == name]
    return found[0] if len(found) == 1 else None


def _has_the_text(tree: Element, element: Element) -> bool:
    inside, everywhere = _paragraph_characters(element), _paragraph_characters(tree)
    return inside >= MIN_TEXT_CHARACTERS and inside >= MIN_TEXT_SHARE * everywhere


def _paragraph_characters(element: Element) -> int:
    lengths = (len(paragraph.text_content()) for paragraph in element.iter("p"))
    return sum(length for length in lengths if length >= MIN_SENTENCE_CHARACTERS)


def _name(element: Element) -> str:
    """Return an element's tag and classes; a class with a digit may differ from page to page."""
    names = {name for name in element.get("class", "").split() if name.isascii() and not _has_digit(name)}
    return ".".join((str(element.tag), *sorted(name.replace("/", "") for name in names)))


def _has_digit(name: str) -> bool:
    return any(map(str.isdigit, name))
