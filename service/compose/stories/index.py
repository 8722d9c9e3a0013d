"""The story index: gives each article its story, one after the other, and never takes it back (pure).

TF-IDF cosine between openings, average link to the story's members, within a moving window of days; guarded
by names, results, numbers and days, so that two matches of a round or two firms' figures stay two stories, as
do two events in the same phrases, and the issues of a series: the weather, the stock market, the horoscope.
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

WINDOW = timedelta(days=3)
"""A story that nothing was added to for so long is over."""
MAX_STORY_AGE = timedelta(days=10)
"""A war or an election is a topic: what happens in it later than this is told as a story of its own."""
MIN_SIMILARITY = 0.18
"""The least mean likeness of an article to a story's members."""
MAX_COMPARED_MEMBERS = 12
"""An article is compared with the last members of a story only."""

UNRELATED_PENALTY = 0.3
"""What two openings have to be more alike when they share no name, or name different results."""
FEW_SHARED_NAMES_PENALTY = 0.05
"""The same when their common names are less than a tenth of the names of either."""
DIFFERENT_NUMBERS_PENALTY = 0.1
"""The same when each has two numbers or more, and none in common."""
DIFFERENT_DAY_PENALTY = 0.04
"""The same when they name different days of the week first."""
MIN_SHARED_NAMES = 0.1
SHORT_OPENING_TERMS = 20
"""Openings of fewer words than this, mostly titles alone, are strange without three rarer words in common."""
MIN_SHARED_RARE_TERMS = 3

MIN_TEMPLATE_PHRASES, MAX_TEMPLATE_NAMES = 0.48, 0.25
"""So alike without their names, but with less than this of either's names in common, two openings are one
template, filled in twice."""
MIN_PUBLISHER_TEMPLATE_PHRASES, MAX_PUBLISHER_TEMPLATE_NAMES = 0.38, 0.3
"""The same within one publisher, who has phrases of its own."""
MIN_SERIES_PHRASES, MIN_SERIES_PHRASES_OTHER_NUMBERS, MIN_SERIES_INTERVAL = 0.5, 0.4, timedelta(hours=15)
"""And so are two of one publisher, so alike without names and written so long apart: issues of a series.
The second figure holds where their many numbers differ. One title but for its day is a series as well."""
MANY_NUMBERS = 4
MIN_TEMPLATE_SIMILARITY, MIN_REPRINT_SIMILARITY = 0.2, 0.9
"""Less alike than this, two openings are no template; from the second on, one is the other once more."""
TEMPLATE_FACTOR = 0.2
"""How much of the likeness of two that are one template speaks for one event."""

PRIOR_ARTICLES = 150
"""The index starts as if it had seen so many articles, in half of which the common words stood."""
MAX_CANDIDATES = 24
MAX_POSTINGS = 15_000
"""So many places of words are looked up for one article, those of the rarest words first."""


@dataclass(slots=True)
class _IndexedArticle:
    """An article in the index; words are numbers here. `weights` are the logarithms of the terms' counts."""

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
    """A story that may still grow: the slots of its members, when it began and when it last grew."""

    first: datetime
    latest: datetime
    members: list[int]


class StoryIndex:
    """The stories of the last days. A new article meets only those that it shares rare words with.

    Not for two threads at once.
    """

    def __init__(self, window: timedelta = WINDOW) -> None:
        self.window = window
        self._languages: dict[str, _LanguageIndex] = {}
        self._story_of: dict[str, str] = {}

    def __len__(self) -> int:
        """Return how many articles are within the window."""
        return len(self._story_of)

    def place(self, article: Article) -> str:
        """Return the article's story: that of the articles on the same event, else a new one of its own.

        A story is called by the id of the article that began it. Asked again, the answer is the same.
        """
        return self._add(article, None)

    def remember(self, article: Article, story: str) -> None:
        """Take in an article whose story is known from before."""
        self._add(article, story)

    def _add(self, article: Article, story: str | None) -> str:
        known = self._story_of.get(article.id)
        if known is not None:
            return known
        gist = grouping_features(article)
        shelf = self._languages.setdefault(gist.language, _LanguageIndex(gist.language, self.window))
        entry = shelf.encode(article.id, gist)
        entry.story = story or shelf.nearest_story(entry) or article.id
        self._story_of[article.id] = entry.story
        for gone in shelf.add(entry):
            del self._story_of[gone]
        return entry.story


class _LanguageIndex:
    """The articles of one language: from words to articles, from articles to stories.

    Articles have slots, counted in order of arrival; those below `oldest` are gone.
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
        self.document_frequency: list[int] = []  # in how many articles a word stands
        self.postings: list[array[int]] = []  # in which slots, in order

    def encode(self, article_id: str, gist: GroupingFeatures) -> _IndexedArticle:
        """Return the article in the shelf's numbers."""
        terms = array("I", [self._number(term) for term in gist.terms])
        return _IndexedArticle(
            id=article_id,
            publisher=gist.publisher,
            moment=gist.moment,
            terms=terms,
            weights=array("f", [1 + math.log(count) for count in gist.terms.values()]),
            names=frozenset(self.words[name] for name in gist.names if name in self.words),
            numbers=gist.numbers,
            scores=gist.scores,
            day=gist.day,
            series=gist.series,
        )

    def nearest_story(self, entry: _IndexedArticle) -> str | None:
        """Return the open story that the article is most alike, or None."""
        weights = {
            term: weight * self._rarity(term) for term, weight in zip(entry.terms, entry.weights, strict=True)
        }
        norm = math.sqrt(sum(weight * weight for weight in weights.values())) or 1.0
        wanted = {term: weight / norm for term, weight in weights.items()}
        best, most = None, MIN_SIMILARITY
        for story in self._candidates(wanted, entry.moment):
            likeness = self._similarity(entry, wanted, self.stories[story])
            if likeness >= most:
                best, most = story, likeness
        return best

    def add(self, entry: _IndexedArticle) -> list[str]:
        """Put the article in; return the ids of those that are too old by now."""
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

    def _candidates(self, wanted: dict[int, float], moment: datetime) -> list[str]:
        """Return the stories that can grow at this moment and share the most rare words."""
        scores: defaultdict[int, float] = defaultdict(float)
        left = MAX_POSTINGS
        for word in sorted(wanted, key=self.document_frequency.__getitem__):
            places = self.postings[word]
            if places and places[0] < self.oldest:
                del places[: bisect_left(places, self.oldest)]
            left -= len(places)
            if left < 0:
                break
            weight = wanted[word] * self._rarity(word)
            for slot in places:
                scores[slot] += weight
        most = heapq.nlargest(MAX_CANDIDATES, scores, key=scores.__getitem__)
        stories = (self.entries[slot].story for slot in most)
        return [story for story in dict.fromkeys(stories) if self._is_open(self.stories[story], moment)]

    def _is_open(self, story: _OpenStory, moment: datetime) -> bool:
        near = story.first - self.window <= moment <= story.latest + self.window
        return near and abs(moment - story.first) <= MAX_STORY_AGE

    def _similarity(self, entry: _IndexedArticle, wanted: dict[int, float], story: _OpenStory) -> float:
        """Return the mean likeness to the story's last members, less what speaks against each."""
        members = [self.entries[slot] for slot in story.members[-MAX_COMPARED_MEMBERS:]]
        return sum(self._event_similarity(entry, wanted, other) for other in members) / len(members)

    def _event_similarity(
        self, entry: _IndexedArticle, wanted: dict[int, float], other: _IndexedArticle
    ) -> float:
        """Return the likeness of two articles, as far as it tells that they are about one event."""
        cosine = self._cosine(wanted, other)
        if self._is_template(entry, wanted, other, cosine):
            cosine *= TEMPLATE_FACTOR
        return cosine - self._penalty(entry, other)

    def _cosine(self, wanted: dict[int, float], other: _IndexedArticle) -> float:
        product = square = 0.0
        for term, count in zip(other.terms, other.weights, strict=True):
            weight = count * self._rarity(term)
            square += weight * weight
            product += weight * wanted.get(term, 0.0)
        return product / math.sqrt(square) if square else 0.0

    def _penalty(self, one: _IndexedArticle, other: _IndexedArticle) -> float:
        """Return what speaks against one event, as the likeness that has to make up for it."""
        doubt = 0.0
        if one.scores and other.scores and one.scores.isdisjoint(other.scores):
            doubt += UNRELATED_PENALTY
        if min(len(one.numbers), len(other.numbers)) >= 2 and one.numbers.isdisjoint(other.numbers):
            doubt += DIFFERENT_NUMBERS_PENALTY
        if one.day is not None and other.day is not None and one.day != other.day:
            doubt += DIFFERENT_DAY_PENALTY
        if min(len(one.terms), len(other.terms)) < SHORT_OPENING_TERMS:
            shared = set(one.terms) & set(other.terms)
            if sum(not self.prior[term] for term in shared) < MIN_SHARED_RARE_TERMS:
                doubt += UNRELATED_PENALTY
        elif min(len(one.names), len(other.names)) >= 2:
            common = self._names_shared(one, other)
            doubt += (
                UNRELATED_PENALTY
                if not common
                else FEW_SHARED_NAMES_PENALTY
                if common < MIN_SHARED_NAMES
                else 0.0
            )
        return doubt

    def _is_template(
        self, one: _IndexedArticle, wanted: dict[int, float], other: _IndexedArticle, cosine: float
    ) -> bool:
        """Tell whether the two share their phrases and not what they tell: see TEMPLATE and SERIES."""
        if not MIN_TEMPLATE_SIMILARITY <= cosine < MIN_REPRINT_SIMILARITY:
            return False
        least = math.inf
        house = one.publisher == other.publisher != ""
        if house and abs(one.moment - other.moment) >= MIN_SERIES_INTERVAL:
            if one.series == other.series != "":
                return True
            least = self._min_series_similarity(one, other)
        if one.names and other.names:
            phrases, names = (
                (MIN_PUBLISHER_TEMPLATE_PHRASES, MAX_PUBLISHER_TEMPLATE_NAMES)
                if house
                else (MIN_TEMPLATE_PHRASES, MAX_TEMPLATE_NAMES)
            )
            if self._names_shared(one, other) < names:
                least = min(least, phrases)
        return least < math.inf and self._plain_cosine(one, wanted, other) >= least

    def _min_series_similarity(self, one: _IndexedArticle, other: _IndexedArticle) -> float:
        """Return how alike the two must be to be issues of a series; with a name in common, they go on."""
        fewest = min(len(one.numbers), len(other.numbers))
        if fewest >= MANY_NUMBERS and len(one.numbers & other.numbers) < fewest / 2:
            return MIN_SERIES_PHRASES_OTHER_NUMBERS
        return math.inf if one.names & other.names else MIN_SERIES_PHRASES

    def _names_shared(self, one: _IndexedArticle, other: _IndexedArticle) -> float:
        """Return how much of the names of either the other has too, whichever is more."""
        common = self._weight(one.names & other.names)
        return common / (min(self._weight(one.names), self._weight(other.names)) or 1.0)

    def _plain_cosine(self, one: _IndexedArticle, wanted: dict[int, float], other: _IndexedArticle) -> float:
        """Return how alike the two are in the words that are a name in neither."""
        names = one.names | other.names
        product = square = 0.0
        for term, count in zip(other.terms, other.weights, strict=True):
            if term not in names:
                weight = count * self._rarity(term)
                square += weight * weight
                product += weight * wanted.get(term, 0.0)
        own = sum(weight * weight for term, weight in wanted.items() if term not in names)
        return product / math.sqrt(square * own) if square and own else 0.0

    def _weight(self, words: Iterable[int]) -> float:
        return sum(self._rarity(word) ** 2 for word in words)

    def _expire(self, since: datetime) -> list[str]:
        """Take out the oldest articles from before `since`, and what nobody says any more."""
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
