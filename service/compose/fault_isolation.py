"""Damage: what of the record and of the stories can still be used when something in them is broken.

One broken article must not cost everybody their issue: it is named, and the others are told without it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from service.core.errors import StoreError
from service.core.model import Article, CondensedArticle, Role, StoryPoint

MAX_DAMAGED_ARTICLES = 8
"""With more than so many, it is not single articles that are damaged."""

T = TypeVar("T")
RangeReader = Callable[[int, int], Awaitable[Sequence[T]]]
"""Reads what lies behind the first position, up to the second."""
ProblemReporter = Callable[[str], None]
"""Takes a sentence about something that went wrong."""


def ignore_problem(_problem: str) -> None:
    """Take a problem and tell nobody."""


async def read_undamaged(
    read: RangeReader[T], after: int, through: int, report_problem: ProblemReporter
) -> list[T]:
    """Return what `read` gives for `after < position <= through`, without the articles that cannot be read.

    They are found by halves, and named to `trouble`. Raises StoreError when the record itself cannot be
    reached, and what `read` raised when more than `MOST_DAMAGED` articles cannot be read.
    """
    found: list[T] = []
    damaged: list[str] = []
    ranges = [(after, through)]
    while ranges:
        start, end = ranges.pop()
        try:
            found += await read(start, end)
        except StoreError:
            raise
        except Exception as error:
            if end - start > 1:
                middle = (start + end) // 2
                ranges += [(middle, end), (start, middle)]
                continue
            damaged.append(
                f"the article at position {end} cannot be read, {error_text(error)}; it is left out"
            )
            if len(damaged) > MAX_DAMAGED_ARTICLES:
                raise
    for problem in damaged:
        report_problem(problem)
    return found


def placement_problem(article: Article, error: Exception) -> str:
    """Return the sentence about an article whose story could not be found."""
    return (
        f"the story of the article at position {article.position} ({article.id}) could not be found, "
        f"{error_text(error)}; it is told as a story of its own"
    )


def unmerged_points(told: CondensedArticle, points: int) -> tuple[StoryPoint, ...]:
    """Return at most `points` lines of the article as condense left them, no point without its caveats."""
    kept = told.summary.key_points
    while len(kept) > points:
        last = max(index for index, key in enumerate(kept) if key.role is Role.POINT)
        kept = kept[:last]
    return tuple(
        StoryPoint(key.text, key.role, told.article, key.start, key.end, key.qualifies) for key in kept
    )


def error_text(error: Exception) -> str:
    """Return what an error says, or what it is called when it says nothing."""
    return str(error) or type(error).__name__
