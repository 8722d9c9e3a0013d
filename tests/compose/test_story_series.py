"""Story series: no two items of one form are one story, and two accounts of one event are."""

from __future__ import annotations

import pytest

from service.compose.stories.index import StoryIndex
from service.core.model import Article
from tests.builders import an_article
from tests.compose.story_accounts import read_accounts
from tests.compose.story_series import Series, read_series

SERIES = read_series()
HELD_OUT = read_series("story_series_held_out.toml")
ACCOUNTS = read_accounts()
NOT_SEEN = {"fixtures": "the round-up of a round names the teams of each match"}


def as_a_case(series: Series) -> object:
    reason = NOT_SEEN.get(series.name)
    marks = [pytest.mark.xfail(reason=reason, strict=True)] if reason else []
    return pytest.param(series, id=series.name, marks=marks)


def stories_of(articles: tuple[Article, ...]) -> list[str]:
    """Return the stories of the articles, placed among other reports of the day."""
    index = StoryIndex()
    for number in range(40):
        index.place(an_article(f"Report {number}", url=f"https://crowd.example/{number}"))
    return [index.place(article) for article in articles]


@pytest.mark.parametrize("series", [as_a_case(series) for series in (*SERIES.values(), *HELD_OUT.values())])
def test_the_items_of_a_series_are_stories_of_their_own_in_any_order(series: Series):
    for articles in (series.articles, series.articles[::-1]):
        assert stories_of(articles) == [article.id for article in articles]


@pytest.mark.parametrize("event", ACCOUNTS.values(), ids=ACCOUNTS)
def test_two_accounts_of_one_event_in_other_words_are_one_story(event: Series):
    for articles in (event.articles, event.articles[::-1]):
        assert len(set(stories_of(articles))) == 1


def test_accounts_of_different_events_are_not():
    articles = tuple(article for event in ACCOUNTS.values() for article in event.articles)
    stories = dict(zip((article.id for article in articles), stories_of(articles), strict=True))
    assert len(set(stories.values())) == len(ACCOUNTS)
