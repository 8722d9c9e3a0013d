"""Story traits: what the score of a story is computed from, apart from edition and time (pure).

Each trait is at most what the strongest article gives, or what all of them allow: one more article, or one
more publisher, never makes a story weaker. What is not known counts as average.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from service.compose.scoring.number_words import in_digits
from service.compose.scoring.topic_names import rank_of_topics
from service.compose.scoring.word_signals import NO_SIGNALS, word_signals
from service.compose.stories.figures import tolls_of
from service.compose.stories.group import GroupedStory
from service.core.model import Article, CondensedArticle
from service.text.scripts import IDEOGRAPH

PUBLISHER_WINDOW = timedelta(hours=48)  # reports further apart are news of different days
MAX_PUBLISHERS = 8  # with more, a story gains no more
MAX_PUBLISHERS_OF_FEED = 2  # an aggregator names many, and a hostile feed could make them up
AVERAGE_POSITION = 0.35  # of a feed_rank that is not known
POSITION_HALVES = 5.0  # places down the feed at which a position is worth half
AVERAGE_CHARACTERS = 1_800  # about 300 words
IDEOGRAPH_CHARACTERS = 3  # letters of an alphabet for one ideograph
MAX_SHORTER, MAX_LONGER = 0.5, 1.5  # doublings from the average that count: breaking news is short
LARGEST_TOLL = 3  # as a power of ten: from a thousand dead on, no more counts
INJURED_OF_DEAD = 0.2  # an injured or missing person in a toll
TOLL_SENTENCES = 3  # key points that are searched for a toll
OPENING_TOLL_WEIGHT = 0.8  # of a toll in a key point; one in the title counts 1
MIN_WEIGHT, MAX_WEIGHT = 0.125, 8.0  # of a feed, as far as they count
LEAST_OF_ARTICLES = ("soft", "series", "minor", "sport")  # signals that count only if every article has them


@dataclass(frozen=True, slots=True)
class StoryTraits:
    """The traits of a story: `values` by name, and the newest time of its articles.

    `newest` is None if no article has a date of its own; then `gathered` is when the last one arrived.
    """

    values: Mapping[str, float]
    newest: datetime | None
    gathered: datetime


@dataclass(frozen=True, slots=True)
class ArticleTraits:
    """The traits of one article."""

    position: float
    length: float
    toll: float
    signals: Mapping[str, float]


def article_traits(condensed: CondensedArticle) -> ArticleTraits:
    """Return the traits of an article."""
    article = condensed.article
    sentences = opening_sentences(condensed)
    signals = word_signals(article.title, " ".join(sentences), article.language)
    # Where words of harm are known and there are none, no number is a toll; finding tolls takes longest.
    may_have_toll = signals is NO_SIGNALS or signals["harm"] > 0
    return ArticleTraits(
        position=_position(article),
        length=_length(article),
        toll=_toll(article, sentences) if may_have_toll else 0.0,
        signals=signals,
    )


def opening_sentences(condensed: CondensedArticle) -> Sequence[str]:
    """Return the first key points in the order of the text, else the beginning of the text."""
    points = sorted(condensed.summary.key_points, key=lambda point: point.start)[:TOLL_SENTENCES]
    return [point.text for point in points] or [condensed.article.text[:400]]


def story_traits(
    story: GroupedStory, traits: Sequence[ArticleTraits], feed_weights: Mapping[str, float]
) -> StoryTraits:
    """Return the traits of a story whose articles have these, in their order."""
    articles = [condensed.article for condensed in story.articles]
    dated = [article.effective_published_at for article in articles if article.published_at is not None]
    weights = (feed_weights.get(article.feed_id, 1.0) for article in articles)
    values = {
        "publishers": math.log2(min(publishers_within_window(story), MAX_PUBLISHERS))
        / math.log2(MAX_PUBLISHERS),
        "position": max(one.position for one in traits),
        "source weight": math.log2(min(max(*weights, MIN_WEIGHT), MAX_WEIGHT)),
        "length": max(one.length for one in traits),
        "toll": max(one.toll for one in traits),
    }
    values["topic"] = max(rank_of_topics(article.topics) for article in articles)
    for name in traits[0].signals:
        choose = min if name in LEAST_OF_ARTICLES else max
        values[name] = choose(one.signals[name] for one in traits)
    return StoryTraits(values, max(dated, default=None), max(article.gathered_at for article in articles))


def publishers_within_window(story: GroupedStory) -> int:
    """Return the most independent publishers that told the story within 48 hours, at least 1."""
    if len(story.articles) == 1:
        return max(story.independent_publishers, 1)
    articles = sorted((one.article for one in story.articles), key=lambda a: a.effective_published_at)
    most, first = 1, 0
    inside: Counter[tuple[str, str]] = Counter()
    for article in articles:
        inside[article.feed_id, article.publisher] += 1
        while article.effective_published_at - articles[first].effective_published_at > PUBLISHER_WINDOW:
            gone = (articles[first].feed_id, articles[first].publisher)
            inside -= Counter([gone])
            first += 1
        of_feed = Counter(feed for feed, _ in inside)
        most = max(most, sum(min(count, MAX_PUBLISHERS_OF_FEED) for count in of_feed.values()))
    return min(max(story.independent_publishers, 1), most)


def _position(article: Article) -> float:
    """Return a number from 0.65, for the first item of a feed, down to -0.35; 0 if it is not known."""
    if article.feed_rank is None:
        return 0.0
    return math.exp2(-max(article.feed_rank, 0) / POSITION_HALVES) - AVERAGE_POSITION


def _length(article: Article) -> float:
    """Return how often the text doubles the average length, from -MAX_SHORTER to MAX_LONGER."""
    characters = len(article.text)
    if IDEOGRAPH.search(article.text[:100]):
        characters *= IDEOGRAPH_CHARACTERS
    doublings = math.log2(max(characters, 1) / AVERAGE_CHARACTERS)
    return min(max(doublings, -MAX_SHORTER), MAX_LONGER)


def _toll(article: Article, sentences: Sequence[str]) -> float:
    """Return the largest number of dead, in digits or words: from 0 for none to 1 for a thousand."""
    largest = 0.0
    for text, weight in ((article.title, 1.0), *((one, OPENING_TOLL_WEIGHT) for one in sentences)):
        for toll in tolls_of(in_digits(text, article.language), article):
            people = toll.value * (1.0 if toll.kind == "dead" else INJURED_OF_DEAD)
            largest = max(largest, weight * min(math.log10(1 + people) / LARGEST_TOLL, 1.0))
    return largest
