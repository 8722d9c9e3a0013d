"""Ranking: the order of an edition's stories, each with the reasons for its place (pure)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from service.compose.stories.updates import StoryUpdate
from service.core.model import Article, Edition, Score

SAME_PUBLISHER_PENALTY = timedelta(hours=6)  # of age, for each story of the same publisher before it
SAME_TOPICS_PENALTY = timedelta(hours=2)  # the same for the same topics


@dataclass(frozen=True, slots=True)
class RankedStory:
    """A story at its place, and the score that put it there."""

    update: StoryUpdate
    score: Score


def rank_stories(
    updates: Sequence[StoryUpdate],
    edition: Edition,  # noqa: ARG001 - the weights come with the next change
    *,
    at: datetime,  # noqa: ARG001 - as above
    feed_weights: Mapping[str, float],  # noqa: ARG001 - as above
) -> list[RankedStory]:
    """Return the stories in the order of an issue dated `at`, without those that the edition mutes.

    `feed_weights` are the weights of feeds by id; a feed that is not in it has 1. By the number of
    independent publishers, then by age and variety. Equal stories keep gather order.
    """
    remaining = sorted(updates, key=lambda update: _lead(update).position)
    publishers: Counter[str] = Counter()
    topics: Counter[tuple[str, ...]] = Counter()
    chosen: list[RankedStory] = []
    while remaining:
        best = max(
            remaining,
            key=lambda update: (
                update.story.independent_publishers,
                _ranking_time(update, publishers, topics),
            ),
        )
        remaining.remove(best)
        chosen.append(RankedStory(best, Score()))
        publishers[_lead(best).publisher] += 1
        topics[_lead(best).topics] += 1
    return chosen


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
