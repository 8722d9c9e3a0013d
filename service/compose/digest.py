"""Digest: the choice and the order of the stories of an edition (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from service.compose.ports import KeyPointMerger
from service.compose.ranking import RankedStory
from service.compose.stories.shortening import without_last_point
from service.core import ids as identity
from service.core.model import Digest, Edition, Placement, Story


def make_digest(
    edition: Edition, ranked: Sequence[RankedStory], *, at: datetime, merge: KeyPointMerger
) -> Digest:
    """Return the digest of these stories, in their order: the first `edition.stories` with key points.

    `at` is the date of the digest. Only the chosen stories are merged.
    """
    chosen = ranked[: edition.stories]
    stories = tuple(_story(one, merge, edition.points, is_lead=one is ranked[0]) for one in chosen)
    return Digest(edition, at, stories, left_out=len(ranked) - len(stories))


def reduce_digest(digest: Digest) -> Digest | None:
    """Return the digest with compact lists of articles; then without its last story or last point.

    The last point of the only story is removed with what needs it. After that, the corrections are removed;
    they wait for the next issue. None if only one point is left.
    """
    if not digest.compact and any(len(story.articles) > 1 for story in digest.stories):
        return replace(digest, compact=True)
    if len(digest.stories) > 1:
        return replace(digest, stories=digest.stories[:-1], left_out=digest.left_out + 1)
    points = without_last_point(digest.stories[0].points) if digest.stories else None
    if points is None:
        return replace(digest, corrections=()) if digest.corrections else None
    return replace(digest, stories=(replace(digest.stories[0], points=points),))


def _story(ranked: RankedStory, merge: KeyPointMerger, points: int, *, is_lead: bool) -> Story:
    update = ranked.update
    articles = tuple(one.article for one in update.story.articles)
    return Story(
        id=update.story.articles[0].story or identity.story_id([article.id for article in articles]),
        articles=articles,
        points=merge(update.story.articles, points=points)
        if update.new_points is None
        else update.new_points,
        is_update=update.new_points is not None,
        judges=tuple(dict.fromkeys(one.summary.judge for one in update.story.articles if one.summary.judge)),
        placement=Placement.LEAD if is_lead else Placement.STORY,
        score=ranked.score,
    )
