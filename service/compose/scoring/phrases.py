"""Phrases: the followed and muted words of an edition in a story (pure)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from service.compose.stories.group import GroupedStory


class WholePhrases:
    """Finds phrases as whole words, in any case."""

    def __init__(self, phrases: Sequence[str]) -> None:
        self._patterns = [
            (phrase, re.compile(rf"(?<!\w){re.escape(phrase)}(?!\w)", re.IGNORECASE)) for phrase in phrases
        ]

    def matches(self, text: str, language: str) -> tuple[str, ...]:  # noqa: ARG002 - has no stems yet
        """Return the phrases that the text has."""
        return tuple(phrase for phrase, pattern in self._patterns if pattern.search(text))


@lru_cache(maxsize=64)  # lists of phrases; each edition has at most two
def _matcher(phrases: tuple[str, ...]) -> WholePhrases:
    return WholePhrases(phrases)


def phrases_in(story: GroupedStory, phrases: tuple[str, ...]) -> tuple[str, ...]:
    """Return the phrases that a headline or key point of the story has, each once, in their order."""
    if not phrases:
        return ()
    found = {
        phrase
        for condensed in story.articles
        for phrase in _matcher(phrases).matches(
            "\n".join((condensed.article.title, *(point.text for point in condensed.summary.key_points))),
            condensed.article.language,
        )
    }
    return tuple(phrase for phrase in phrases if phrase in found)
