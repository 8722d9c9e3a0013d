"""Which stories get in, in which order, and what a digest loses first when it is too heavy."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from service.compose.digest import make_digest, rank_stories, reduce_digest
from service.compose.stories.group import GroupedStory
from service.compose.stories.updates import StoryUpdate
from service.core import ids as identity
from service.core.model import Role
from tests.builders import NOON, an_article, an_edition, condensed
from tests.compose.digests import a_digest, a_story, caveat, point, the_front_page, the_spray, the_treaty

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def a_chapter(title: str, hours_old: float = 1, voices: int = 1, **changes) -> StoryUpdate:
    moment = NOON - hours_old * HOUR
    article = an_article(title, published_at=moment, gathered_at=moment, **changes)
    return StoryUpdate(GroupedStory((condensed(article),), voices))


def titles(chapters: list[StoryUpdate]) -> list[str]:
    return [chapter.story.articles[0].article.title for chapter in chapters]


def merge_all(articles, *, points):
    """Tell every key point, up to the number asked for."""
    told = [point(c.article, key.text) for c in articles for key in c.summary.key_points]
    return tuple(told[:points])


def test_what_more_publishers_tell_comes_first():
    found = rank_stories([a_chapter("fresh"), a_chapter("big", hours_old=20, voices=3)], 2)

    assert titles(found) == ["big", "fresh"]


def test_among_equals_the_fresh_come_first():
    assert titles(rank_stories([a_chapter("old", 5), a_chapter("new", 1)], 2)) == ["new", "old"]


def test_one_publisher_does_not_fill_the_page_while_others_have_news():
    ours = [a_chapter(f"ours {n}", n, publisher="Ours") for n in (1, 2, 3)]
    theirs = a_chapter("theirs", 6, publisher="Theirs", topics=("science",))

    assert titles(rank_stories([*ours, theirs], 3)) == ["ours 1", "theirs", "ours 2"]


def test_topics_take_turns():
    world = [a_chapter(f"world {n}", n, publisher=f"P{n}") for n in (1, 2)]
    science = a_chapter("science", 3, publisher="P3", topics=("science",))

    assert titles(rank_stories([*world, science], 3)) == ["world 1", "science", "world 2"]


def test_an_article_dated_in_the_future_is_no_fresher_than_when_we_saw_it():
    future = GroupedStory(
        (condensed(an_article("dreamt", published_at=NOON + DAY, gathered_at=NOON - 2 * HOUR)),)
    )

    assert titles(rank_stories([StoryUpdate(future), a_chapter("seen", 1)], 2)) == ["seen", "dreamt"]


@given(st.lists(st.tuples(st.floats(0, 99), st.integers(1, 3)), max_size=12), st.integers(0, 15))
def test_the_order_takes_in_as_many_as_fit_each_once(ages, limit):
    chapters = [a_chapter(f"story {n}", age, voices) for n, (age, voices) in enumerate(ages)]
    found = rank_stories(chapters, limit)

    assert len(found) == min(limit, len(chapters))
    assert len({chapter.story.articles for chapter in found}) == len(found)
    assert rank_stories(chapters, limit) == found


def test_what_the_cap_leaves_out_is_counted():
    chapters = [a_chapter(f"story {n}") for n in range(5)]
    digest = make_digest(an_edition(stories=3, points=1), chapters, at=NOON, merge=merge_all)

    assert len(digest.stories) == 3
    assert digest.left_out == 2
    assert [len(story.points) for story in digest.stories] == [1, 1, 1]


def test_a_story_keeps_its_name_as_it_grows():
    article = condensed(an_article("Fire at the port"))
    named, unnamed = replace(article, story="the fire"), article
    digests = [
        make_digest(an_edition(), [StoryUpdate(GroupedStory((a,)))], at=NOON, merge=merge_all)
        for a in (named, unnamed)
    ]

    assert digests[0].stories[0].id == "the fire"
    assert digests[1].stories[0].id == identity.story_id([article.article.id])


def test_only_stories_that_get_in_are_told():
    asked = []

    def listening(articles, *, points):
        asked.append(articles[0].article.title)
        return merge_all(articles, points=points)

    make_digest(an_edition(stories=1), [a_chapter("in", 1), a_chapter("out", 2)], at=NOON, merge=listening)

    assert asked == ["in"]


# --- lighter -----------------------------------------------------------------------------------


def test_the_last_story_goes_first_and_is_counted():
    page = the_front_page()
    smaller = reduce_digest(page)

    assert smaller is not None
    assert smaller.stories == page.stories[:-1]
    assert smaller.left_out == page.left_out + 1


def test_an_only_story_loses_its_last_point_with_its_caveats():
    smaller = reduce_digest(a_digest(the_treaty()))

    assert smaller is not None
    assert smaller.stories[0].points == the_treaty().points[:2]
    assert [p.role for p in smaller.stories[0].points] == [Role.POINT, Role.CAVEAT]


def test_an_only_point_keeps_its_caveats():
    article = the_spray().articles[0]
    story = a_story([point(article, "One."), caveat(article, "Two."), caveat(article, "Three.")])

    assert reduce_digest(a_digest(story)) is None


def test_an_empty_digest_cannot_be_lighter():
    assert reduce_digest(a_digest()) is None
