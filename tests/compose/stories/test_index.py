"""The story index: one story per event, lookalikes apart, and permanent results."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.compose.stories.index import MAX_STORY_AGE, WINDOW, StoryIndex
from tests.builders import NOON, an_article
from tests.compose.reports import REPORTS, a_report

ALL = [a_report(number) for number in range(len(REPORTS))]


def events(articles: list, index: StoryIndex | None = None) -> set[frozenset[str]]:
    """Return the titles of each story's articles."""
    index = index or StoryIndex()
    stories: dict[str, set[str]] = {}
    for article in articles:
        stories.setdefault(index.place(article), set()).add(article.title)
    return {frozenset(titles) for titles in stories.values()}


TRUE_EVENTS = {
    frozenset(report.title for report in REPORTS if report.event == event)
    for event in {report.event for report in REPORTS}
}


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_reports_of_one_event_meet_and_lookalikes_do_not_in_any_order(order: tuple[int, ...]):
    arrived = [ALL[start::3] for start in order]
    assert events([article for part in arrived for article in part]) == TRUE_EVENTS


def test_lookalikes_stay_apart_in_a_full_index_too():
    index = StoryIndex()
    for number in range(400):
        index.place(an_article(f"Report {number}", url=f"https://crowd.example/{number}"))
    assert events(ALL, index) == TRUE_EVENTS


def test_a_story_has_the_id_of_its_first_article():
    index = StoryIndex()
    first, second = a_report(0), a_report(1)
    assert index.place(first) == first.id
    assert index.place(second) == first.id
    assert index.place(replace(a_report(0, publisher="Agency"), id="third")) == first.id
    assert index.place(first) == first.id


def test_placing_an_article_again_changes_nothing():
    index = StoryIndex()
    before = {article.id: index.place(article) for article in ALL}
    assert {article.id: index.place(article) for article in reversed(ALL)} == before
    assert len(index) == len(ALL)


def test_a_remembered_story_continues():
    index = StoryIndex()
    index.remember(a_report(0), "an old story")
    assert index.place(a_report(1)) == "an old story"


def test_a_story_ends_without_articles_for_days():
    index = StoryIndex()
    index.place(a_report(0))
    late = a_report(1, hours=WINDOW / timedelta(hours=1) + 1)
    assert index.place(late) == late.id


def test_the_window_moves_with_the_story():
    index = StoryIndex()
    copies = [replace(a_report(0, hours=n * 48), id=f"day {n}") for n in range(4)]
    assert {index.place(copy) for copy in copies} == {"day 0"}


def test_an_endless_topic_is_several_stories():
    index = StoryIndex()
    days = int(MAX_STORY_AGE / timedelta(days=2)) + 2
    stories = {index.place(replace(a_report(0, hours=n * 48), id=f"day {n}")) for n in range(days)}
    assert len(stories) == 2


def test_a_late_article_joins_the_story_of_its_day():
    index = StoryIndex()
    index.place(a_report(0))
    index.place(a_report(2, hours=40))
    assert index.place(a_report(1, gathered_at=NOON + timedelta(hours=50))) == ALL[0].id


def test_expired_articles_are_removed_with_their_terms():
    index = StoryIndex()
    for article in ALL:
        index.place(article)
    assert len(index) == len(ALL)
    index.place(an_article("Much later", "", published_at=None, gathered_at=NOON + timedelta(days=30)))
    assert len(index) == 1
    [shelf] = index._languages.values()
    assert (set(shelf.articles.words), len(shelf.stories)) == ({"much", "later"}, 1)


def test_languages_do_not_mix():
    index = StoryIndex()
    index.place(a_report(0))
    other = a_report(1, language="de")
    assert index.place(other) == other.id


def test_titles_alone_meet_by_more_than_two_words():
    index = StoryIndex()
    titles = [
        "Senate rejects pension reform after night of votes",
        "Pension reform fails in Senate after all-night session",
        "Senate elects first woman as speaker",
    ]
    articles = [an_article(title, "", url=f"https://t.example/{n}") for n, title in enumerate(titles)]
    placed = [index.place(article) for article in articles]
    assert placed[0] == placed[1] != placed[2]


def test_a_title_alone_joins_the_full_report():
    index = StoryIndex()
    index.place(a_report(0))
    assert index.place(an_article("Lund goal gives Northgate win over Seaford", "")) == ALL[0].id


CHINESE = [
    (
        "央行下调存款准备金率",
        "中国人民银行周五宣布下调金融机构存款准备金率0.5个百分点, 释放长期资金约1万亿元。",
    ),
    ("存款准备金率下调0.5个百分点", "央行周五说, 将下调金融机构存款准备金率, 向市场提供长期资金约1万亿元。"),
    ("台风登陆福建沿海", "今年第9号台风周五在福建沿海登陆, 当地转移群众12万人, 多趟列车停运。"),
]


def test_unspaced_scripts_are_compared_by_bigrams():
    articles = [
        an_article(title, text, language="zh", url=f"https://zh.example/{n}")
        for n, (title, text) in enumerate(CHINESE)
    ]
    assert len(events(articles)) == 2
    assert frozenset(title for title, _ in CHINESE[:2]) in events(articles)


@given(
    st.lists(st.tuples(st.text(max_size=30), st.text(max_size=60)), max_size=12),
    st.sampled_from(["en", "zh", ""]),
)
def test_any_text_gets_a_story_and_keeps_it(texts: list[tuple[str, str]], language: str):
    index = StoryIndex()
    articles = [
        an_article(title, text, language=language, url=f"https://any.example/{n}")
        for n, (title, text) in enumerate(texts)
    ]
    placed = [index.place(article) for article in articles]
    assert [index.place(article) for article in articles] == placed
    assert set(placed) <= {article.id for article in articles}
