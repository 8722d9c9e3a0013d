"""Fault isolation: use the readable articles and stories if some are damaged.

A damaged article is reported and left out; it must not stop the issue.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from service.core.errors import StoreError
from service.core.model import Article, CondensedArticle, Role, StoryPoint

MAX_DAMAGED_ARTICLES = 8  # in one read; more are a failure of the whole record

T = TypeVar("T")
RangeReader = Callable[[int, int], Awaitable[Sequence[T]]]
"""(after, through) -> what has `after < position <= through`."""
ProblemReporter = Callable[[str], None]
"""Takes a sentence about a problem, for the operator."""


def ignore_problem(_problem: str) -> None:
    """Drop a problem."""


async def read_undamaged(
    read: RangeReader[T], after: int, through: int, report_problem: ProblemReporter
) -> list[T]:
    """Return the articles with `after < position <= through`, without those that `read` cannot read.

    These are found by bisection and reported. Raises StoreError if the database cannot be used, and the error
    of `read` if more than MAX_DAMAGED_ARTICLES cannot be read.
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
    """Return the problem of an article that could not be assigned to a story."""
    return (
        f"the story of the article at position {article.position} ({article.id}) could not be found, "
        f"{error_text(error)}; it is shown as a story of its own"
    )


def unmerged_points(condensed: CondensedArticle, points: int) -> tuple[StoryPoint, ...]:
    """Return at most `points` key points of one article, no point without its caveats."""
    kept = condensed.summary.key_points
    while len(kept) > points:
        last = max((n for n, key in enumerate(kept) if key.role is Role.POINT), default=len(kept) - 1)
        kept = kept[:last]
    return tuple(
        StoryPoint.of_key_point(condensed.article, key, role=key.role, qualifies=key.qualifies)
        for key in kept
    )


def error_text(error: Exception) -> str:
    """Return the message of an error, or its class name if it has none."""
    return str(error) or type(error).__name__
