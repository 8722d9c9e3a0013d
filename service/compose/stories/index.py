"""Story index: assigns each article to a story, one after the other and permanently (pure).

An article joins the open story with whose members it has the most evidence of one event in common. A story
without a new article for days is over.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from service.compose.stories.article_index import ArticleIndex, IndexedArticle
from service.compose.stories.evidence import MIN_SIMILARITY, SHORT_OPENING_TERMS, EventEvidence
from service.compose.stories.features import grouping_features
from service.compose.stories.identifiers import conflict
from service.core.model import Article

WINDOW = timedelta(days=3)  # a story without a new article for this time is over
SHORT_INTERVAL = timedelta(hours=48)  # the same for an article with a short opening
MAX_STORY_AGE = timedelta(days=10)  # a war or an election is a topic: later events in it are new stories
MAX_COMPARED_MEMBERS = 12  # of a story, the latest ones


@dataclass(slots=True)
class _OpenStory:
    """A story that may still grow: times of its first and latest article, and slots of its members."""

    first: datetime
    latest: datetime
    members: list[int]

    def is_near(self, moment: datetime, interval: timedelta) -> bool:
        """Return whether the moment is at most the interval before the first or after the latest article."""
        return self.first - interval <= moment <= self.latest + interval


class StoryIndex:
    """The stories of the last days. A new article is compared only with those that share rare terms.

    Not thread-safe.
    """

    def __init__(self, window: timedelta = WINDOW) -> None:
        self.window = window
        self._languages: dict[str, _LanguageIndex] = {}
        self._story_of: dict[str, str] = {}

    def __len__(self) -> int:
        """Return the number of articles in the window."""
        return len(self._story_of)

    def place(self, article: Article) -> str:
        """Return the id of the article's story: that of articles about the same event, else a new one.

        The id of a story is that of its first article. A repeated call returns the same story.
        """
        return self._add(article, None)

    def remember(self, article: Article, story: str) -> None:
        """Add an article whose story is known."""
        self._add(article, story)

    def _add(self, article: Article, story: str | None) -> str:
        known = self._story_of.get(article.id)
        if known is not None:
            return known
        features = grouping_features(article)
        language_index = self._languages.setdefault(
            features.language, _LanguageIndex(features.language, self.window)
        )
        entry = language_index.articles.encode(article.id, features)
        entry.story = story or language_index.nearest_story(entry) or article.id
        self._story_of[article.id] = entry.story
        for gone in language_index.add(entry):
            del self._story_of[gone]
        return entry.story


class _LanguageIndex:
    """The articles of one language, and their stories."""

    def __init__(self, language: str, window: timedelta) -> None:
        self.window = window
        self.articles = ArticleIndex(language)
        self.evidence = EventEvidence(self.articles)
        self.stories: dict[str, _OpenStory] = {}
        self.newest: datetime | None = None

    def nearest_story(self, entry: IndexedArticle) -> str | None:
        """Return the most similar open story, None if none is similar enough."""
        query = self.articles.query(entry)
        best, most = None, MIN_SIMILARITY
        stories = dict.fromkeys(candidate.story for candidate in self.articles.candidates(query))
        for story in stories:
            if self._is_open(self.stories[story], entry.moment):
                similarity = self._similarity(entry, query, self.stories[story])
                if similarity >= most:
                    best, most = story, similarity
        return best

    def add(self, entry: IndexedArticle) -> list[str]:
        """Add the article; return the ids of the articles that expire."""
        slot = self.articles.add(entry)
        story = self.stories.setdefault(entry.story, _OpenStory(entry.moment, entry.moment, []))
        story.members.append(slot)
        story.first, story.latest = min(story.first, entry.moment), max(story.latest, entry.moment)
        self.newest = max(self.newest or entry.moment, entry.moment)
        return self._expire(self.newest - self.window)

    def _is_open(self, story: _OpenStory, moment: datetime) -> bool:
        return story.is_near(moment, self.window) and abs(moment - story.first) <= MAX_STORY_AGE

    def _similarity(self, entry: IndexedArticle, query: dict[int, float], story: _OpenStory) -> float:
        """Return the mean similarity to the latest members of a story, -1 if the article is about another."""
        members = [self.articles.entries[slot] for slot in story.members[-MAX_COMPARED_MEMBERS:]]
        if len(entry.terms) < SHORT_OPENING_TERMS and not story.is_near(entry.moment, SHORT_INTERVAL):
            return -1.0
        if any(conflict(entry.identifiers, other.identifiers) for other in members):
            return -1.0
        return sum(self.evidence.similarity(entry, query, other) for other in members) / len(members)

    def _expire(self, since: datetime) -> list[str]:
        """Remove the oldest articles from before `since`, and their stories if nothing is left of them."""
        gone = []
        for slot, entry in self.articles.expire(since):
            story = self.stories[entry.story]
            story.members.remove(slot)
            if not story.members:
                del self.stories[entry.story]
            gone.append(entry.id)
        return gone
