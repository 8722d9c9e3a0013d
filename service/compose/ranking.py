"""Ranking: the order of an edition's stories, each with the reasons for its place (pure).

The score of a story is a sum of named parts (`scoring/`). Most of them are the same for every edition; the
reader's words and topics, and what is new in an update, are added for each.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from service.compose.scoring.caps import CappedKind, capped_order
from service.compose.scoring.known_stories import KnownStories, KnownStory
from service.compose.scoring.weights import weighted_parts
from service.compose.stories.updates import StoryUpdate
from service.core.model import Edition, Role, Score

MOST_TOPICS = 3  # of an edition that count in one story
UPDATE_WITHOUT_NEWS = -0.5  # of an update that has neither a new figure nor a new caveat


@dataclass(frozen=True, slots=True)
class RankedStory:
    """A story at its place, and the score that put it there."""

    update: StoryUpdate
    score: Score


class Ranker:
    """Ranks the stories of many editions; what does not depend on the edition is computed once a story.

    `feed_weights` are the weights of feeds by id; a feed that is not in it has 1.
    """

    def __init__(self, feed_weights: Mapping[str, float]) -> None:
        self._known = KnownStories(feed_weights)

    def rank(self, updates: Sequence[StoryUpdate], edition: Edition, at: datetime) -> list[RankedStory]:
        """Return the stories in the order of an issue dated `at`, without those that the edition mutes.

        By their scores, equal ones in gather order; with the caps of `scoring/caps.py` for the first
        `edition.stories` of them.
        """
        known = [self._known.of(update.story) for update in updates]
        if edition.mute:
            wanted = [not story.phrases(edition.mute) for story in known]
            updates = [update for update, is_wanted in zip(updates, wanted, strict=True) if is_wanted]
            known = [story for story, is_wanted in zip(known, wanted, strict=True) if is_wanted]
        scores, order = [], []
        for index, (update, story) in enumerate(zip(updates, known, strict=True)):
            _, score, total = story.scored_at(at)
            if more := _edition_values(update, story, edition):
                score = Score((*score.parts, *weighted_parts(more)))
                total = score.total
            scores.append(score)
            order.append((-total, story.position, index))
        order.sort()
        kinds = [_kind(known[index], edition) for _, _, index in order]
        totals = [-negative for negative, _, _ in order]
        placed = (order[place][2] for place in capped_order(kinds, totals, edition.stories))
        return [RankedStory(updates[index], scores[index]) for index in placed]


def _edition_values(update: StoryUpdate, story: KnownStory, edition: Edition) -> dict[str, float]:
    """Return the traits of the story that depend on the edition, by name."""
    values = {}
    if len(edition.topics) > 1 and (topics := len(story.all_topics.intersection(edition.topics))) > 1:
        values["topics"] = min(topics, MOST_TOPICS) - 1.0
    if edition.follow and story.phrases(edition.follow):
        values["followed words"] = 1.0
    if update.new_points is not None:
        has_news = any(point.earlier or point.role is Role.CAVEAT for point in update.new_points)
        values["update"] = 1.0 if has_news else UPDATE_WITHOUT_NEWS
    return values


def _kind(story: KnownStory, edition: Edition) -> CappedKind:
    """Return what the caps count: the publisher, and the first topic that the edition has."""
    topics = story.topics
    if len(topics) > 1 and edition.topics:
        topics = tuple(topic for topic in topics if topic in edition.topics) or topics
    return CappedKind(story.publisher, topics[0] if topics else "")
