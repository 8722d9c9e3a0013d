"""Article index: the recent articles of one language, and which terms are rare among them (pure).

An inverted index from terms to articles. Articles have slots in order of arrival; those below `oldest` have
expired.
"""

from __future__ import annotations

import heapq
import math
from array import array
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from service.compose.stories.features import GroupingFeatures
from service.compose.stories.identifiers import Identifier
from service.compose.stories.words import common_stems, is_date_term

PRIOR_ARTICLES = 150  # an empty index counts as if it had this number, half of them with the common words
MAX_CANDIDATES = 24  # articles compared with a new one
MAX_POSTINGS = 15_000  # read for one article, those of the rarest terms first
MAX_SPREAD_POSTINGS = 256  # read to count the stories that have a term, the latest ones


@dataclass(slots=True)
class IndexedArticle:
    """An article in the index, with terms as numbers; `weights` are 1 + log(count) of each term."""

    id: str
    publisher: str
    moment: datetime
    terms: array[int]
    weights: array[float]
    title: array[int]
    labels: frozenset[str]
    names: frozenset[int]
    possible_names: frozenset[int]
    name_groups: tuple[frozenset[int], ...]
    identifiers: frozenset[Identifier]
    numbers: frozenset[str]
    scores: frozenset[str]
    day: int | None
    series: str
    story: str = ""


class ArticleIndex:
    """The recent articles of one language."""

    def __init__(self, language: str) -> None:
        self.language = language
        self.common = common_stems(language)
        self.entries: dict[int, IndexedArticle] = {}
        self.oldest = self.next = 0
        self.words: dict[str, int] = {}
        self.word_of: list[str] = []
        self.free: list[int] = []
        self.prior: list[float] = []
        self.document_frequency: list[int] = []  # term -> number of articles
        self.log_frequency: list[float] = []  # term -> logarithm of its frequency, with the prior
        self.postings: list[array[int]] = []  # term -> slots, ascending

    def encode(self, article_id: str, features: GroupingFeatures) -> IndexedArticle:
        """Return the article with its terms as numbers."""
        terms = array("I", [self._number(term) for term in features.terms])
        return IndexedArticle(
            id=article_id,
            publisher=features.publisher,
            moment=features.moment,
            terms=terms,
            weights=array("f", [1 + math.log(count) for count in features.terms.values()]),
            title=array("I", self._known(features.title)),
            labels=features.labels,
            names=frozenset(self._known(features.names.certain)),
            possible_names=frozenset(self._known(features.names.possible)),
            name_groups=tuple(frozenset(self._known(group)) for group in features.names.groups),
            identifiers=features.identifiers,
            numbers=features.numbers,
            scores=features.scores,
            day=features.day,
            series=features.series,
        )

    def query(self, entry: IndexedArticle) -> dict[int, float]:
        """Return the weights of the article's terms, as a vector of length 1."""
        seen, logs = self.log_articles(), self.log_frequency
        weights = {
            term: weight * max(seen - logs[term], 0.0)
            for term, weight in zip(entry.terms, entry.weights, strict=True)
        }
        norm = math.sqrt(sum(weight * weight for weight in weights.values())) or 1.0
        return {term: weight / norm for term, weight in weights.items()}

    def candidates(self, query: dict[int, float]) -> list[IndexedArticle]:
        """Return the articles that share the most rare terms, those that share most first."""
        scores: defaultdict[int, float] = defaultdict(float)
        left = MAX_POSTINGS
        for term in sorted(query, key=self.document_frequency.__getitem__):
            places = self._places(term)
            left -= len(places)
            if left < 0:
                break
            weight = query[term] * self.rarity(term)
            for slot in places:
                scores[slot] += weight
        most = heapq.nlargest(MAX_CANDIDATES, scores, key=scores.__getitem__)
        return [self.entries[slot] for slot in most]

    def add(self, entry: IndexedArticle) -> int:
        """Add the article; return its slot."""
        slot, self.next = self.next, self.next + 1
        self.entries[slot] = entry
        for term in entry.terms:
            self._count(term, 1)
            self.postings[term].append(slot)
        return slot

    def expire(self, since: datetime) -> list[tuple[int, IndexedArticle]]:
        """Remove the oldest articles from before `since`, and return them with their slots."""
        gone = []
        while self.oldest < self.next and self.entries[self.oldest].moment < since:
            entry = self.entries.pop(self.oldest)
            for term in entry.terms:
                self._count(term, -1)
                if not self.document_frequency[term]:
                    del self.words[self.word_of[term]]
                    self.free.append(term)
            gone.append((self.oldest, entry))
            self.oldest += 1
        return gone

    def rarity(self, term: int) -> float:
        """Return the inverse document frequency, never negative."""
        return max(self.log_articles() - self.log_frequency[term], 0.0)

    def log_articles(self) -> float:
        """Return the logarithm of the number of articles, with the prior."""
        return math.log(len(self.entries) + PRIOR_ARTICLES + 1)

    def is_common(self, term: int) -> bool:
        """Return whether the term is one of the common words of the language."""
        return self.prior[term] > 0

    def is_date(self, term: int) -> bool:
        """Return whether the term is part of a date."""
        return is_date_term(self.word_of[term], self.language)

    def having(self, term: int) -> Iterable[IndexedArticle]:
        """Return the latest articles with the term."""
        return map(self.entries.__getitem__, self._places(term)[-MAX_SPREAD_POSTINGS:])

    def _places(self, term: int) -> array[int]:
        places = self.postings[term]
        if places and places[0] < self.oldest:
            del places[: bisect_left(places, self.oldest)]
        return places

    def _count(self, term: int, more: int) -> None:
        self.document_frequency[term] += more
        self.log_frequency[term] = math.log(self.document_frequency[term] + self.prior[term] + 0.5)

    def _known(self, words: Iterable[str]) -> list[int]:
        return [self.words[word] for word in words if word in self.words]

    def _number(self, word: str) -> int:
        number = self.words.get(word)
        if number is not None:
            return number
        prior = PRIOR_ARTICLES / 2 if word in self.common else 0.0
        if self.free:
            number = self.words[word] = self.free.pop()
            self.word_of[number], self.prior[number] = word, prior
            self.postings[number] = array("I")
            self._count(number, 0)
            return number
        number = self.words[word] = len(self.word_of)
        self.word_of.append(word)
        self.prior.append(prior)
        self.document_frequency.append(0)
        self.log_frequency.append(math.log(prior + 0.5))
        self.postings.append(array("I"))
        return number
