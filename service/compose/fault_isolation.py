"""Damage: what of the record and of the stories can still be used when something in them is broken.

One broken article must not cost everybody their issue: it is named, and the others are told without it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from service.core.errors import StoreError
from service.core.model import Article, CondensedArticle, Role, StoryPoint

MOST_DAMAGED = 8
"""With more than so many, it is not single articles that are damaged."""

T = TypeVar("T")
Read = Callable[[int, int], Awaitable[Sequence[T]]]
"""Reads what lies behind the first position, up to the second."""
Trouble = Callable[[str], None]
"""Takes a sentence about something that went wrong."""


def unheard(_problem: str) -> None:
    """Take a problem and tell nobody."""


async def readable(read: Read[T], after: int, through: int, trouble: Trouble) -> list[T]:
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
            damaged.append(f"the article at position {end} cannot be read, {reason(error)}; it is left out")
            if len(damaged) > MOST_DAMAGED:
                raise
    for problem in damaged:
        trouble(problem)
    return found


def not_placed(article: Article, error: Exception) -> str:
    """Return the sentence about an article whose story could not be found."""
    return (
        f"the story of the article at position {article.position} ({article.id}) could not be found, "
        f"{reason(error)}; it is told as a story of its own"
    )


def as_condensed(told: CondensedArticle, points: int) -> tuple[StoryPoint, ...]:
    """Return at most `points` lines of the article as condense left them, no point without its caveats."""
    kept = told.summary.key_points
    while len(kept) > points:
        last = max(index for index, key in enumerate(kept) if key.role is Role.POINT)
        kept = kept[:last]
    return tuple(
        StoryPoint(key.text, key.role, told.article, key.start, key.end, key.qualifies) for key in kept
    )


def reason(error: Exception) -> str:
    """Return what an error says, or what it is called when it says nothing."""
    return str(error) or type(error).__name__
