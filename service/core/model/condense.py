"""Values of condense: key points, and the caveats that qualify them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from service.core.model.gather import Article, Block, BlockKind, TextSpan

MAX_CONNECTIVE_CHARACTERS = 40  # before a key point, with its spaces


class Role(StrEnum):
    """The role of a key point: a point makes a statement, a caveat qualifies what is shown beside it."""

    POINT = "point"
    CAVEAT = "caveat"


class Grade(StrEnum):
    """How sure it is what a caveat qualifies.

    TIED: one point, or the headline. STORY: something in its story; which point is not sure. CONTEXT: it
    probably qualifies something in its story.
    """

    TIED = "tied"
    STORY = "story"
    CONTEXT = "context"


class CaveatKind(StrEnum):
    """What a caveat says of what it qualifies."""

    DENIED = "denied"
    CONDITIONAL = "conditional"
    UNCONFIRMED = "unconfirmed"
    LIMITED = "limited"
    DISPUTED = "disputed"


@dataclass(frozen=True, slots=True)
class KeyPoint:
    """A part of the article, mostly one sentence, verbatim, with its offsets into the article's text.

    `grade` is that of a caveat. `qualifies` is the index, in the summary's key points, of the point that a
    tied caveat qualifies; None for one that qualifies the headline. `kind` is that of a caveat, None if it is
    not sure. `rank` is the place by weight, 0 for the largest weight: a shorter summary keeps the lowest
    ranks. `introduction` is a part of the text that is shown before the key point: the line that introduces
    its list or quotation, or the question that it answers. `quoted` says that it is from a quotation that has
    no quotation marks in the text.

    A key point that begins with "He" or "But" leans on the sentence before it. `follows` is the index of the
    key point that must stand directly above it. `hint` is the part of the text that names what its pronoun
    means ("Holm"); it is shown beside the key point if that one does not stand directly above.
    """

    text: str
    start: int
    end: int
    role: Role = Role.POINT
    qualifies: int | None = None
    rank: int = 0
    introduction: TextSpan | None = None
    quoted: bool = False
    grade: Grade = Grade.TIED
    kind: CaveatKind | None = None
    follows: int | None = None
    hint: TextSpan | None = None

    def __post_init__(self) -> None:
        """Raise ValueError for offsets that do not fit the text, and for a point that qualifies another."""
        if self.end - self.start != len(self.text) or self.start < 0:
            raise ValueError(f"a key point's offsets {self.start}..{self.end} do not fit its text")
        if self.qualifies is not None and (self.role, self.grade) != (Role.CAVEAT, Grade.TIED):
            raise ValueError("only a tied caveat qualifies a point")

    @property
    def is_of_headline(self) -> bool:
        """Return whether it is a caveat that qualifies the headline."""
        return self.role is Role.CAVEAT and self.grade is Grade.TIED and self.qualifies is None

    def is_cut(self, source: str) -> bool:
        """Return whether it looks cut: in lower case, behind a word of its line, as after a removed "But".

        A text in a script without capitals never looks cut.
        """
        before = source[max(0, self.start - MAX_CONNECTIVE_CHARACTERS) : self.start].rpartition("\n")[2]
        return self.text[:1].islower() and before.rstrip(", \u00a0")[-1:].isalpha()

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
class Summary:
    """The key points of an article in the text's order; a tied caveat directly after its point.

    Caveats of the grade STORY come last. `judge` names the language model or person whose answer helped to
    choose, "" if there was none.
    """

    method: str
    key_points: tuple[KeyPoint, ...]
    judge: str = ""

    def is_verbatim(self, source: str) -> bool:
        """Return whether every key point equals `source` at its offsets.

        An introduction or a hint is a part of `source` before its key point.
        """
        leads = [(lead, p.start) for p in self.key_points for lead in (p.introduction, p.hint) if lead]
        return all(source[point.start : point.end] == point.text for point in self.key_points) and all(
            0 <= lead.start < lead.end <= start for lead, start in leads
        )

    def is_within(self, blocks: Sequence[Block]) -> bool:
        """Return whether each key point and each introduction is a part of one of the text's `blocks`.

        No key point is from a heading or from preformatted text.
        """
        starts = [block.start for block in blocks]

        def block_of(start: int, end: int) -> Block | None:
            place = bisect_right(starts, start) - 1
            return blocks[place] if place >= 0 and end <= blocks[place].end else None

        found = [block_of(point.start, point.end) for point in self.key_points]
        introduced = [block_of(*point.introduction) for point in self.key_points if point.introduction]
        unread = (BlockKind.HEADING, BlockKind.PREFORMATTED)
        return all(introduced) and all(block and block.kind not in unread for block in found)


@dataclass(frozen=True, slots=True)
class CondensedArticle:
    """An article with its summary, ready for an issue. `story` is the id of its story, "" if unknown."""

    article: Article
    summary: Summary
    story: str = ""
