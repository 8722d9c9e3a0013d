"""Values of condense: key points, and the caveats that qualify them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from service.core.model.gather import Article, Block, BlockKind, TextSpan


class Role(StrEnum):
    """The role of a key point: a point makes a statement, a caveat qualifies a point or the headline."""

    POINT = "point"
    CAVEAT = "caveat"


@dataclass(frozen=True, slots=True)
class KeyPoint:
    """A sentence of the article, verbatim, with its offsets into the article's text.

    `qualifies` is the index, in the summary's key points, of the point that a caveat qualifies; None for a
    caveat that qualifies the headline. `rank` is the place by weight, 0 for the largest weight: a shorter
    summary keeps the lowest ranks. `introduction` is a part of the text that is shown before the key point:
    the line that introduces its list or quotation, or the question that it answers. `quoted` says that it is
    from a quotation that has no quotation marks in the text.
    """

    text: str
    start: int
    end: int
    role: Role = Role.POINT
    qualifies: int | None = None
    rank: int = 0
    introduction: TextSpan | None = None
    quoted: bool = False

    def __post_init__(self) -> None:
        """Raise ValueError for offsets that do not fit the text, and for a point that qualifies another."""
        if self.end - self.start != len(self.text) or self.start < 0:
            raise ValueError(f"a key point's offsets {self.start}..{self.end} do not fit its text")
        if self.role is not Role.CAVEAT and self.qualifies is not None:
            raise ValueError("only a caveat qualifies a point")

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
        introduction: TextSpan | None = None,
        quoted: bool = False,
    ) -> KeyPoint:
        """Return the key point with the text `source[start:end]`."""
        return cls(source[start:end], start, end, role, qualifies, rank, introduction, quoted)


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
        """Return whether every key point and context sentence equals `source` at its offsets.

        An introduction is a part of `source` before its key point.
        """
        lines: tuple[KeyPoint | ContextSentence, ...] = (*self.key_points, *self.context)
        introduced = [(p.introduction, p.start) for p in self.key_points if p.introduction]
        return all(source[line.start : line.end] == line.text for line in lines) and all(
            0 <= introduction.start < introduction.end <= start for introduction, start in introduced
        )

    def is_within(self, blocks: Sequence[Block]) -> bool:
        """Return whether each key point and each introduction is a part of one of the text's `blocks`.

        No key point is from a heading or from preformatted text.
        """
        starts = [block.start for block in blocks]

        def block_of(start: int, end: int) -> Block | None:
            place = bisect_right(starts, start) - 1
            return blocks[place] if place >= 0 and end <= blocks[place].end else None

        lines: tuple[KeyPoint | ContextSentence, ...] = (*self.key_points, *self.context)
        found = [block_of(line.start, line.end) for line in lines]
        introduced = [block_of(*point.introduction) for point in self.key_points if point.introduction]
        unread = (BlockKind.HEADING, BlockKind.PREFORMATTED)
        return all(introduced) and all(block and block.kind not in unread for block in found)


@dataclass(frozen=True, slots=True)
class CondensedArticle:
    """An article with its summary, ready for an issue. `story` is the id of its story, "" if unknown."""

    article: Article
    summary: Summary
    story: str = ""
