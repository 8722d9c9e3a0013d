"""Ranking: the order of an edition's stories, each with the reasons for its place (pure)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from service.compose.scoring.caps import CappedKind, capped_order
from service.compose.scoring.phrases import phrases_in
from service.compose.scoring.story_traits import ArticleTraits, StoryTraits, article_traits, story_traits
from service.compose.scoring.weights import WEIGHTS
from service.compose.stories.group import GroupedStory
from service.compose.stories.updates import StoryUpdate
from service.core.model import Article, CondensedArticle, Edition, Role, Score

UNDATED_AGE = timedelta(hours=8)  # of a story without a date, at least: about the average in a daily issue
OLDEST_DAYS = 3.0  # an older story loses no more
MOST_TOPICS = 3  # of an edition that count in one story
UPDATE_WITHOUT_NEWS = -0.5  # of an update that has neither a new figure nor a new caveat
MAX_CACHED = 20_000  # stories, and articles, whose traits are remembered

Parts = tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class RankedStory:
    """A story at its place, and the score that put it there."""

    update: StoryUpdate
    score: Score


@dataclass(frozen=True, slots=True)
class _Scored:
    """What editions share of a story's score: its traits, the parts from them and their sum.

    `story` is kept so that its identity, by which this is cached, is not given to another object.
    """

    story: GroupedStory
    traits: StoryTraits
    parts: Parts
    total: float
    topics: frozenset[str]


class Ranker:
    """Ranks the stories of many editions; what does not depend on the edition is computed once a story.

    `feed_weights` are the weights of feeds by id; a feed that is not in it has 1.
    """

    def __init__(self, feed_weights: Mapping[str, float]) -> None:
        self._feed_weights = feed_weights
        self._scored: dict[int, _Scored] = {}
        self._articles: dict[tuple[str, str, str], ArticleTraits] = {}

    def rank(self, updates: Sequence[StoryUpdate], edition: Edition, at: datetime) -> list[RankedStory]:
        """Return the stories in the order of an issue dated `at`, without those that the edition mutes.

        By their scores, equal ones in gather order; with the caps of `scoring.caps` for the first
        `edition.stories` of them.
        """
        wanted = [one for one in updates if not phrases_in(one.story, edition.mute)]
        scores = [self._score(update, edition, at) for update in wanted]
        totals = [score.total for score in scores]
        leads = [update.story.articles[0].article for update in wanted]
        order = sorted(range(len(wanted)), key=lambda index: (-totals[index], leads[index].position))
        kinds = [_kind(leads[index], edition) for index in order]
        placed = (order[place] for place in capped_order(kinds, edition.stories))
        return [RankedStory(wanted[index], scores[index]) for index in placed]

    def _score(self, update: StoryUpdate, edition: Edition, at: datetime) -> Score:
        scored = self._scored_story(update.story)
        values = [("freshness", _freshness(scored.traits, at))]
        if (topics := len(scored.topics.intersection(edition.topics))) > 1:
            values.append(("topics", min(topics, MOST_TOPICS) - 1.0))
        if phrases_in(update.story, edition.follow):
            values.append(("followed words", 1.0))
        if update.new_points is not None:
            values.append(("update", _update_value(update)))
        return Score((*scored.parts, *((name, WEIGHTS[name] * value) for name, value in values)))

    def _scored_story(self, story: GroupedStory) -> _Scored:
        found = self._scored.get(id(story))
        if found is None:
            if len(self._scored) >= MAX_CACHED:
                self._scored.clear()
            traits = story_traits(
                story, [self._article_traits(one) for one in story.articles], self._feed_weights
            )
            parts = tuple((name, WEIGHTS[name] * value) for name, value in traits.values.items() if value)
            topics = frozenset(topic for one in story.articles for topic in one.article.topics)
            found = _Scored(story, traits, parts, sum(value for _, value in parts), topics)
            self._scored[id(story)] = found
        return found

    def _article_traits(self, condensed: CondensedArticle) -> ArticleTraits:
        article = condensed.article
        key = (article.id, article.title, article.text)
        found = self._articles.get(key)
        if found is None:
            if len(self._articles) >= MAX_CACHED:
                self._articles.clear()
            found = self._articles[key] = article_traits(condensed)
        return found


def rank_stories(
    updates: Sequence[StoryUpdate], edition: Edition, *, at: datetime, feed_weights: Mapping[str, float]
) -> list[RankedStory]:
    """Return the stories of one issue in order; see Ranker."""
    return Ranker(feed_weights).rank(updates, edition, at)


def _freshness(traits: StoryTraits, at: datetime) -> float:
    """Return 0 for a story of this moment, -1 for one of a day ago; no less than -OLDEST_DAYS."""
    age = at - traits.newest if traits.newest else max(at - traits.gathered, UNDATED_AGE)
    return -min(max(age / timedelta(days=1), 0.0), OLDEST_DAYS)


def _update_value(update: StoryUpdate) -> float:
    points = update.new_points or ()
    has_news = any(point.earlier or point.role is Role.CAVEAT for point in points)
    return 1.0 if has_news else UPDATE_WITHOUT_NEWS


def _kind(lead: Article, edition: Edition) -> CappedKind:
    """Return the publisher and the topic that the caps count: the first topic that the edition has."""
    topics = [topic for topic in lead.topics if topic in edition.topics] or lead.topics
    return CappedKind(lead.publisher or lead.feed_id, topics[0] if topics else "")
