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

from service.compose.stories.features import Gist, common_stems, gist_of
from service.core.model import Article

WINDOW = timedelta(days=3)
"""A story that nothing was added to for so long is over."""
LONGEST_STORY = timedelta(days=10)
"""A war or an election is a topic: what happens in it later than this is told as a story of its own."""
ALIKE = 0.18
"""The least mean likeness of an article to a story's members."""
MEMBERS = 12
"""An article is compared with the last members of a story only."""

STRANGE = 0.3
"""What two openings have to be more alike when they share no name, or name different results."""
LITTLE_KNOWN = 0.05
"""The same when their common names are less than a tenth of the names of either."""
OTHER_NUMBERS = 0.1
"""The same when each has two numbers or more, and none in common."""
ANOTHER_DAY = 0.04
"""The same when they name different days of the week first."""
FEW_NAMES = 0.1
SHORT = 20
"""Openings of fewer words than this, mostly titles alone, are strange without three rarer words in common."""
FEWEST_SHARED = 3

TEMPLATE, TEMPLATE_NAMES = 0.48, 0.25
"""So alike without their names, but with less than this of either's names in common, two openings are one
template, filled in twice."""
HOUSE_TEMPLATE, HOUSE_NAMES = 0.38, 0.3
"""The same within one publisher, who has phrases of its own."""
SERIES, SERIES_IN_FIGURES, SERIES_APART = 0.5, 0.4, timedelta(hours=15)
"""And so are two of one publisher, so alike without names and written so long apart: issues of a series.
The second figure holds where their many numbers differ. One title but for its day is a series as well."""
MANY_NUMBERS = 4
LEAST_TEMPLATE, SAME_AGAIN = 0.2, 0.9
"""Less alike than this, two openings are no template; from the second on, one is the other once more."""
TEMPLATE_KEEPS = 0.2
"""How much of the likeness of two that are one template speaks for one event."""

PRIOR = 150
"""The index starts as if it had seen so many articles, in half of which the common words stood."""
CANDIDATES = 24
MOST_LOOKED_AT = 15_000
"""So many places of words are looked up for one article, those of the rarest words first."""


@dataclass(slots=True)
class _Entry:
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
class _Story:
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
        self._shelves: dict[str, _Shelf] = {}
        self._story_of: dict[str, str] = {}

    def __len__(self) -> int:
        """Return how many articles are within the window."""
        return len(self._story_of)

    def place(self, article: Article) -> str:
        """Return the article's story: that of the articles on the same event, else a new one of its own.

        A story is called by the id of the article that began it. Asked again, the answer is the same.
        """
        return self._taken_in(article, None)

    def remember(self, article: Article, story: str) -> None:
        """Take in an article whose story is known from before."""
        self._taken_in(article, story)

    def _taken_in(self, article: Article, story: str | None) -> str:
        known = self._story_of.get(article.id)
        if known is not None:
            return known
        gist = gist_of(article)
        shelf = self._shelves.setdefault(gist.language, _Shelf(gist.language, self.window))
        entry = shelf.read(article.id, gist)
        entry.story = story or shelf.nearest(entry) or article.id
        self._story_of[article.id] = entry.story
        for gone in shelf.add(entry):
            del self._story_of[gone]
        return entry.story


class _Shelf:
    """The articles of one language: from words to articles, from articles to stories.

    Articles have slots, counted in order of arrival; those below `oldest` are gone.
    """

    def __init__(self, language: str, window: timedelta) -> None:
        self.common, self.window = common_stems(language), window
        self.entries: dict[int, _Entry] = {}
        self.stories: dict[str, _Story] = {}
        self.oldest = self.next = 0
        self.newest: datetime | None = None
        self.words: dict[str, int] = {}
        self.word_of: list[str] = []
        self.free: list[int] = []
        self.prior: list[float] = []
        self.spread: list[int] = []  # in how many articles a word stands
        self.places: list[array[int]] = []  # in which slots, in order

    def read(self, article_id: str, gist: Gist) -> _Entry:
        """Return the article in the shelf's numbers."""
        terms = array("I", [self._number(term) for term in gist.terms])
        return _Entry(
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

    def nearest(self, entry: _Entry) -> str | None:
        """Return the open story that the article is most alike, or None."""
        weights = {
            term: weight * self._rarity(term) for term, weight in zip(entry.terms, entry.weights, strict=True)
        }
        norm = math.sqrt(sum(weight * weight for weight in weights.values())) or 1.0
        wanted = {term: weight / norm for term, weight in weights.items()}
        best, most = None, ALIKE
        for story in self._candidates(wanted, entry.moment):
            likeness = self._likeness(entry, wanted, self.stories[story])
            if likeness >= most:
                best, most = story, likeness
        return best

    def add(self, entry: _Entry) -> list[str]:
        """Put the article in; return the ids of those that are too old by now."""
        slot, self.next = self.next, self.next + 1
        self.entries[slot] = entry
        for term in entry.terms:
            self.spread[term] += 1
            self.places[term].append(slot)
        story = self.stories.setdefault(entry.story, _Story(entry.moment, entry.moment, []))
        story.members.append(slot)
        story.first, story.latest = min(story.first, entry.moment), max(story.latest, entry.moment)
        self.newest = max(self.newest or entry.moment, entry.moment)
        return self._expire(self.newest - self.window)

    def _number(self, word: str) -> int:
        number = self.words.get(word)
        if number is not None:
            return number
        prior = PRIOR / 2 if word in self.common else 0.0
        if self.free:
            number = self.words[word] = self.free.pop()
            self.word_of[number], self.prior[number] = word, prior
            self.places[number] = array("I")
            return number
        number = self.words[word] = len(self.word_of)
        self.word_of.append(word)
        self.prior.append(prior)
        self.spread.append(0)
        self.places.append(array("I"))
        return number

    def _rarity(self, word: int) -> float:
        """Return the inverse document frequency, never negative."""
        seen = len(self.entries) + PRIOR + 1
        return max(math.log(seen / (self.spread[word] + self.prior[word] + 0.5)), 0.0)

    def _candidates(self, wanted: dict[int, float], moment: datetime) -> list[str]:
        """Return the stories that can grow at this moment and share the most rare words."""
        scores: defaultdict[int, float] = defaultdict(float)
        left = MOST_LOOKED_AT
        for word in sorted(wanted, key=self.spread.__getitem__):
            places = self.places[word]
            if places and places[0] < self.oldest:
                del places[: bisect_left(places, self.oldest)]
            left -= len(places)
            if left < 0:
                break
            weight = wanted[word] * self._rarity(word)
            for slot in places:
                scores[slot] += weight
        most = heapq.nlargest(CANDIDATES, scores, key=scores.__getitem__)
        stories = (self.entries[slot].story for slot in most)
        return [story for story in dict.fromkeys(stories) if self._is_open(self.stories[story], moment)]

    def _is_open(self, story: _Story, moment: datetime) -> bool:
        near = story.first - self.window <= moment <= story.latest + self.window
        return near and abs(moment - story.first) <= LONGEST_STORY

    def _likeness(self, entry: _Entry, wanted: dict[int, float], story: _Story) -> float:
        """Return the mean likeness to the story's last members, less what speaks against each."""
        members = [self.entries[slot] for slot in story.members[-MEMBERS:]]
        return sum(self._believed(entry, wanted, other) for other in members) / len(members)

    def _believed(self, entry: _Entry, wanted: dict[int, float], other: _Entry) -> float:
        """Return the likeness of two articles, as far as it tells that they are about one event."""
        cosine = self._cosine(wanted, other)
        if self._is_template(entry, wanted, other, cosine):
            cosine *= TEMPLATE_KEEPS
        return cosine - self._doubt(entry, other)

    def _cosine(self, wanted: dict[int, float], other: _Entry) -> float:
        product = square = 0.0
        for term, count in zip(other.terms, other.weights, strict=True):
            weight = count * self._rarity(term)
            square += weight * weight
            product += weight * wanted.get(term, 0.0)
        return product / math.sqrt(square) if square else 0.0

    def _doubt(self, one: _Entry, other: _Entry) -> float:
        """Return what speaks against one event, as the likeness that has to make up for it."""
        doubt = 0.0
        if one.scores and other.scores and one.scores.isdisjoint(other.scores):
            doubt += STRANGE
        if min(len(one.numbers), len(other.numbers)) >= 2 and one.numbers.isdisjoint(other.numbers):
            doubt += OTHER_NUMBERS
        if one.day is not None and other.day is not None and one.day != other.day:
            doubt += ANOTHER_DAY
        if min(len(one.terms), len(other.terms)) < SHORT:
            shared = set(one.terms) & set(other.terms)
            if sum(not self.prior[term] for term in shared) < FEWEST_SHARED:
                doubt += STRANGE
        elif min(len(one.names), len(other.names)) >= 2:
            common = self._names_shared(one, other)
            doubt += STRANGE if not common else LITTLE_KNOWN if common < FEW_NAMES else 0.0
        return doubt

    def _is_template(self, one: _Entry, wanted: dict[int, float], other: _Entry, cosine: float) -> bool:
        """Tell whether the two share their phrases and not what they tell: see TEMPLATE and SERIES."""
        if not LEAST_TEMPLATE <= cosine < SAME_AGAIN:
            return False
        least = math.inf
        house = one.publisher == other.publisher != ""
        if house and abs(one.moment - other.moment) >= SERIES_APART:
            if one.series == other.series != "":
                return True
            least = self._least_of_series(one, other)
        if one.names and other.names:
            phrases, names = (HOUSE_TEMPLATE, HOUSE_NAMES) if house else (TEMPLATE, TEMPLATE_NAMES)
            if self._names_shared(one, other) < names:
                least = min(least, phrases)
        return least < math.inf and self._plain_cosine(one, wanted, other) >= least

    def _least_of_series(self, one: _Entry, other: _Entry) -> float:
        """Return how alike the two must be to be issues of a series; with a name in common, they go on."""
        fewest = min(len(one.numbers), len(other.numbers))
        if fewest >= MANY_NUMBERS and len(one.numbers & other.numbers) < fewest / 2:
            return SERIES_IN_FIGURES
        return math.inf if one.names & other.names else SERIES

    def _names_shared(self, one: _Entry, other: _Entry) -> float:
        """Return how much of the names of either the other has too, whichever is more."""
        common = self._weight(one.names & other.names)
        return common / (min(self._weight(one.names), self._weight(other.names)) or 1.0)

    def _plain_cosine(self, one: _Entry, wanted: dict[int, float], other: _Entry) -> float:
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
                self.spread[term] -= 1
                if not self.spread[term]:
                    del self.words[self.word_of[term]]
                    self.free.append(term)
            story = self.stories[entry.story]
            story.members.remove(self.oldest)
            if not story.members:
                del self.stories[entry.story]
            self.oldest += 1
            gone.append(entry.id)
        return gone
