"""Fault isolation: use the readable articles and stories if some are damaged.

A damaged article is reported and left out; it must not stop the issue.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from service.compose.stories.merging.antecedents import settle_claims, settle_headline
from service.compose.stories.merging.claims import claims_of, headline_caveats
from service.compose.stories.merging.merge import story_points
from service.core.errors import StoreError
from service.core.model import Article, CondensedArticle, StoryPoint

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
    """Return the key points of one article, at most `points` if its first claim needs no more.

    The last claims are left out with their caveats, then the last caveats of the story.
    """
    claims = settle_claims(claims_of([condensed]))
    headline = settle_headline(headline_caveats([condensed]))[: max(points - 1, 0)]
    while len(claims) > 1 and len(headline) + sum(1 + len(one.caveats) for one in claims) > points:
        last = max((n for n, claim in enumerate(claims) if n and not claim.is_story_caveat), default=-1)
        claims.pop(last)
    shown = [line for claim in claims for line in (claim.sentence, *claim.caveats)] if points > 0 else []
    ranks = {line.place: n for n, line in enumerate(sorted(shown, key=lambda line: line.point.rank))}
    return story_points(headline, claims, ranks)


def error_text(error: Exception) -> str:
    """Return the message of an error, or its class name if it has none."""
    return str(error) or type(error).__name__
