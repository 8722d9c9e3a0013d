"""The digest: which stories an edition gets, in which order, and how many (pure)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from service.compose.ports import KeyPointMerger
from service.compose.stories.updates import StoryUpdate
from service.core import ids as identity
from service.core.model import Article, Digest, Edition, Role, Story

SAME_PUBLISHER_PENALTY = timedelta(hours=6)
SAME_TOPICS_PENALTY = timedelta(hours=2)


def make_digest(
    edition: Edition, updates: Sequence[StoryUpdate], *, at: datetime, merge: KeyPointMerger
) -> Digest:
    """Return the digest of these stories for the edition: ordered, capped, each with its points.

    `at` is the moment that the digest stands for. Only the stories that get in are told.
    """
    chosen = rank_stories(updates, edition.stories)
    stories = tuple(_story(chapter, merge, edition.points) for chapter in chosen)
    return Digest(edition, at, stories, left_out=len(updates) - len(stories))


def rank_stories(updates: Sequence[StoryUpdate], limit: int) -> list[StoryUpdate]:
    """Return the first `limit` stories: those with more independent voices first, then fresh and varied.

    For variety every story that is in already makes those of its publisher count as six hours older, and
    those of its topics as two. Equal stories keep gather order, so that the same input gives the same page.
    """
    left = sorted(updates, key=lambda c: _lead(c).position)
    publishers: Counter[str] = Counter()
    topics: Counter[tuple[str, ...]] = Counter()
    chosen: list[StoryUpdate] = []
    while left and len(chosen) < limit:
        best = max(left, key=lambda c: (c.story.independent_publishers, _ranking_time(c, publishers, topics)))
        left.remove(best)
        chosen.append(best)
        publishers[_lead(best).publisher] += 1
        topics[_lead(best).topics] += 1
    return chosen


def reduce_digest(digest: Digest) -> Digest | None:
    """Return the digest with its last story left out, or its only story without its last point.

    A point goes together with its caveats. Then the corrections go, which wait for the next issue. None when
    there is but one point left.
    """
    if len(digest.stories) > 1:
        return replace(digest, stories=digest.stories[:-1], left_out=digest.left_out + 1)
    points = digest.stories[0].points if digest.stories else ()
    last = max((n for n, point in enumerate(points) if point.role is Role.POINT), default=0)
    if last == 0:
        return replace(digest, corrections=()) if digest.corrections else None
    return replace(digest, stories=(replace(digest.stories[0], points=points[:last]),))


def _lead(chapter: StoryUpdate) -> Article:
    return chapter.story.articles[0].article


def _ranking_time(
    chapter: StoryUpdate, publishers: Counter[str], topics: Counter[tuple[str, ...]]
) -> datetime:
    lead = _lead(chapter)
    newest = max(told.article.effective_published_at for told in chapter.story.articles)
    return (
        newest
        - publishers[lead.publisher] * SAME_PUBLISHER_PENALTY
        - topics[lead.topics] * SAME_TOPICS_PENALTY
    )


def _story(chapter: StoryUpdate, tell: KeyPointMerger, points: int) -> Story:
    articles = tuple(told.article for told in chapter.story.articles)
    return Story(
        id=chapter.story.articles[0].story or identity.story_id([article.id for article in articles]),
        articles=articles,
        points=tell(chapter.story.articles, points=points)
        if chapter.new_points is None
        else chapter.new_points,
        is_update=chapter.new_points is not None,
    )
