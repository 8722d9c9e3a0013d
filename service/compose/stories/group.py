"""Stories: which articles tell one event, and which of them leads (pure)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from service.compose.fault_isolation import ProblemReporter, error_text, ignore_problem, placement_problem
from service.compose.stories.features import grouping_features
from service.compose.stories.independence import count_independent_publishers
from service.compose.stories.index import StoryIndex
from service.core.model import Article, CondensedArticle


@dataclass(frozen=True, slots=True)
class GroupedStory:
    """The articles that tell one event, the one that leads first. `voices` counts independent publishers."""

    articles: tuple[CondensedArticle, ...]
    independent_publishers: int = 1


def group_stories(
    articles: Sequence[CondensedArticle], report_problem: ProblemReporter = ignore_problem
) -> tuple[GroupedStory, ...]:
    """Return the stories that these articles tell, in gather order of their first article.

    Where it is known which story an article belongs to, that counts; the others are placed among them. What
    cannot be placed or joined stands alone, and `trouble` is told.
    """
    known = {told.article.id: told.story for told in articles if told.story}
    if len(known) < len(articles):
        known = {**_place_articles([told.article for told in articles], known, report_problem), **known}
    stories = dict[str, list[CondensedArticle]]()
    for told in sorted(articles, key=lambda told: told.article.position):
        stories.setdefault(known[told.article.id], []).append(told)
    return tuple(
        telling for members in stories.values() for telling in _build_stories(members, report_problem)
    )


def _place_articles(
    articles: Sequence[Article], known: Mapping[str, str], trouble: ProblemReporter
) -> dict[str, str]:
    """Return the story of each article, as if they had come in the order in which they came out."""
    index = StoryIndex()
    places = {}
    for article in sorted(articles, key=lambda one: (one.effective_published_at, one.position)):
        try:
            if article.id in known:
                index.remember(article, known[article.id])
            places[article.id] = index.place(article)
        except Exception as error:  # noqa: BLE001 - one article's trouble must not cost the others their story
            places[article.id] = article.id
            trouble(placement_problem(article, error))
    return places


def _build_stories(members: Sequence[CondensedArticle], trouble: ProblemReporter) -> tuple[GroupedStory, ...]:
    """Return the story that these articles tell; where that fails, each as one of its own."""
    try:
        return (_build_story(members),)
    except Exception as error:  # noqa: BLE001 - as above
        trouble(
            f"the story {members[0].story or members[0].article.id} could not be put together, "
            f"{error_text(error)}; its articles are told one by one"
        )
        return tuple(GroupedStory((told,)) for told in members)


def _build_story(members: Sequence[CondensedArticle]) -> GroupedStory:
    if len(members) == 1:
        return GroupedStory((members[0],))
    lead = _lead(members)
    rest = (told for told in members if told is not lead)
    return GroupedStory((lead, *rest), count_independent_publishers([told.article for told in members]))


def _lead(members: Sequence[CondensedArticle]) -> CondensedArticle:
    """Return the article that has most in common with the others; the first of equals.

    One without a key point leads only where none has any.
    """
    able = [told for told in members if told.summary.key_points] or list(members)
    terms = [grouping_features(told.article).terms.keys() for told in able]

    def common(place: int) -> float:
        own = terms[place]
        return sum(2 * len(own & other) / (len(own) + len(other) or 1) for other in terms)

    return able[max(range(len(able)), key=common)]
