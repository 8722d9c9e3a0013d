"""Known stories: what editions share of a story's score, computed once (pure)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from service.compose.scoring.story_traits import ArticleTraits, StoryTraits, article_traits, story_traits
from service.compose.scoring.weights import Parts, weighted_parts
from service.compose.stories.group import GroupedStory
from service.compose.stories.phrases import matcher_for, story_text
from service.core.model import CondensedArticle, Score
from service.text.phrases import StemmedText

UNDATED_AGE = timedelta(hours=8)  # of a story without a date, at least: about the average in a daily issue
OLDEST_DAYS = 3.0  # an older story loses no more
MAX_CACHED = 20_000  # stories, and articles, whose traits are remembered


class KnownStory:
    """A story with its traits. Its words are read when an edition first asks for them.

    `position` is the leading article's in gather order, `publisher` and `topics` are those of that article;
    `all_topics` those of all articles.
    """

    __slots__ = (
        "_scored",
        "_text",
        "all_topics",
        "parts",
        "position",
        "publisher",
        "story",
        "topics",
        "traits",
    )

    def __init__(self, story: GroupedStory, traits: StoryTraits) -> None:
        lead = story.articles[0].article
        self.story = story
        self.traits = traits
        self.parts: Parts = weighted_parts(traits.values)
        self.position = lead.position
        self.publisher = lead.publisher or lead.feed_id
        self.topics = lead.topics
        self.all_topics = frozenset(topic for one in story.articles for topic in one.article.topics)
        self._text: StemmedText | None = None
        self._scored: tuple[datetime, Score, float] | None = None

    def scored_at(self, at: datetime) -> tuple[datetime, Score, float]:
        """Return the time, the score at that time without what depends on the edition, and its total."""
        if self._scored is None or self._scored[0] != at:
            score = Score((*self.parts, *weighted_parts({"freshness": _freshness(self.traits, at)})))
            self._scored = at, score, score.total
        return self._scored

    def phrases(self, phrases: tuple[str, ...]) -> tuple[str, ...]:
        """Return those of the phrases that say what the story is about, in their order."""
        if self._text is None:
            self._text = story_text(self.story)
        return matcher_for(phrases).found_in(self._text)


class KnownStories:
    """The stories of a pass, and the traits of their articles, by identity.

    `feed_weights` are the weights of feeds by id; a feed that is not in it has 1.
    """

    def __init__(self, feed_weights: Mapping[str, float]) -> None:
        self._feed_weights = feed_weights
        # Each entry holds its story or article, so that the identity is not given to another object.
        self._stories: dict[int, KnownStory] = {}
        self._articles: dict[int, tuple[CondensedArticle, ArticleTraits]] = {}

    def keep(self, stories: Collection[int], articles: Collection[int]) -> None:
        """Forget all stories and articles without one of these identities."""
        self._stories = {key: value for key, value in self._stories.items() if key in stories}
        self._articles = {key: value for key, value in self._articles.items() if key in articles}

    def of(self, story: GroupedStory) -> KnownStory:
        """Return what is known of the story."""
        found = self._stories.get(id(story))
        if found is None:
            if len(self._stories) >= MAX_CACHED:
                self._stories.clear()
            traits = [self._article(one) for one in story.articles]
            found = KnownStory(story, story_traits(story, traits, self._feed_weights))
            self._stories[id(story)] = found
        return found

    def _article(self, condensed: CondensedArticle) -> ArticleTraits:
        key = id(condensed)
        if key not in self._articles:
            if len(self._articles) >= MAX_CACHED:
                self._articles.clear()
            self._articles[key] = condensed, article_traits(condensed)
        return self._articles[key][1]


def _freshness(traits: StoryTraits, at: datetime) -> float:
    """Return 0 for a story of this moment, -1 for one of a day ago; no less than -OLDEST_DAYS."""
    age = at - traits.newest if traits.newest else max(at - traits.gathered, UNDATED_AGE)
    return -min(max(age / timedelta(days=1), 0.0), OLDEST_DAYS)
