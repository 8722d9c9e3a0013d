"""Page measures: how much of each element is text, links and sentences, in one pass over the page. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from service.gather.pages.elements import (
    BLOCKS,
    MAX_LINK_SHARE,
    MIN_ITEM_CHARACTERS,
    MIN_PARAGRAPH_CHARACTERS,
    MIN_SENTENCE_CHARACTERS,
    Element,
    has_sentence_end,
)


@dataclass(slots=True)
class _Measure:
    """Characters of an element's text and of the links in it; whether other text has a sentence."""

    characters: int = 0
    linked: int = 0
    has_end: bool = False
    has_sentence: bool = False


class Measures:
    """The measures of the elements of a page whose article has no element of its own."""

    def __init__(self, tree: Element) -> None:
        self._of: dict[Element, _Measure] = {}
        for element in reversed(list(tree.iter())):
            self._of[element] = self._measured(element)

    def around_sentences(self, elements: list[Element]) -> list[Element]:
        """Return the elements from the first to the last block with a sentence, and those that are no blocks.

        Elements that are mostly links are left out.
        """
        elements = [element for element in elements if not self._is_mostly_links(element)]
        places = [n for n, element in enumerate(elements) if self._of[element].has_sentence]
        if not places:
            return elements
        return [
            element
            for n, element in enumerate(elements)
            if places[0] <= n <= places[-1] or element.tag not in BLOCKS
        ]

    def _measured(self, element: Element) -> _Measure:
        """Return the measure of an element whose children are measured."""
        found = _Measure()
        for text in (element.text, *(child.tail for child in element)):
            if text and not text.isspace():
                found.characters += len(text)
                found.has_end = found.has_end or has_sentence_end(text)
                found.has_sentence |= len(text) >= MIN_SENTENCE_CHARACTERS and has_sentence_end(text)
        for child in element:
            inner = self._of[child]
            found.characters += inner.characters
            found.linked += inner.linked
            found.has_end |= inner.has_end
            found.has_sentence |= inner.has_sentence
        if element.tag == "p":
            found.has_sentence |= found.has_end and found.characters >= MIN_PARAGRAPH_CHARACTERS
        elif element.tag in ("li", "dd"):
            # Items of a list say something without a full stop.
            found.has_sentence |= found.characters - found.linked >= MIN_ITEM_CHARACTERS
        if element.tag == "a":
            return _Measure(found.characters, found.characters)
        return found

    def _is_mostly_links(self, element: Element) -> bool:
        measure = self._of[element]
        return measure.linked > MAX_LINK_SHARE * measure.characters
