"""Article parts: keep of a page's tree what belongs to the article.

The tree's runs of text have marks; the marks of the article's runs are known. They are complete to the extent
that trafilatura reads the page correctly, so parts between them that look like text are kept too: the rest of
a paragraph, a list, a table, a caption.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from service.gather.pages.elements import (
    CONTAINERS,
    LISTS,
    Element,
    has_block,
    has_text,
    is_appended,
    is_furniture,
    is_text_part,
    points_elsewhere,
)
from service.gather.pages.measures import Measures

FIRST_MARK, LAST_MARK = 0xF0000, 0x10FFFD
"""Private-use characters outside the basic plane; one marks each run of text."""
MARKS = re.compile(f"[{chr(FIRST_MARK)}-{chr(0x10FFFF)}]")

MAX_APPENDED_SHARE = 0.3  # of the article's text in one element that is removed because of its name


class ArticleParts:
    """The elements of a page with the runs of text that are the article.

    `marks` are the marks of the article's runs in their order. Runs with the same text have the same mark.
    `element` is the innermost element with all of them.
    """

    def __init__(self, tree: Element, marks: Sequence[str]) -> None:
        self._kept = frozenset(marks)
        self._holding: set[Element] = set()
        for text in _kept_runs(tree, marks):
            element = text.getparent()
            if text.is_tail:
                element = element.getparent()
            while element is not None and element not in self._holding:
                self._holding.add(element)
                element = element.getparent()
        self.element = self._innermost(tree)
        # Without a container of the article, trafilatura takes all text of the page.
        is_whole_page = self.element.tag in ("html", "body", "table", "tr", "tbody")
        self._measures = Measures(self.element) if is_whole_page else None
        self._characters = len(self.element.text_content())

    def prune(self) -> None:
        """Remove what is not part of the article from its element."""
        pending = [self.element]
        while pending:
            parent = pending.pop()
            if any(map(has_block, parent)):
                pending.extend(self._prune_blocks(parent))
            else:
                self._prune_line(parent)

    def _innermost(self, element: Element) -> Element:
        while True:
            inner = [child for child in element if child in self._holding]
            texts = (element.text, *(child.tail for child in element))
            if len(inner) != 1 or inner[0].tag not in CONTAINERS or any(map(self._is_kept, texts)):
                return element
            element = inner[0]

    def _is_kept(self, text: str | None) -> bool:
        return text is not None and not self._kept.isdisjoint(text)

    def _extent(self, element: Element, children: list[Element]) -> tuple[int, int]:
        """Return the indices of the first and the last child with a kept run; -1 is the text before them."""
        places = [n for n, c in enumerate(children) if c in self._holding or self._is_kept(c.tail)]
        first = -1 if self._is_kept(element.text) else places[0] if places else len(children)
        return first, places[-1] if places else -1

    def _prune_blocks(self, parent: Element) -> list[Element]:
        """Remove children and texts outside the article; return the children to be looked through."""
        children = list(parent)
        first, last = self._extent(parent, children)
        held = self._without_additions(parent, [child for child in children if child in self._holding])
        looked_through = set(held)
        if first >= 0:
            parent.text = None
        for n, child in enumerate(children):
            if not first <= n < last and not self._is_kept(child.tail):
                child.tail = None
            if child in looked_through or not has_text(child):
                continue
            if child in self._holding or not first < n <= last or not is_text_part(child):
                _remove(child)
        return held

    def _without_additions(self, parent: Element, held: list[Element]) -> list[Element]:
        """Return the children of the parent without those that were added to the article."""
        pointers = {child for child in held if points_elsewhere(child)}
        if len(pointers) * 2 < len(held):
            held = [child for child in held if child not in pointers]
        if self._measures is not None and parent.tag not in LISTS:
            held = self._measures.around_sentences(held)
        most = MAX_APPENDED_SHARE * self._characters
        return [c for c in held if not (is_appended(c) and len(c.text_content()) <= most)]

    def _prune_line(self, line: Element) -> None:
        """Remove furniture at the ends of a line of text, such as the button that shares it."""
        children = list(line)
        first, last = self._extent(line, children)
        for n, child in enumerate(children):
            at_end = not first < n < last
            if is_appended(child) or (at_end and child not in self._holding and is_furniture(child)):
                _remove(child)


def _kept_runs(tree: Element, marks: Sequence[str]) -> list[Element]:
    """Return the runs of text with these marks.

    Of runs with the same text, only those between the first and the last run with a text of its own count.
    """
    places: dict[str, list[int]] = {mark: [] for mark in marks}
    runs = [(found[0], text) for text in tree.xpath("./body//text()") if (found := MARKS.search(text))]
    for place, (mark, _) in enumerate(runs):
        if mark in places:
            places[mark].append(place)
    single = [found[0] for found in places.values() if len(found) == 1]
    first, last = min(single, default=0), max(single, default=len(runs))
    kept = single
    for mark, number in Counter(marks).items():
        if len(places[mark]) > 1:
            within = [place for place in places[mark] if first <= place <= last]
            kept.extend((within if single else places[mark])[:number])
    return [runs[place][1] for place in kept]


def _remove(element: Element) -> None:
    """Remove an element; a space takes its place, so that the texts around it are not joined."""
    element.tail = f" {element.tail or ''}"
    element.drop_tree()
