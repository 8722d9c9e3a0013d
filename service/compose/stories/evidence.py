"""Evidence that two articles are about one event (pure).

The similarity is the TF-IDF cosine of the openings. Penalties for different names, results, numbers and days
keep two matches of a round, or the figures of two companies, apart. What a publisher repeats in its items is
their form: it says nothing about the event. Short openings need a rare name in common, and time. Two
publishers that name the same have less to share in words.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from datetime import timedelta
from typing import NamedTuple

from service.compose.stories.article_index import ArticleIndex, IndexedArticle

MIN_SIMILARITY = 0.18  # mean similarity of an article to the members of its story

# What two openings need in additional similarity ...
UNRELATED_PENALTY = 0.3  # ... without a common name, or with different results
NO_EVIDENCE_PENALTY = 1.0  # ... if they are short and share nothing that is rare: more than there is
FEW_SHARED_NAMES_PENALTY = 0.05  # ... with less than MIN_SHARED_NAMES of the names of either
DIFFERENT_NUMBERS_PENALTY = 0.1  # ... with two numbers or more each, and none in common
DIFFERENT_DAY_PENALTY = 0.04  # ... with different first weekdays
MIN_SHARED_NAMES = 0.1

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

SHORT_OPENING_TERMS = 60  # a shorter opening has few words that could differ; 800 characters have about 90
MIN_SHORT_NAMES, MIN_SHORT_TERMS = 2, 3
"""The number of rare names, or of rare terms with a name, that two short openings must share."""
MIN_NAMELESS_TERMS = 3  # the same of two publishers if one of them names nothing for certain
MIN_NAMELESS_SHARE = 0.5  # the same of one publisher, of the terms of the shorter opening

MAX_RARE_STORIES = 10  # other stories that have a rare term
MIN_FORM_STORIES = 2  # other stories of one publisher in which a term is part of the form
SAME_FORM_INTERVAL = timedelta(hours=6)  # items of one form that come this close are items of a series
MIN_FORM_SHARE = 0.5  # of the shorter title that stands in the same places of the other

SHARED_NAMES_BONUS = 0.09  # additional similarity of two publishers that name the same
BONUS_INTERVAL = timedelta(hours=36)
MIN_BONUS_NAMES, MIN_LONG_BONUS_NAMES = 2, 4  # longer openings share names easily
MIN_BONUS_SHARE = 0.5  # of the names of the article with fewer names, by weight


class Shared(NamedTuple):
    """What two articles share and few others have: names, and other terms.

    `elsewhere` says that another story has two of the names, `in_title` that something stands in a title.
    """

    names: int
    others: int
    elsewhere: bool
    in_title: bool


class EventEvidence:
    """Compares a new article with those of an index."""

    def __init__(self, articles: ArticleIndex) -> None:
        self._articles = articles

    def similarity(self, entry: IndexedArticle, query: dict[int, float], other: IndexedArticle) -> float:
        """Return the similarity of two articles as evidence that they are about one event.

        `query` are the weights of the terms of `entry`.
        """
        cosine = self._cosine(query, other)
        similarity = cosine * TEMPLATE_FACTOR if self._is_template(entry, query, other, cosine) else cosine
        similarity -= self._penalty(entry, other)
        if similarity + SHARED_NAMES_BONUS < MIN_SIMILARITY or cosine >= MIN_REPRINT_SIMILARITY:
            return similarity
        return similarity + self._event_evidence(entry, other)

    def _event_evidence(self, one: IndexedArticle, other: IndexedArticle) -> float:
        """Return what the rare terms in common add to the similarity, or take from it."""
        same_publisher = one.publisher == other.publisher != ""
        interval = abs(one.moment - other.moment)
        if same_publisher and interval <= SAME_FORM_INTERVAL and _has_same_form(one, other):
            return -math.inf
        is_short = min(len(one.terms), len(other.terms)) < SHORT_OPENING_TERMS
        shared = self._shared(one, other)
        if is_short and not _is_enough(
            shared, _least_without_names(one, other, same_publisher=same_publisher)
        ):
            return -NO_EVIDENCE_PENALTY
        if same_publisher or interval > BONUS_INTERVAL or shared.elsewhere:
            return 0.0
        if shared.names < (MIN_BONUS_NAMES if is_short else MIN_LONG_BONUS_NAMES):
            return 0.0
        return SHARED_NAMES_BONUS if self._names_shared(one, other) >= MIN_BONUS_SHARE else 0.0

    def _shared(self, one: IndexedArticle, other: IndexedArticle) -> Shared:
        """Return what the two have in common and is no form of either publisher."""
        sure = _shared_names(one, other)
        titles = set(one.title) | set(other.title)
        names: dict[int, set[str]] = {}
        others, in_title = 0, False
        for term in set(one.terms) & set(other.terms):
            if self._articles.is_common(term) or self._articles.is_date(term):
                continue
            stories, form = self._stories_with(term, one, other)
            if form >= MIN_FORM_STORIES or len(stories) > MAX_RARE_STORIES:
                continue
            if term not in sure:
                others += 1
            elif _same_group(term, one, other):
                names[term] = stories
            else:
                continue
            in_title = in_title or term in titles
        together = Counter(story for stories in names.values() for story in stories)
        return Shared(
            _independent(set(names), one, other), others, max(together.values(), default=0) > 1, in_title
        )

    def _stories_with(self, term: int, one: IndexedArticle, other: IndexedArticle) -> tuple[set[str], int]:
        """Return the other stories that have the term, and the number of those of the two publishers.

        The search ends when there are so many that the term is not rare.
        """
        stories: set[str] = set()
        form: set[str] = set()
        for article in self._articles.having(term):
            if article.story != other.story:
                stories.add(article.story)
                if len(stories) > MAX_RARE_STORIES:
                    break
                if article.publisher in (one.publisher, other.publisher):
                    form.add(article.story)
        return stories, len(form)

    def _cosine(self, query: dict[int, float], other: IndexedArticle) -> float:
        seen, logs = self._articles.log_articles(), self._articles.log_frequency
        product = square = 0.0
        for term, count in zip(other.terms, other.weights, strict=True):
            rarity = seen - logs[term]
            if rarity > 0:
                weight = count * rarity
                square += weight * weight
                product += weight * query.get(term, 0.0)
        return product / math.sqrt(square) if square else 0.0

    def _penalty(self, one: IndexedArticle, other: IndexedArticle) -> float:
        """Return the evidence against one event, in units of similarity."""
        penalty = 0.0
        if one.scores and other.scores and one.scores.isdisjoint(other.scores):
            penalty += UNRELATED_PENALTY
        if min(len(one.numbers), len(other.numbers)) >= 2 and one.numbers.isdisjoint(other.numbers):
            penalty += DIFFERENT_NUMBERS_PENALTY
        if one.day is not None and other.day is not None and one.day != other.day:
            penalty += DIFFERENT_DAY_PENALTY
        if min(len(one.names), len(other.names)) >= 2:
            share = self._names_shared(one, other)
            if not share:
                penalty += UNRELATED_PENALTY
            elif share < MIN_SHARED_NAMES:
                penalty += FEW_SHARED_NAMES_PENALTY
        return penalty

    def _is_template(
        self, one: IndexedArticle, query: dict[int, float], other: IndexedArticle, cosine: float
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

    def _min_series_similarity(self, one: IndexedArticle, other: IndexedArticle) -> float:
        """Return the least similarity of two issues of a series; infinity if they have a name in common."""
        fewest = min(len(one.numbers), len(other.numbers))
        if fewest >= MANY_NUMBERS and len(one.numbers & other.numbers) < fewest / 2:
            return MIN_SERIES_PHRASES_OTHER_NUMBERS
        return math.inf if one.names & other.names else MIN_SERIES_PHRASES

    def _names_shared(self, one: IndexedArticle, other: IndexedArticle) -> float:
        """Return the common share of the names, by weight, of the article with fewer names."""
        common = self._weight(_shared_names(one, other))
        return common / (min(self._weight(one.names), self._weight(other.names)) or 1.0)

    def _plain_cosine(self, one: IndexedArticle, query: dict[int, float], other: IndexedArticle) -> float:
        """Return the cosine of the terms that are names in neither."""
        names = one.names | other.names
        product = square = 0.0
        for term, count in zip(other.terms, other.weights, strict=True):
            if term not in names:
                weight = count * self._articles.rarity(term)
                square += weight * weight
                product += weight * query.get(term, 0.0)
        own = sum(weight * weight for term, weight in query.items() if term not in names)
        return product / math.sqrt(square * own) if square and own else 0.0

    def _weight(self, terms: Iterable[int]) -> float:
        return sum(self._articles.rarity(term) ** 2 for term in terms)


def _has_same_form(one: IndexedArticle, other: IndexedArticle) -> bool:
    """Return whether two titles share a label, or have half of their terms in the same places."""
    if one.labels & other.labels:
        return True
    shorter = min(len(one.title), len(other.title))
    aligned = sum(a == b for a, b in zip(one.title, other.title, strict=False))
    if len(one.title) != len(other.title):
        aligned += sum(a == b for a, b in zip(reversed(one.title), reversed(other.title), strict=False))
    return aligned >= MIN_FORM_SHARE * shorter > 0


def _least_without_names(one: IndexedArticle, other: IndexedArticle, *, same_publisher: bool) -> float:
    """Return how many rare terms are enough without a name; infinity if both certainly name something."""
    if one.names and other.names:
        return math.inf
    if same_publisher:
        return MIN_NAMELESS_SHARE * min(len(one.terms), len(other.terms))
    return MIN_NAMELESS_TERMS


def _is_enough(shared: Shared, least_without_names: float) -> bool:
    """Return whether two short openings share enough."""
    if not shared.in_title:
        return False
    if not shared.names:
        return shared.others >= least_without_names
    return shared.names >= MIN_SHORT_NAMES or shared.names + shared.others >= MIN_SHORT_TERMS


def _shared_names(one: IndexedArticle, other: IndexedArticle) -> frozenset[int]:
    """Return the names of both, certain in one of them at least."""
    return (one.names | other.names) & _capitals(one) & _capitals(other)


def _capitals(article: IndexedArticle) -> frozenset[int]:
    return article.names | article.possible_names


def _same_group(name: int, one: IndexedArticle, other: IndexedArticle) -> bool:
    """Return whether a name that both have is not a part of two different names, as in two Crown Courts."""
    ours = [group for group in one.name_groups if name in group]
    theirs = [group for group in other.name_groups if name in group]
    if not ours or not theirs:
        return True
    return any(group <= wider or wider <= group for group in ours for wider in theirs)


def _independent(names: set[int], one: IndexedArticle, other: IndexedArticle) -> int:
    """Return the number of names, where the parts of one name count once."""
    left, count = set(names), 0
    while left:
        count += 1
        group = {left.pop()}
        for groups in (one.name_groups, other.name_groups):
            for members in groups:
                if members & group:
                    group |= members & names
        left -= group
    return count
