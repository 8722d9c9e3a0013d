"""Shortening: a story without its last point for an issue that is too large, or only its first one (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from service.core.model import Role, StoryPoint


def without_last_point(points: Sequence[StoryPoint]) -> tuple[StoryPoint, ...] | None:
    """Return the points without the last one; None if there is no other one.

    With it go the points that were chosen together with it, the caveats of these, what is clear only below
    one of them, and the caveats of the story from an article of which nothing else is left.
    """
    own = [index for index, point in enumerate(points) if point.stands_alone]
    removed = {index for index in own if points[index].rank == points[own[-1]].rank}
    if not own or own[0] in removed:
        return None
    for index, point in enumerate(points):
        if point.qualifies in removed or point.follows in removed:
            removed.add(index)
    left = {p.article.id for n, p in enumerate(points) if n not in removed and not p.is_story_caveat}
    gone = {points[index].article.id for index in removed} - left
    removed |= {n for n, p in enumerate(points) if p.is_story_caveat and p.article.id in gone}
    return _without(points, removed)


def top_points(points: Sequence[StoryPoint]) -> tuple[StoryPoint, ...]:
    """Return the points that were chosen first, with their caveats and those of the story.

    They are the first point with what cannot be separated from it. A context caveat is among them only if
    there is no point. Nothing leans on a line that is not among them.
    """
    alone = sorted({point.rank for point in points if point.stands_alone})
    groups = [kept for rank in alone if (kept := _group(points, rank)) and _is_clear(points, kept)]
    with_points = (kept for kept in groups if any(points[index].role is Role.POINT for index in kept))
    kept = next(with_points, groups[0] if groups else set())
    for index, point in enumerate(points):
        if point.is_of_headline or (point.is_story_caveat and _is_clear(points, {*kept, index})):
            kept.add(index)
    kept |= {index for index, point in enumerate(points) if point.qualifies in kept}
    return _without(points, set(range(len(points))) - kept)


def _group(points: Sequence[StoryPoint], rank: int) -> set[int]:
    """Return the indexes of the points of a rank, and of their caveats."""
    own = {index for index, point in enumerate(points) if point.stands_alone and point.rank == rank}
    return own | {index for index, point in enumerate(points) if point.qualifies in own}


def _is_clear(points: Sequence[StoryPoint], kept: set[int]) -> bool:
    return all(points[index].follows is None or points[index].follows in kept for index in kept)


def _without(points: Sequence[StoryPoint], removed: set[int]) -> tuple[StoryPoint, ...]:
    """Return the points without those of the `removed` indexes, the others with their new ones."""
    places = {old: new for new, old in enumerate(n for n in range(len(points)) if n not in removed)}
    return tuple(
        replace(
            points[old],
            qualifies=_moved(points[old].qualifies, places),
            follows=_moved(points[old].follows, places),
        )
        for old in places
    )


def _moved(index: int | None, places: dict[int, int]) -> int | None:
    return None if index is None else places.get(index)
