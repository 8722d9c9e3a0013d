"""A story that goes on is told again only for what is new of it, and then as an update."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.compose.stories.group import GroupedStory
from service.compose.stories.updates import StoryUpdate, continues, story_updates
from service.core.model import CondensedArticle, KeyPoint, Role, Summary
from tests.builders import an_article
from tests.compose.fakes import merge_all

FIRST = "A dust explosion tore the roof off silo 6 at Skarrow port."
HURT = "Four firefighters were hurt before the fire was out."
LOSS = "The owner put the loss at 11,000 tonnes of wheat."


def an_account(position: int, *points: str, caveat: str = "", publisher: str = "") -> CondensedArticle:
    """Return an article at that position with these key points, the caveat tied to the first."""
    text = " ".join((*points, caveat)).strip()
    keys = [KeyPoint.from_source(text, text.index(p), text.index(p) + len(p)) for p in points]
    if caveat:
        start = text.index(caveat)
        keys.insert(1, KeyPoint.from_source(text, start, start + len(caveat), Role.CAVEAT, 0))
    article = an_article(
        f"Account {position}", text, position=position, publisher=publisher or f"P{position}"
    )
    return CondensedArticle(article, Summary("lead", tuple(keys)))


def told(*accounts: CondensedArticle) -> list[str]:
    return [account.article.id for account in accounts]


def now(
    *accounts: CondensedArticle, after: int, known: list[str], voices: int = 1
) -> tuple[StoryUpdate, ...]:
    telling = GroupedStory(accounts, voices)
    return story_updates([telling], served_through=after, sent=known, merge=merge_all, points=4)


def news(found: tuple[StoryUpdate, ...]) -> list[str]:
    [chapter] = found
    return [point.text for point in chapter.new_points or ()]


def test_a_new_story_is_told_whole():
    account = an_account(5, FIRST)

    assert now(account, after=4, known=[]) == (StoryUpdate(GroupedStory((account,))),)


def test_a_story_with_nothing_fresh_is_not_told_again():
    old = an_account(3, FIRST)

    assert now(old, after=4, known=told(old)) == ()


def test_another_publisher_with_the_same_points_is_no_news():
    old, copy = an_account(3, FIRST, HURT), an_account(5, FIRST, HURT)

    assert now(old, copy, after=4, known=told(old)) == ()


def test_a_new_point_makes_an_update_of_that_point_alone():
    old, fresh = an_account(3, FIRST), an_account(5, FIRST, HURT)
    found = now(old, fresh, after=4, known=told(old))

    assert news(found) == [HURT]
    assert found[0].story.articles == (fresh,)


def test_what_was_left_out_of_their_issue_readers_do_not_know():
    old, fresh = an_account(3, FIRST), an_account(5, FIRST)
    [chapter] = now(old, fresh, after=4, known=[], voices=2)

    assert chapter.new_points is None
    assert chapter.story == GroupedStory((fresh,), independent_publishers=1)


@pytest.mark.parametrize(
    ("positions", "goes"), [((3, 5), True), ((5, 6), False), ((1, 4), False), ((4,), False)]
)
def test_a_story_goes_on_when_it_has_articles_on_both_sides(positions: tuple[int, ...], goes: bool):
    assert continues(GroupedStory(tuple(an_account(n, FIRST) for n in positions)), position=4) is goes


@given(st.lists(st.tuples(st.integers(1, 9), st.booleans()), min_size=1, max_size=6), st.integers(0, 9))
def test_every_caveat_of_an_update_stands_behind_its_point(accounts, after):
    told_by = [
        an_account(place, f"Point {n} stands.", LOSS, caveat=f"But {n} is not sure." if doubt else "")
        for n, (place, doubt) in enumerate(accounts)
    ]
    known = told(*(a for a in told_by if a.article.position <= after))
    for chapter in story_updates(
        [GroupedStory(tuple(told_by))], served_through=after, sent=known, merge=merge_all, points=9
    ):
        for index, one in enumerate(chapter.new_points or ()):
            assert one.qualifies is None or one.qualifies < index
            assert (one.role is Role.CAVEAT) == (one.qualifies is not None)
