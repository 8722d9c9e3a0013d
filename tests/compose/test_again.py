"""A story that goes on is told again only for what is new of it, and then as an update."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.compose.again import Chapter, chapters, goes_on
from service.compose.stories import Telling
from service.core.model import CondensedArticle, KeyPoint, Role, Summary
from tests.builders import an_article
from tests.compose.fakes import tell_all

FIRST = "A dust explosion tore the roof off silo 6 at Skarrow port."
HURT = "Four firefighters were hurt before the fire was out."
LOSS = "The owner put the loss at 11,000 tonnes of wheat."


def an_account(position: int, *points: str, caveat: str = "", publisher: str = "") -> CondensedArticle:
    """Return an article at that position with these key points, the caveat tied to the first."""
    text = " ".join((*points, caveat)).strip()
    keys = [KeyPoint.cut(text, text.index(p), text.index(p) + len(p)) for p in points]
    if caveat:
        start = text.index(caveat)
        keys.insert(1, KeyPoint.cut(text, start, start + len(caveat), Role.CAVEAT, 0))
    article = an_article(
        f"Account {position}", text, position=position, publisher=publisher or f"P{position}"
    )
    return CondensedArticle(article, Summary("lead", tuple(keys)))


def told(*accounts: CondensedArticle) -> list[str]:
    return [account.article.id for account in accounts]


def now(*accounts: CondensedArticle, after: int, known: list[str], voices: int = 1) -> tuple[Chapter, ...]:
    telling = Telling(accounts, voices)
    return chapters([telling], after=after, told=known, tell=tell_all, points=4)


def news(found: tuple[Chapter, ...]) -> list[str]:
    [chapter] = found
    return [point.text for point in chapter.news or ()]


def test_a_new_story_is_told_whole():
    account = an_account(5, FIRST)

    assert now(account, after=4, known=[]) == (Chapter(Telling((account,))),)


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
    assert found[0].telling.articles == (fresh,)


def test_the_same_sentence_with_another_number_is_news():
    old = an_account(3, "Four people and 12 ships are affected, the port said on Monday.")
    fresh = an_account(5, "Four people and 15 ships are affected, the port said on Monday.")

    assert news(now(old, fresh, after=4, known=told(old))) == [fresh.summary.key_points[0].text]


def test_a_few_other_words_are_no_news():
    old = an_account(3, "The owner put the loss at 11,000 tonnes of wheat on Tuesday evening.")
    fresh = an_account(5, LOSS)

    assert now(old, fresh, after=4, known=told(old)) == ()


def test_a_caveat_that_was_not_told_brings_its_point_along():
    old, fresh = an_account(3, LOSS), an_account(5, LOSS, caveat="The figure is preliminary, it said.")
    [chapter] = now(old, fresh, after=4, known=told(old))

    assert [(p.text, p.role, p.qualifies) for p in chapter.news or ()] == [
        (LOSS, Role.POINT, None),
        ("The figure is preliminary, it said.", Role.CAVEAT, 0),
    ]


def test_a_new_point_keeps_the_caveat_that_was_told_before():
    caution = "The figure is preliminary, it said."
    old, fresh = an_account(3, FIRST, caveat=caution), an_account(5, LOSS, caveat=caution)

    assert news(now(old, fresh, after=4, known=told(old))) == [LOSS, caution]


def test_what_was_left_out_of_their_issue_readers_do_not_know():
    old, fresh = an_account(3, FIRST), an_account(5, FIRST)
    [chapter] = now(old, fresh, after=4, known=[], voices=2)

    assert chapter.news is None
    assert chapter.telling == Telling((fresh,), voices=1)


def test_scripts_without_spaces_are_compared_too():
    old = an_account(3, "新望远镜在试运行的第一个月里拍摄了两千多个遥远的星系。")
    same = an_account(5, "新望远镜在试运行的第一个月里拍摄了两千多个星系。")
    other = an_account(5, "研究团队强调这些数据尚未经过同行评审。")

    assert now(old, same, after=4, known=told(old)) == ()
    assert len(now(old, other, after=4, known=told(old))) == 1


@pytest.mark.parametrize(
    ("positions", "goes"), [((3, 5), True), ((5, 6), False), ((1, 4), False), ((4,), False)]
)
def test_a_story_goes_on_when_it_has_articles_on_both_sides(positions: tuple[int, ...], goes: bool):
    assert goes_on(Telling(tuple(an_account(n, FIRST) for n in positions)), after=4) is goes


@given(st.lists(st.tuples(st.integers(1, 9), st.booleans()), min_size=1, max_size=6), st.integers(0, 9))
def test_every_caveat_of_an_update_stands_behind_its_point(accounts, after):
    told_by = [
        an_account(place, f"Point {n} stands.", LOSS, caveat=f"But {n} is not sure." if doubt else "")
        for n, (place, doubt) in enumerate(accounts)
    ]
    known = told(*(a for a in told_by if a.article.position <= after))
    for chapter in chapters([Telling(tuple(told_by))], after=after, told=known, tell=tell_all, points=9):
        for index, one in enumerate(chapter.news or ()):
            assert one.qualifies is None or one.qualifies < index
            assert (one.role is Role.CAVEAT) == (one.qualifies is not None)
