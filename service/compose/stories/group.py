"""Stories: which articles tell one event, and which of them leads (pure)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from service.compose.fault_isolation import Trouble, not_placed, reason, unheard
from service.compose.stories.features import gist_of
from service.compose.stories.independence import count_voices
from service.compose.stories.index import StoryIndex
from service.core.model import Article, CondensedArticle


@dataclass(frozen=True, slots=True)
class Telling:
    """The articles that tell one event, the one that leads first. `voices` counts independent publishers."""

    articles: tuple[CondensedArticle, ...]
    voices: int = 1


def group_stories(articles: Sequence[CondensedArticle], trouble: Trouble = unheard) -> tuple[Telling, ...]:
    """Return the stories that these articles tell, in gather order of their first article.

    Where it is known which story an article belongs to, that counts; the others are placed among them. What
    cannot be placed or joined stands alone, and `trouble` is told.
    """
    known = {told.article.id: told.story for told in articles if told.story}
    if len(known) < len(articles):
        known = {**_placed([told.article for told in articles], known, trouble), **known}
    stories = dict[str, list[CondensedArticle]]()
    for told in sorted(articles, key=lambda told: told.article.position):
        stories.setdefault(known[told.article.id], []).append(told)
    return tuple(telling for members in stories.values() for telling in _tellings(members, trouble))


def _placed(articles: Sequence[Article], known: Mapping[str, str], trouble: Trouble) -> dict[str, str]:
    """Return the story of each article, as if they had come in the order in which they came out."""
    index = StoryIndex()
    places = {}
    for article in sorted(articles, key=lambda one: (one.moment, one.position)):
        try:
            if article.id in known:
                index.remember(article, known[article.id])
            places[article.id] = index.place(article)
        except Exception as error:  # noqa: BLE001 - one article's trouble must not cost the others their story
            places[article.id] = article.id
            trouble(not_placed(article, error))
    return places


def _tellings(members: Sequence[CondensedArticle], trouble: Trouble) -> tuple[Telling, ...]:
    """Return the story that these articles tell; where that fails, each as one of its own."""
    try:
        return (_telling(members),)
    except Exception as error:  # noqa: BLE001 - as above
        trouble(
            f"the story {members[0].story or members[0].article.id} could not be put together, "
            f"{reason(error)}; its articles are told one by one"
        )
        return tuple(Telling((told,)) for told in members)


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
