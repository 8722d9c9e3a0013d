"""Ranking: the order of an edition's stories, each with the reasons for its place (pure).

The score of a story is a sum of named parts (`scoring/`). Most of them are the same for every edition; the
reader's words and topics, and what is new in an update, are added for each.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter
from typing import NamedTuple

from service.compose.scoring.caps import CappedKind, capped_order
from service.compose.scoring.known_stories import KnownStories, KnownStory
from service.compose.scoring.weights import weighted_parts
from service.compose.stories.updates import StoryUpdate
from service.core.model import Edition, Role, Score

MOST_TOPICS = 3  # of an edition that count in one story
MAX_CACHED_VIEWS, MAX_CACHED_ORDERS = 8, 64  # of a pass; editions with the same topics follow one another
UPDATE_WITHOUT_NEWS = -0.5  # of an update that has neither a new figure nor a new caveat


@dataclass(frozen=True, slots=True)
class RankedStory:
    """A story at its place, and the score that put it there."""

    update: StoryUpdate
    score: Score


class _PlacedStory(NamedTuple):
    """What the place of a story depends on: the negative total of its score, its position, and its kind."""

    negative_total: float
    position: int
    kind: CappedKind
    ranked: RankedStory
    is_muted: bool


_ORDER = itemgetter(0, 1)


class Ranker:
    """Ranks the stories of many editions; what editions have in common is computed once.

    `feed_weights` are the weights of feeds by id; a feed that is not in it has 1. `known` are stories that
    were ranked with these weights before.
    """

    def __init__(self, feed_weights: Mapping[str, float], known: KnownStories | None = None) -> None:
        self._feed_weights = feed_weights
        self._known = known or KnownStories(feed_weights)
        self._views: dict[tuple[object, ...], _RankedStories] = {}

    def forget(self) -> None:
        """Forget the stories ranked so far."""
        self._known = KnownStories(self._feed_weights)
        self._views.clear()

    def rank(self, updates: Sequence[StoryUpdate], edition: Edition, at: datetime) -> Sequence[RankedStory]:
        """Return the stories in the order of an issue dated `at`, without those that the edition mutes.

        By their scores, equal ones in gather order; with the caps of `scoring/caps.py` for the first
        `edition.stories` of them. Editions that differ in nothing of this get the same object; so `updates`
        must not be changed afterwards.
        """
        key = edition.topics, edition.follow, edition.mute, at
        if key not in self._views:
            if len(self._views) >= MAX_CACHED_VIEWS:
                self._views.clear()
            self._views[key] = _RankedStories(self._known, edition, at)
        return self._views[key].ranked(updates, edition.stories)


class _RankedStories:
    """The stories as editions with the same topics and the same words see them in issues of one time."""

    def __init__(self, known: KnownStories, edition: Edition, at: datetime) -> None:
        self._known, self._edition, self._at = known, edition, at
        # By identity; each entry holds the object whose identity is its key.
        self._places: dict[int, _PlacedStory] = {}
        self._orders: dict[tuple[int, int], tuple[Sequence[StoryUpdate], Sequence[RankedStory]]] = {}

    def ranked(self, updates: Sequence[StoryUpdate], stories: int) -> Sequence[RankedStory]:
        """Return the stories in their order, with the caps for the first ones."""
        key = id(updates), stories
        if key not in self._orders:
            if len(self._orders) >= MAX_CACHED_ORDERS:
                self._orders.clear()
                self._places.clear()
            self._orders[key] = updates, self._order(updates, stories)
        return self._orders[key][1]

    def _order(self, updates: Sequence[StoryUpdate], stories: int) -> Sequence[RankedStory]:
        places = [place for update in updates if not (place := self._place(update)).is_muted]
        places.sort(key=_ORDER)
        kinds, totals = [place.kind for place in places], [-place.negative_total for place in places]
        return [places[number].ranked for number in capped_order(kinds, totals, stories)]

    def _place(self, update: StoryUpdate) -> _PlacedStory:
        found = self._places.get(id(update))
        if found is None:
            found = self._places[id(update)] = self._new_place(update)
        return found

    def _new_place(self, update: StoryUpdate) -> _PlacedStory:
        story, edition = self._known.of(update.story), self._edition
        is_muted = bool(edition.mute and story.phrases(edition.mute))
        _, score, total = story.scored_at(self._at)
        if more := _edition_values(update, story, edition):
            score = Score((*score.parts, *weighted_parts(more)))
            total = score.total
        return _PlacedStory(
            -total, story.position, _kind(story, edition), RankedStory(update, score), is_muted
        )


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
