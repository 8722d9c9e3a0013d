"""Grouping: articles are grouped by event, and the most typical one leads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from service.compose.stories import group
from service.compose.stories.group import GroupedStory, group_stories
from service.core.model import Article, CondensedArticle, Summary
from tests.builders import NOON, an_article, condensed
from tests.compose.reports import REPORTS, a_report


def accounts(*numbers: int) -> list[CondensedArticle]:
    return [condensed(a_report(number)) for number in numbers]


def test_stories_come_in_the_order_of_their_first_article():
    stories = group_stories(accounts(8, 2, 7, 0, 1))
    assert [[a.article.position - 1 for a in story.articles] for story in stories] == [[0, 1], [2], [7, 8]]
    assert [story.independent_publishers for story in stories] == [2, 1, 2]


def test_every_article_is_in_one_story():
    everything = accounts(*range(len(REPORTS)))
    articles = [account for story in group_stories(everything) for account in story.articles]
    assert sorted(a.article.position for a in articles) == list(range(1, len(REPORTS) + 1))


def test_an_article_keeps_its_known_story():
    first, second, other = accounts(0, 1, 2)
    known = [replace(first, story="one"), replace(second, story="two"), replace(other, story="two")]
    stories = group_stories(known)
    assert [story.articles for story in stories] == [(known[0],), (known[1], known[2])]


def test_a_new_article_joins_a_known_story():
    first, second = accounts(0, 1)
    known = replace(first, story="an old story")
    [story] = group_stories([second, known])
    assert story.articles == (known, second)


def test_the_article_with_most_in_common_leads():
    middle = CondensedArticle(
        an_article(REPORTS[0].title, f"{REPORTS[0].text[:200]} {REPORTS[1].text}", position=9),
        condensed(a_report(0)).summary,
    )
    [story] = group_stories([*accounts(0, 1), middle])
    assert story.articles[0] is middle
    assert [a.article.position for a in story.articles[1:]] == [1, 2]


def test_an_article_without_key_points_does_not_lead_one_that_has_some():
    first, second = accounts(0, 1)
    headline = CondensedArticle(first.article, Summary("headline", ()))
    [story] = group_stories([headline, second])
    assert story.articles == (second, headline)


def test_a_single_article_has_one_publisher():
    [alone] = accounts(0)
    assert group_stories([alone]) == (GroupedStory((alone,), 1),)
    assert group_stories([]) == ()


def test_an_article_that_cannot_be_placed_is_a_story_and_reported():
    first, second, *_ = accounts(0, 1)
    bad = replace(second, article=replace(second.article, text=None))
    problems: list[str] = []
    stories = group_stories([first, bad], problems.append)

    assert [story.articles for story in stories] == [(first,), (bad,)]
    assert len(problems) == 1
    assert second.article.id in problems[0]


def test_a_story_that_cannot_be_built_is_shown_article_by_article(monkeypatch: pytest.MonkeyPatch):
    def fails(_articles: Sequence[Article]) -> int:
        raise ValueError("uncountable")

    monkeypatch.setattr(group, "count_independent_publishers", fails)
    problems: list[str] = []
    stories = group_stories(accounts(0, 1, 2), problems.append)

    assert [len(story.articles) for story in stories] == [1, 1, 1]
    [problem] = problems
    assert problem.endswith("could not be built, uncountable; its articles are shown separately")


def test_the_article_with_the_newest_toll_leads_its_story():
    def told(text: str, hours_ago: int, position: int) -> CondensedArticle:
        at = NOON - timedelta(hours=hours_ago)
        article = an_article(text, text=text, published_at=at, gathered_at=at, position=position)
        return replace(condensed(article), story="quake")

    early = told("A quake in Kessary killed at least 41 people.", 6, 1)
    plain = told("A quake in Kessary: what is known.", 4, 2)
    late = told("The Kessary death toll rose to 44.", 2, 3)

    assert [story.articles for story in group_stories([early, late])] == [(late, early)]
    assert group_stories([early, plain, late])[0].articles[0] is not early
