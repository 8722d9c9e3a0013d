"""Stories: which articles tell one event, and which of them leads (pure)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from service.compose.gist import gist_of
from service.compose.story_index import StoryIndex
from service.compose.voices import count_voices
from service.core.model import Article, CondensedArticle


@dataclass(frozen=True, slots=True)
class Telling:
    """The articles that tell one event, the one that leads first. `voices` counts independent publishers."""

    articles: tuple[CondensedArticle, ...]
    voices: int = 1


def group_stories(articles: Sequence[CondensedArticle]) -> tuple[Telling, ...]:
    """Return the stories that these articles tell, in gather order of their first article.

    Where it is known which story an article belongs to, that counts; the others are placed among them.
    """
    known = {told.article.id: told.story for told in articles if told.story}
    if len(known) < len(articles):
        known = {**_placed([told.article for told in articles], known), **known}
    stories = dict[str, list[CondensedArticle]]()
    for told in sorted(articles, key=lambda told: told.article.position):
        stories.setdefault(known[told.article.id], []).append(told)
    return tuple(_telling(members) for members in stories.values())


def _placed(articles: Sequence[Article], known: Mapping[str, str]) -> dict[str, str]:
    """Return the story of each article, as if they had come in the order in which they came out."""
    index = StoryIndex()
    places = {}
    for article in sorted(articles, key=lambda one: (one.moment, one.position)):
        if article.id in known:
            index.remember(article, known[article.id])
        places[article.id] = index.place(article)
    return places


def _telling(members: Sequence[CondensedArticle]) -> Telling:
    if len(members) == 1:
        return Telling((members[0],))
    lead = _lead(members)
    rest = (told for told in members if told is not lead)
    return Telling((lead, *rest), count_voices([told.article for told in members]))


def _lead(members: Sequence[CondensedArticle]) -> CondensedArticle:
    """Return the article that has most in common with the others; the first of equals.

    One without a key point leads only where none has any.
    """
    able = [told for told in members if told.summary.key_points] or list(members)
    terms = [gist_of(told.article).terms.keys() for told in able]

    def common(place: int) -> float:
        own = terms[place]
        return sum(2 * len(own & other) / (len(own) + len(other) or 1) for other in terms)

    return able[max(range(len(able)), key=common)]
