"""Furniture line: a line's words, the classes that they belong to, and its addresses and clauses (pure)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from service.text.furniture.words import CLAUSE_MARKS, Hit, Word, WordClass, hits_of, words_of

MAX_NAMING_WORDS = 16  # of a by-line, or after a label

_ADDRESS = re.compile(
    r"https?://\S{1,500}|www\.\S{1,200}|(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,64}(?:\.[\w-]{1,64}){1,4}"
    r"|(?<!\w)[@#]\w[\w.@-]{0,100}|(?<![\w.-])(?:[\w-]{2,40}\.){1,3}(?:com|org|net|news|info|fm|tv|app|io|co|eu)"
    r"(?:/\S{0,200})?(?![\w-])"
)
_ADDRESS_SIGN = re.compile(r"[@#/.](?=[\w/])")  # every address has one
_CLAUSE_END = re.compile(f"[{CLAUSE_MARKS}]")


@dataclass(frozen=True)
class Line:
    """A line with its words outside quotations and the phrases of the tables among them."""

    text: str

    @cached_property
    def words(self) -> list[Word]:
        """The words, without those of links, addresses, handles and hashtags."""
        if not _ADDRESS_SIGN.search(self.text):
            return words_of(self.text)
        return words_of(_ADDRESS.sub(lambda found: " " * len(found[0]), self.text))

    @cached_property
    def hits(self) -> list[Hit]:
        """The phrases of the tables."""
        return hits_of(self.words)

    @cached_property
    def first_hits(self) -> list[Hit]:
        """The phrases with which the line opens."""
        return [hit for hit in self.hits if hit.first == 0]

    @cached_property
    def addresses(self) -> int:
        """The number of links, addresses, handles and hashtags."""
        return len(_ADDRESS.findall(self.text)) if _ADDRESS_SIGN.search(self.text) else 0

    @cached_property
    def classes(self) -> int:
        """All classes in the line."""
        found = 0
        for hit in self.hits:
            found |= hit.classes
        return found

    @cached_property
    def clause_starts(self) -> frozenset[int]:
        """The places of the words that follow a mark or nothing."""
        return frozenset(
            place
            for place, word in enumerate(self.words)
            if place == 0 or _CLAUSE_END.search(self.text, self.words[place - 1].end, word.start)
        )

    def has(self, classes: int, first: int = 0) -> bool:
        """Return whether a phrase of one of the classes is in the line, from the word at `first` on."""
        if not self.classes & classes:
            return False
        return not first or any(hit.first >= first and hit.classes & classes for hit in self.hits)

    def opening(self, kind: int) -> int:
        """Return the number of words of the longest phrase of the class at the start, 0 without one."""
        return max((hit.after for hit in self.first_hits if hit.classes & kind), default=0)

    def covered(self, classes: int) -> frozenset[int]:
        """Return the places of the words that belong to phrases of the classes, and those of numbers."""
        places = {place for place, word in enumerate(self.words) if word.text[0].isdigit()}
        for hit in self.hits:
            if hit.classes & classes:
                places.update(range(hit.first, hit.after))
        return frozenset(places)

    def is_rest(self, place: int, pattern: re.Pattern[str]) -> bool:
        """Return whether the text before the word at `place` goes on with the pattern."""
        return pattern.match(self.text, self.words[place - 1].end) is not None


def is_name(word: Word) -> bool:
    """Return whether the word has a capital letter or is a number."""
    return word.text[0].isupper() or word.text[0].isdigit()


def names_only(line: Line, first: int, *, allowed: int, end: int | None = None) -> bool:
    """Return whether the words `first:end` are names, particles and words of the allowed classes."""
    rest = line.words[first:end]
    known = line.covered(allowed | WordClass.PARTICLE)
    return (
        0 < len(rest) <= MAX_NAMING_WORDS
        and any(word.text[0].isupper() for word in rest)
        and all(is_name(word) or place in known for place, word in enumerate(rest, first))
    )
