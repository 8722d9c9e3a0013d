"""Stories: articles are grouped by event, and the one that stands for all of them leads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from service.compose.stories import group as stories
from service.compose.stories.group import GroupedStory, group_stories
from service.core.model import Article, CondensedArticle, Summary
from tests.builders import an_article, condensed
from tests.compose.reports import REPORTS, a_report


def accounts(*numbers: int) -> list[CondensedArticle]:
    return [condensed(a_report(number)) for number in numbers]


def test_stories_come_in_the_order_of_their_first_article():
    told = group_stories(accounts(8, 2, 7, 0, 1))
    assert [[a.article.position - 1 for a in telling.articles] for telling in told] == [[0, 1], [2], [7, 8]]
    assert [telling.independent_publishers for telling in told] == [2, 1, 2]


def test_no_article_is_lost_or_told_twice():
    everything = accounts(*range(len(REPORTS)))
    told = [account for telling in group_stories(everything) for account in telling.articles]
    assert sorted(a.article.position for a in told) == list(range(1, len(REPORTS) + 1))


def test_what_is_known_of_an_articles_story_is_kept():
    first, second, other = accounts(0, 1, 2)
    known = [replace(first, story="one"), replace(second, story="two"), replace(other, story="two")]
    told = group_stories(known)
    assert [telling.articles for telling in told] == [(known[0],), (known[1], known[2])]


def test_a_newcomer_finds_the_story_that_is_known():
    first, second = accounts(0, 1)
    known = replace(first, story="an old story")
    [telling] = group_stories([second, known])
    assert telling.articles == (known, second)


def test_the_article_with_most_in_common_leads():
    middle = CondensedArticle(
        an_article(REPORTS[0].title, f"{REPORTS[0].text[:200]} {REPORTS[1].text}", position=9),
        condensed(a_report(0)).summary,
    )
    [telling] = group_stories([*accounts(0, 1), middle])
    assert telling.articles[0] is middle
    assert [a.article.position for a in telling.articles[1:]] == [1, 2]


def test_an_article_without_key_points_does_not_lead_one_that_has_some():
    first, second = accounts(0, 1)
    headline = CondensedArticle(first.article, Summary("headline", ()))
    [telling] = group_stories([headline, second])
    assert telling.articles == (second, headline)


def test_one_article_alone_is_one_voice():
    [alone] = accounts(0)
    assert group_stories([alone]) == (GroupedStory((alone,), 1),)
    assert group_stories([]) == ()


def test_what_cannot_be_placed_stands_alone_and_is_named():
    first, second, *_ = accounts(0, 1)
    bad = replace(second, article=replace(second.article, text=None))
    problems: list[str] = []
    told = group_stories([first, bad], problems.append)

    assert [telling.articles for telling in told] == [(first,), (bad,)]
    assert len(problems) == 1
    assert second.article.id in problems[0]


def test_a_story_that_cannot_be_put_together_is_told_one_by_one(monkeypatch: pytest.MonkeyPatch):
    def fails(_articles: Sequence[Article]) -> int:
        raise ValueError("uncountable")

    monkeypatch.setattr(stories, "count_independent_publishers", fails)
    problems: list[str] = []
    told = group_stories(accounts(0, 1, 2), problems.append)

    assert [len(telling.articles) for telling in told] == [1, 1, 1]
    [problem] = problems
    assert problem.endswith("could not be built, uncountable; its articles are shown separately")
