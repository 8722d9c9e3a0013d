"""Grouping: the articles of each story, and the one that leads it (pure)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from service.compose.fault_isolation import ProblemReporter, error_text, ignore_problem, placement_problem
from service.compose.stories.features import compared_terms
from service.compose.stories.figures import leading_article
from service.compose.stories.independence import count_independent_publishers
from service.compose.stories.index import StoryIndex
from service.core.model import Article, CondensedArticle


@dataclass(frozen=True, slots=True)
class GroupedStory:
    """The articles about one event, the leading one first, and the number of independent publishers."""

    articles: tuple[CondensedArticle, ...]
    independent_publishers: int = 1


BuiltStories = dict[tuple[int, ...], tuple[tuple[CondensedArticle, ...], tuple[GroupedStory, ...]]]
"""Stories by the identities of their articles, with these articles: comparing texts takes longer."""


def group_stories(
    articles: Sequence[CondensedArticle],
    report_problem: ProblemReporter = ignore_problem,
    built: BuiltStories | None = None,
) -> tuple[GroupedStory, ...]:
    """Return the stories of these articles, in gather order of their first article.

    Articles that have a story keep it; the others are compared with them. An article that cannot be placed is
    a story of its own and is reported. Stories that were `built` before are not built again, and new
    ones are added.
    """
    built = {} if built is None else built
    known = {condensed.article.id: condensed.story for condensed in articles if condensed.story}
    if len(known) < len(articles):
        placed = _place_articles([c.article for c in articles], known, report_problem)
        known = {**placed, **known}
    stories = dict[str, list[CondensedArticle]]()
    for condensed in sorted(articles, key=lambda condensed: condensed.article.position):
        stories.setdefault(known[condensed.article.id], []).append(condensed)
    found: list[GroupedStory] = []
    for members in map(tuple, stories.values()):
        key = tuple(map(id, members))
        if key not in built:
            built[key] = members, _build_stories(members, report_problem)
        found += built[key][1]
    return tuple(found)


def _place_articles(
    articles: Sequence[Article], known: Mapping[str, str], report_problem: ProblemReporter
) -> dict[str, str]:
    """Return article id -> story id, with the articles compared in the order of publication."""
    index = StoryIndex()
    places = {}
    for article in sorted(articles, key=lambda one: (one.effective_published_at, one.position)):
        try:
            if article.id in known:
                index.remember(article, known[article.id])
            places[article.id] = index.place(article)
        except Exception as error:  # noqa: BLE001 - one bad article must not stop the others
            places[article.id] = article.id
            report_problem(placement_problem(article, error))
    return places


def _build_stories(
    members: Sequence[CondensedArticle], report_problem: ProblemReporter
) -> tuple[GroupedStory, ...]:
    """Return the story of these articles; if that fails, each article as a story of its own."""
    try:
        return (_build_story(members),)
    except Exception as error:  # noqa: BLE001 - one bad story must not stop the others
        report_problem(
            f"the story {members[0].story or members[0].article.id} could not be built, "
            f"{error_text(error)}; its articles are shown separately"
        )
        return tuple(GroupedStory((condensed,)) for condensed in members)


def _build_story(members: Sequence[CondensedArticle]) -> GroupedStory:
    if len(members) == 1:
        return GroupedStory((members[0],))
    lead = leading_article(members, _lead(members))
    rest = (condensed for condensed in members if condensed is not lead)
    return GroupedStory((lead, *rest), count_independent_publishers([c.article for c in members]))


def _lead(members: Sequence[CondensedArticle]) -> CondensedArticle:
    """Return the article that has most in common with the others, the first of equals.

    Articles with key points come before those without.
    """
    candidates = [condensed for condensed in members if condensed.summary.key_points] or list(members)
    terms = [compared_terms(condensed.article) for condensed in candidates]

    def common(place: int) -> float:
        own = terms[place]
        return sum(2 * len(own & other) / (len(own) + len(other) or 1) for other in terms)

    return candidates[max(range(len(candidates)), key=common)]
