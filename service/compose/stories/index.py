"""Story index: assigns each article to a story, one after the other and permanently (pure).

The similarity is the TF-IDF cosine of the openings, averaged over the members of a story, within a moving
window of days. Penalties for different names, results, numbers and days keep two matches of a round, or the
figures of two companies, apart; other rules do so for two events in the same phrases and for the issues of a
series such as the weather, the stock market or the horoscope.
"""

from __future__ import annotations

import heapq
import math
from array import array
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from service.compose.stories.features import GroupingFeatures, common_stems, grouping_features
from service.core.model import Article

WINDOW = timedelta(days=3)  # a story without a new article for this time is over
MAX_STORY_AGE = timedelta(days=10)  # a war or an election is a topic: later events in it are new stories
MIN_SIMILARITY = 0.18  # mean similarity of an article to the members of its story
MAX_COMPARED_MEMBERS = 12  # of a story, the latest ones

# What two openings need in additional similarity ...
UNRELATED_PENALTY = 0.3  # ... without a common name, or with different results
FEW_SHARED_NAMES_PENALTY = 0.05  # ... with less than MIN_SHARED_NAMES of the names of either
DIFFERENT_NUMBERS_PENALTY = 0.1  # ... with two numbers or more each, and none in common
DIFFERENT_DAY_PENALTY = 0.04  # ... with different first weekdays
MIN_SHARED_NAMES = 0.1
SHORT_OPENING_TERMS, MIN_SHARED_RARE_TERMS = 20, 3
"""A shorter opening, mostly a title alone, is unrelated without this number of rarer terms in common."""

MIN_TEMPLATE_PHRASES, MAX_TEMPLATE_NAMES = 0.48, 0.25
"""Two openings this similar without their names, and with fewer common names, are one template used twice."""
MIN_PUBLISHER_TEMPLATE_PHRASES, MAX_PUBLISHER_TEMPLATE_NAMES = 0.38, 0.3
"""The same within one publisher, who has phrases of its own."""
MIN_SERIES_PHRASES, MIN_SERIES_PHRASES_OTHER_NUMBERS, MIN_SERIES_INTERVAL = 0.5, 0.4, timedelta(hours=15)
"""Two articles of one publisher this similar without their names, and this far apart in time, are issues of
a series. The second limit is for many different numbers. Titles that differ in the day only also count."""
MANY_NUMBERS = 4
MIN_TEMPLATE_SIMILARITY, MIN_REPRINT_SIMILARITY = 0.2, 0.9
"""Between the two limits, openings may be a template; from the second on, one is a reprint of the other."""
TEMPLATE_FACTOR = 0.2  # of the similarity of a template, this share counts

PRIOR_ARTICLES = 150  # an empty index counts as if it had this number, half of them with the common words
MAX_CANDIDATES = 24  # articles compared with a new one
MAX_POSTINGS = 15_000  # read for one article, those of the rarest terms first


@dataclass(slots=True)
class _IndexedArticle:
    """An article in the index, with terms as numbers; `weights` are 1 + log(count) of each term."""

    id: str
    publisher: str
    moment: datetime
    terms: array[int]
    weights: array[float]
    names: frozenset[int]
    numbers: frozenset[str]
    scores: frozenset[str]
    day: int | None
    series: str
    story: str = ""


@dataclass(slots=True)
class _OpenStory:
    """A story that may still grow: times of its first and latest article, and slots of its members."""

    first: datetime
    latest: datetime
    members: list[int]


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
        entry = language_index.encode(article.id, features)
        entry.story = story or language_index.nearest_story(entry) or article.id
        self._story_of[article.id] = entry.story
        for gone in language_index.add(entry):
            del self._story_of[gone]
        return entry.story


class _LanguageIndex:
    """The articles of one language: an inverted index from terms to articles, and their stories.

    Articles have slots in order of arrival; those below `oldest` have expired.
    """

    def __init__(self, language: str, window: timedelta) -> None:
        self.common, self.window = common_stems(language), window
        self.entries: dict[int, _IndexedArticle] = {}
        self.stories: dict[str, _OpenStory] = {}
        self.oldest = self.next = 0
        self.newest: datetime | None = None
        self.words: dict[str, int] = {}
        self.word_of: list[str] = []
        self.free: list[int] = []
        self.prior: list[float] = []
        self.document_frequency: list[int] = []  # term -> number of articles
        self.postings: list[array[int]] = []  # term -> slots, ascending

    def encode(self, article_id: str, features: GroupingFeatures) -> _IndexedArticle:
        """Return the article with its terms as numbers."""
        terms = array("I", [self._number(term) for term in features.terms])
        return _IndexedArticle(
            id=article_id,
            publisher=features.publisher,
            moment=features.moment,
            terms=terms,
            weights=array("f", [1 + math.log(count) for count in features.terms.values()]),
            names=frozenset(self.words[name] for name in features.names if name in self.words),
            numbers=features.numbers,
            scores=features.scores,
            day=features.day,
            series=features.series,
        )

    def nearest_story(self, entry: _IndexedArticle) -> str | None:
        """Return the most similar open story, None if none is similar enough."""
        weights = {
            term: weight * self._rarity(term) for term, weight in zip(entry.terms, entry.weights, strict=True)
        }
        norm = math.sqrt(sum(weight * weight for weight in weights.values())) or 1.0
        query = {term: weight / norm for term, weight in weights.items()}
        best, most = None, MIN_SIMILARITY
        for story in self._candidates(query, entry.moment):
            similarity = self._similarity(entry, query, self.stories[story])
            if similarity >= most:
                best, most = story, similarity
        return best

    def add(self, entry: _IndexedArticle) -> list[str]:
        """Add the article; return the ids of the articles that expire."""
        slot, self.next = self.next, self.next + 1
        self.entries[slot] = entry
        for term in entry.terms:
            self.document_frequency[term] += 1
            self.postings[term].append(slot)
        story = self.stories.setdefault(entry.story, _OpenStory(entry.moment, entry.moment, []))
        story.members.append(slot)
        story.first, story.latest = min(story.first, entry.moment), max(story.latest, entry.moment)
        self.newest = max(self.newest or entry.moment, entry.moment)
        return self._expire(self.newest - self.window)

    def _number(self, word: str) -> int:
        number = self.words.get(word)
        if number is not None:
            return number
        prior = PRIOR_ARTICLES / 2 if word in self.common else 0.0
        if self.free:
            number = self.words[word] = self.free.pop()
            self.word_of[number], self.prior[number] = word, prior
            self.postings[number] = array("I")
            return number
        number = self.words[word] = len(self.word_of)
        self.word_of.append(word)
        self.prior.append(prior)
        self.document_frequency.append(0)
        self.postings.append(array("I"))
        return number

    def _rarity(self, word: int) -> float:
        """Return the inverse document frequency, never negative."""
        seen = len(self.entries) + PRIOR_ARTICLES + 1
        return max(math.log(seen / (self.document_frequency[word] + self.prior[word] + 0.5)), 0.0)

    def _candidates(self, query: dict[int, float], moment: datetime) -> list[str]:
        """Return the open stories that share the most rare terms."""
        scores: defaultdict[int, float] = defaultdict(float)
        left = MAX_POSTINGS
        for word in sorted(query, key=self.document_frequency.__getitem__):
            places = self.postings[word]
            if places and places[0] < self.oldest:
                del places[: bisect_left(places, self.oldest)]
            left -= len(places)
            if left < 0:
                break
            weight = query[word] * self._rarity(word)
            for slot in places:
                scores[slot] += weight
        most = heapq.nlargest(MAX_CANDIDATES, scores, key=scores.__getitem__)
        stories = (self.entries[slot].story for slot in most)
        return [story for story in dict.fromkeys(stories) if self._is_open(self.stories[story], moment)]

    def _is_open(self, story: _OpenStory, moment: datetime) -> bool:
        near = story.first - self.window <= moment <= story.latest + self.window
        return near and abs(moment - story.first) <= MAX_STORY_AGE

    def _similarity(self, entry: _IndexedArticle, query: dict[int, float], story: _OpenStory) -> float:
        """Return the mean similarity to the latest members of a story."""
        members = [self.entries[slot] for slot in story.members[-MAX_COMPARED_MEMBERS:]]
        return sum(self._event_similarity(entry, query, other) for other in members) / len(members)

    def _event_similarity(
        self, entry: _IndexedArticle, query: dict[int, float], other: _IndexedArticle
    ) -> float:
        """Return the similarity of two articles as evidence that they are about one event."""
        cosine = self._cosine(query, other)
        if self._is_template(entry, query, other, cosine):
            cosine *= TEMPLATE_FACTOR
        return cosine - self._penalty(entry, other)

    def _cosine(self, query: dict[int, float], other: _IndexedArticle) -> float:
        product = square = 0.0
        for term, count in zip(other.terms, other.weights, strict=True):
            weight = count * self._rarity(term)
            square += weight * weight
            product += weight * query.get(term, 0.0)
        return product / math.sqrt(square) if square else 0.0

    def _penalty(self, one: _IndexedArticle, other: _IndexedArticle) -> float:
        """Return the evidence against one event, in units of similarity."""
        penalty = 0.0
        if one.scores and other.scores and one.scores.isdisjoint(other.scores):
            penalty += UNRELATED_PENALTY
        if min(len(one.numbers), len(other.numbers)) >= 2 and one.numbers.isdisjoint(other.numbers):
            penalty += DIFFERENT_NUMBERS_PENALTY
        if one.day is not None and other.day is not None and one.day != other.day:
            penalty += DIFFERENT_DAY_PENALTY
        if min(len(one.terms), len(other.terms)) < SHORT_OPENING_TERMS:
            shared = set(one.terms) & set(other.terms)
            if sum(not self.prior[term] for term in shared) < MIN_SHARED_RARE_TERMS:
                penalty += UNRELATED_PENALTY
        elif min(len(one.names), len(other.names)) >= 2:
            common = self._names_shared(one, other)
            penalty += (
                UNRELATED_PENALTY
                if not common
                else FEW_SHARED_NAMES_PENALTY
                if common < MIN_SHARED_NAMES
                else 0.0
            )
        return penalty

    def _is_template(
        self, one: _IndexedArticle, query: dict[int, float], other: _IndexedArticle, cosine: float
    ) -> bool:
        """Return whether the two share their phrases but not their content: a template or a series."""
        if not MIN_TEMPLATE_SIMILARITY <= cosine < MIN_REPRINT_SIMILARITY:
            return False
        least = math.inf
        same_publisher = one.publisher == other.publisher != ""
        if same_publisher and abs(one.moment - other.moment) >= MIN_SERIES_INTERVAL:
            if one.series == other.series != "":
                return True
            least = self._min_series_similarity(one, other)
        if one.names and other.names:
            phrases, names = (
                (MIN_PUBLISHER_TEMPLATE_PHRASES, MAX_PUBLISHER_TEMPLATE_NAMES)
                if same_publisher
                else (MIN_TEMPLATE_PHRASES, MAX_TEMPLATE_NAMES)
            )
            if self._names_shared(one, other) < names:
                least = min(least, phrases)
        return least < math.inf and self._plain_cosine(one, query, other) >= least

    def _min_series_similarity(self, one: _IndexedArticle, other: _IndexedArticle) -> float:
        """Return the least similarity of two issues of a series; infinity if they have a name in common."""
        fewest = min(len(one.numbers), len(other.numbers))
        if fewest >= MANY_NUMBERS and len(one.numbers & other.numbers) < fewest / 2:
            return MIN_SERIES_PHRASES_OTHER_NUMBERS
        return math.inf if one.names & other.names else MIN_SERIES_PHRASES

    def _names_shared(self, one: _IndexedArticle, other: _IndexedArticle) -> float:
        """Return the common share of the names, by weight, of the article with fewer names."""
        common = self._weight(one.names & other.names)
        return common / (min(self._weight(one.names), self._weight(other.names)) or 1.0)

    def _plain_cosine(self, one: _IndexedArticle, query: dict[int, float], other: _IndexedArticle) -> float:
        """Return the cosine of the terms that are names in neither."""
        names = one.names | other.names
        product = square = 0.0
        for term, count in zip(other.terms, other.weights, strict=True):
            if term not in names:
                weight = count * self._rarity(term)
                square += weight * weight
                product += weight * query.get(term, 0.0)
        own = sum(weight * weight for term, weight in query.items() if term not in names)
        return product / math.sqrt(square * own) if square and own else 0.0

    def _weight(self, words: Iterable[int]) -> float:
        return sum(self._rarity(word) ** 2 for word in words)

    def _expire(self, since: datetime) -> list[str]:
        """Remove the oldest articles from before `since`, with their terms and stories if unused."""
        gone = []
        while self.entries[self.oldest].moment < since:
            entry = self.entries.pop(self.oldest)
            for term in entry.terms:
                self.document_frequency[term] -= 1
                if not self.document_frequency[term]:
                    del self.words[self.word_of[term]]
                    self.free.append(term)
            story = self.stories[entry.story]
            story.members.remove(self.oldest)
            if not story.members:
                del self.stories[entry.story]
            self.oldest += 1
            gone.append(entry.id)
        return gone
