"""Shortening: a story without its last point, for an issue that would be too large (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from service.core.model import StoryPoint


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
