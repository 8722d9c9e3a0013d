"""Digest: the choice and the order of the stories of an edition (pure)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from service.compose.ports import KeyPointMerger
from service.compose.stories.shortening import without_last_point
from service.compose.stories.updates import StoryUpdate
from service.core import ids as identity
from service.core.model import Article, Digest, Edition, Story

SAME_PUBLISHER_PENALTY = timedelta(hours=6)  # of age, for each chosen story of the same publisher
SAME_TOPICS_PENALTY = timedelta(hours=2)  # the same for the same topics


def make_digest(
    edition: Edition, updates: Sequence[StoryUpdate], *, at: datetime, merge: KeyPointMerger
) -> Digest:
    """Return the digest of these stories: ordered, limited to `edition.stories`, each with its points.

    `at` is the date of the digest. Only the chosen stories are merged.
    """
    chosen = rank_stories(updates, edition.stories)
    stories = tuple(_story(update, merge, edition.points) for update in chosen)
    return Digest(edition, at, stories, left_out=len(updates) - len(stories))


def rank_stories(updates: Sequence[StoryUpdate], limit: int) -> list[StoryUpdate]:
    """Return the first `limit` stories: by the number of independent publishers, then by age and variety.

    For variety, each chosen story adds SAME_PUBLISHER_PENALTY to the age of the stories of its publisher, and
    SAME_TOPICS_PENALTY to those of its topics. Equal stories keep gather order.
    """
    remaining = sorted(updates, key=lambda update: _lead(update).position)
    publishers: Counter[str] = Counter()
    topics: Counter[tuple[str, ...]] = Counter()
    chosen: list[StoryUpdate] = []
    while remaining and len(chosen) < limit:
        best = max(
            remaining,
            key=lambda update: (
                update.story.independent_publishers,
                _ranking_time(update, publishers, topics),
            ),
        )
        remaining.remove(best)
        chosen.append(best)
        publishers[_lead(best).publisher] += 1
        topics[_lead(best).topics] += 1
    return chosen


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


def _lead(update: StoryUpdate) -> Article:
    return update.story.articles[0].article


def _ranking_time(
    update: StoryUpdate, publishers: Counter[str], topics: Counter[tuple[str, ...]]
) -> datetime:
    lead = _lead(update)
    newest = max(one.article.effective_published_at for one in update.story.articles)
    return (
        newest
        - publishers[lead.publisher] * SAME_PUBLISHER_PENALTY
        - topics[lead.topics] * SAME_TOPICS_PENALTY
    )


def _story(update: StoryUpdate, tell: KeyPointMerger, points: int) -> Story:
    articles = tuple(one.article for one in update.story.articles)
    return Story(
        id=update.story.articles[0].story or identity.story_id([article.id for article in articles]),
        articles=articles,
        points=tell(update.story.articles, points=points) if update.new_points is None else update.new_points,
        is_update=update.new_points is not None,
        judges=tuple(dict.fromkeys(one.summary.judge for one in update.story.articles if one.summary.judge)),
    )
