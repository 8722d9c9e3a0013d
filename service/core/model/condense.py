"""What condense makes of an article: key points, and the caveats that qualify them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from service.core.model.gather import Article


class Role(StrEnum):
    """What a key point is there for: a point stands for itself, a caveat qualifies a point."""

    POINT = "point"
    CAVEAT = "caveat"


@dataclass(frozen=True, slots=True)
class KeyPoint:
    """A sentence of the article, verbatim, with its offsets into the article's text.

    `qualifies` is the index, in the summary's key points, of the point that a caveat belongs to. `rank` is
    its place by weight, 0 the weightiest: whoever shows fewer key points keeps the lowest ranks.
    """

    text: str
    start: int
    end: int
    role: Role = Role.POINT
    qualifies: int | None = None
    rank: int = 0

    def __post_init__(self) -> None:
        """Refuse a key point that cannot be verbatim or a caveat that qualifies nothing."""
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
        """Return the key point that is `source[start:end]`, word for word."""
        return cls(source[start:end], start, end, role, qualifies, rank)


@dataclass(frozen=True, slots=True)
class ContextSentence:
    """A sentence that probably qualifies a point: shown under it unmarked, beside the count."""

    text: str
    start: int
    end: int
    qualifies: int


@dataclass(frozen=True, slots=True)
class Summary:
    """What condense makes of an article: key points in reading order, caveats right after their point."""

    method: str
    key_points: tuple[KeyPoint, ...]
    context: tuple[ContextSentence, ...] = ()

    def is_verbatim(self, source: str) -> bool:
        """Tell whether every key point and context line equals `source` at its offsets."""
        lines: tuple[KeyPoint | ContextSentence, ...] = (*self.key_points, *self.context)
        return all(source[line.start : line.end] == line.text for line in lines)


@dataclass(frozen=True, slots=True)
class CondensedArticle:
    """An article with its summary, ready to be told. `story` is the id of its story, empty if unknown."""

    article: Article
    summary: Summary
    story: str = ""
