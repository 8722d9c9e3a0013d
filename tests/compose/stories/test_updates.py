"""A story that was sent before is sent again only for its new points, as an update."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.compose.stories.group import GroupedStory
from service.compose.stories.updates import StoryUpdate, growing_stories, story_updates
from service.core.model import CondensedArticle, KeyPoint, Role, SentIssue, Summary
from tests.builders import NOON, an_article
from tests.compose.fakes import merge_all

FIRST = "A dust explosion tore the roof off silo 6 at Skarrow port."
HURT = "Four firefighters were hurt before the fire was out."
FIRST_ISSUE = SentIssue("issue-1", NOON)
LOSS = "The owner put the loss at 11,000 tonnes of wheat."


def an_account(position: int, *points: str, caveat: str = "", publisher: str = "") -> CondensedArticle:
    """Return an article at that position with these key points, the caveat linked to the first."""
    text = " ".join((*points, caveat)).strip()
    keys = [KeyPoint.from_source(text, text.index(p), text.index(p) + len(p)) for p in points]
    if caveat:
        start = text.index(caveat)
        keys.insert(1, KeyPoint.from_source(text, start, start + len(caveat), Role.CAVEAT, 0))
    article = an_article(
        f"Account {position}", text, position=position, publisher=publisher or f"P{position}"
    )
    return CondensedArticle(article, Summary("lead", tuple(keys)))


def ids_of(*accounts: CondensedArticle) -> list[str]:
    return [account.article.id for account in accounts]


def updates(
    *accounts: CondensedArticle, after: int, known: list[str], publishers: int = 1
) -> tuple[StoryUpdate, ...]:
    story = GroupedStory(accounts, publishers)
    sent = dict.fromkeys(known, FIRST_ISSUE)
    return story_updates(growing_stories([story], after), sent=sent, merge=merge_all, points=4)


def new_points(found: tuple[StoryUpdate, ...]) -> list[str]:
    [update] = found
    return [point.text for point in update.new_points or ()]


def test_a_new_story_is_sent_as_a_whole():
    account = an_account(5, FIRST)

    assert updates(account, after=4, known=[]) == (StoryUpdate(GroupedStory((account,))),)


def test_an_update_names_the_issue_that_showed_the_story_first():
    first, second, fresh = an_account(2, FIRST), an_account(3, HURT), an_account(5, LOSS)
    later = SentIssue("issue-2", NOON + timedelta(days=1))
    sent = {second.article.id: later, first.article.id: FIRST_ISSUE}
    growing = growing_stories([GroupedStory((first, second, fresh))], 4)
    [found] = story_updates(growing, sent=sent, merge=merge_all, points=4)

    assert found.first_issue == FIRST_ISSUE
    assert updates(an_account(5, FIRST), after=4, known=[])[0].first_issue is None


def test_a_story_without_a_new_article_is_not_sent_again():
    old = an_account(3, FIRST)

    assert updates(old, after=4, known=ids_of(old)) == ()


def test_another_publisher_with_the_same_points_makes_no_update():
    old, copy = an_account(3, FIRST, HURT), an_account(5, FIRST, HURT)

    assert updates(old, copy, after=4, known=ids_of(old)) == ()


def test_a_new_point_makes_an_update_of_that_point_alone():
    old, fresh = an_account(3, FIRST), an_account(5, FIRST, HURT)
    found = updates(old, fresh, after=4, known=ids_of(old))

    assert new_points(found) == [HURT]
    assert found[0].story.articles == (fresh,)


def test_an_article_that_was_left_out_of_the_issue_is_not_known():
    old, fresh = an_account(3, FIRST), an_account(5, FIRST)
    [update] = updates(old, fresh, after=4, known=[], publishers=2)

    assert update.new_points is None
    assert update.story == GroupedStory((fresh,), independent_publishers=1)


@pytest.mark.parametrize(
    ("positions", "expected"), [((3, 5), True), ((5, 6), False), ((1, 4), False), ((4,), False)]
)
def test_a_story_with_articles_on_both_sides_of_the_cursor_has_older_ones(
    positions: tuple[int, ...], expected: bool
):
    story = GroupedStory(tuple(an_account(n, FIRST) for n in positions))

    assert growing_stories([story], 4).has_older is expected


def test_groups_with_one_cursor_share_the_stories_that_none_of_them_knows():
    stories = [
        GroupedStory((an_account(3, FIRST), an_account(5, LOSS))),
        GroupedStory((an_account(6, HURT),)),
    ]
    known = {}
    one, other = growing_stories(stories, 4, known), growing_stories(stories[::-1], 4, known)

    assert [id(update) for update in one.updates] == [id(update) for update in reversed(other.updates)]
    assert story_updates(one, sent={}, merge=merge_all, points=4) is one.updates


@given(st.lists(st.tuples(st.integers(1, 9), st.booleans()), min_size=1, max_size=6), st.integers(0, 9))
def test_every_caveat_of_an_update_follows_its_point(accounts, after):
    articles = [
        an_account(place, f"Point {n} stands.", LOSS, caveat=f"But {n} is not sure." if doubt else "")
        for n, (place, doubt) in enumerate(accounts)
    ]
    known = ids_of(*(a for a in articles if a.article.position <= after))
    for update in story_updates(
        growing_stories([GroupedStory(tuple(articles))], after),
        sent=dict.fromkeys(known, FIRST_ISSUE),
        merge=merge_all,
        points=9,
    ):
        for index, one in enumerate(update.new_points or ()):
            assert one.qualifies is None or one.qualifies < index
            assert (one.role is Role.CAVEAT) == (one.qualifies is not None)


def test_an_update_begins_with_the_newest_toll():
    def told(position: int, text: str, hours: int) -> CondensedArticle:
        account, at = an_account(position, text), NOON - timedelta(hours=hours)
        return replace(account, article=replace(account.article, published_at=at, gathered_at=at))

    sent = told(3, FIRST, 9)
    early, late = told(5, "The fire killed nine people.", 6), told(6, "The death toll rose to 11.", 2)
    [update] = updates(sent, early, late, after=4, known=ids_of(sent))

    assert update.story.articles == (late, early)
