"""Values of condense: key points, and the caveats that qualify them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from service.core.model.gather import Article


class Role(StrEnum):
    """The role of a key point: a point makes a statement, a caveat qualifies a point."""

    POINT = "point"
    CAVEAT = "caveat"


@dataclass(frozen=True, slots=True)
class KeyPoint:
    """A sentence of the article, verbatim, with its offsets into the article's text.

    `qualifies` is the index, in the summary's key points, of the point that a caveat qualifies. `rank` is the
    place by weight, 0 for the largest weight: a shorter summary keeps the lowest ranks.
    """

    text: str
    start: int
    end: int
    role: Role = Role.POINT
    qualifies: int | None = None
    rank: int = 0

    def __post_init__(self) -> None:
        """Raise ValueError for offsets that do not fit the text, and for a caveat without a point."""
        if self.end - self.start != len(self.text) or self.start < 0:
            raise ValueError(f"a key point's offsets {self.start}..{self.end} do not fit its text")
        if (self.role is Role.CAVEAT) != (self.qualifies is not None):
            raise ValueError("a caveat names the point that it qualifies, and only a caveat does")

    @classmethod
    def from_source(
        cls,
        source: str,
        start: int,
        end: int,
        role: Role = Role.POINT,
        qualifies: int | None = None,
        *,
        rank: int = 0,
    ) -> KeyPoint:
        """Return the key point with the text `source[start:end]`."""
        return cls(source[start:end], start, end, role, qualifies, rank)


@dataclass(frozen=True, slots=True)
class ContextSentence:
    """A sentence that probably qualifies a point: shown under it, and not counted as a key point."""

    text: str
    start: int
    end: int
    qualifies: int


@dataclass(frozen=True, slots=True)
class Summary:
    """The key points of an article in reading order, each caveat directly after its point."""

    method: str
    key_points: tuple[KeyPoint, ...]
    context: tuple[ContextSentence, ...] = ()

    def is_verbatim(self, source: str) -> bool:
        """Return whether every key point and context sentence equals `source` at its offsets."""
        lines: tuple[KeyPoint | ContextSentence, ...] = (*self.key_points, *self.context)
        return all(source[line.start : line.end] == line.text for line in lines)


@dataclass(frozen=True, slots=True)
class CondensedArticle:
    """An article with its summary, ready for an issue. `story` is the id of its story, "" if unknown."""

    article: Article
    summary: Summary
    story: str = ""
