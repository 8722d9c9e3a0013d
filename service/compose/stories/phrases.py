"""What of a story is compared with the words and phrases that readers follow or mute (pure)."""

from __future__ import annotations

from functools import lru_cache

from service.compose.stories.group import GroupedStory
from service.core.model import Role
from service.text.phrases import PhraseMatcher, StemmedText

MATCHED_POINTS = 3  # of the leading article; what comes later is not what the story is about
MATCHED_ARTICLES = 20  # of a story; twenty headlines say what it is about
CACHED_MATCHERS = 4_096  # editions with different lists
CACHED_STORIES = 8_192  # of one pass, each with some hundred words


def story_text(story: GroupedStory) -> StemmedText:
    """Return the words that say what a story is about.

    They are those of its articles' headlines and topics, and of the first key points of the leading article.
    A word deep in a long article is not among them, so it hides no story.
    """
    articles = [condensed.article for condensed in story.articles[:MATCHED_ARTICLES]]
    lead = story.articles[0]
    texts = [(article.title, article.language) for article in articles]
    texts += [(topic, lead.article.language) for article in articles for topic in article.topics]
    texts += [
        (point.text, lead.article.language)
        for point in lead.summary.key_points
        if point.role is Role.POINT and point.rank < MATCHED_POINTS
    ]
    return _stemmed(tuple(dict.fromkeys(texts)))


@lru_cache(maxsize=CACHED_MATCHERS)
def matcher_for(phrases: tuple[str, ...]) -> PhraseMatcher:
    """Return the matcher of a list of phrases, the same one for equal lists."""
    return PhraseMatcher(phrases)


@lru_cache(maxsize=CACHED_STORIES)
def _stemmed(texts: tuple[tuple[str, str], ...]) -> StemmedText:
    return StemmedText.of(texts)
