"""Shortening: the first points of a story, with what must be shown with them (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from service.core.model import Role, StoryPoint


def first_points(points: Sequence[StoryPoint], limit: int) -> tuple[StoryPoint, ...]:
    """Return at most `limit` points, those chosen first, with their caveats.

    Points that cannot be separated are all among them or none; those chosen first are always. Nothing leans
    on a line or qualifies a point that is not among them. The caveats of the headline stay, and those of the
    story that were chosen before a point that is left out, or from an article of which something else is
    shown.
    """
    if count_points(points) <= limit:
        return tuple(points)
    kept = {index for index, point in enumerate(points) if point.is_of_headline}
    count = 0
    for own in _bundles(points):
        added = count_points([points[index] for index in own])
        # The first points may be more than the limit: a caveat of theirs that was chosen late adds no point.
        fits = added == 0 or count == 0 or count + added <= limit
        if fits and _is_supported(points, kept | own):
            kept, count = kept | own, count + added
    articles = {points[index].article.id for index in kept}
    left_out = [own.rank for index, own in enumerate(points) if own.stands_alone and index not in kept]
    first_left_out = min(left_out, default=0)
    for index, point in enumerate(points):
        owner = None if point.qualifies is None else points[point.qualifies]
        is_closing = (
            point.rank < first_left_out or point.article.id in articles
            if point.is_story_caveat
            else owner and owner.is_story_caveat
        )
        if is_closing and _is_supported(points, kept | {index}):
            kept.add(index)
    return _without(points, set(range(len(points))) - kept)


def headline_caveats(points: Sequence[StoryPoint]) -> tuple[StoryPoint, ...]:
    """Return those of the points that are caveats of the headline."""
    return _without(points, {index for index, point in enumerate(points) if not point.is_of_headline})


def _bundles(points: Sequence[StoryPoint]) -> list[set[int]]:
    """Return the indexes of the points that share a rank, and of their caveats, in the order of choice."""
    by_rank: dict[int, set[int]] = {}
    for index, point in enumerate(points):
        if not (point.is_of_headline or point.is_story_caveat):
            by_rank.setdefault(point.rank, set()).add(index)
    return [by_rank[rank] for rank in sorted(by_rank)]


def count_points(points: Sequence[StoryPoint]) -> int:
    """Return the number of points, without the caveats of points, of the headline and of the story."""
    return sum(point.stands_alone for point in points)


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


def _is_supported(points: Sequence[StoryPoint], kept: set[int]) -> bool:
    """Return whether everything that these lines qualify or lean on is among them."""
    return _is_clear(points, kept) and all(
        points[index].qualifies is None or points[index].qualifies in kept for index in kept
    )


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
