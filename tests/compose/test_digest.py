"""The choice and order of stories, and what a digest loses first if it is too large."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from service.compose import digest as digests
from service.compose import ranking
from service.compose.digest import reduce_digest
from service.compose.stories.group import GroupedStory
from service.compose.stories.updates import StoryUpdate
from service.core import ids as identity
from service.core.model import Role
from tests.builders import NOON, an_article, an_edition, condensed
from tests.compose.digests import a_digest, a_story, caveat, point, the_front_page, the_spray, the_treaty

HOUR = timedelta(hours=1)


def an_update(title: str, hours_old: float = 1, publishers: int = 1, **changes) -> StoryUpdate:
    moment = NOON - hours_old * HOUR
    article = an_article(title, published_at=moment, gathered_at=moment, **changes)
    return StoryUpdate(GroupedStory((condensed(article),), publishers))


def make_digest(edition, updates, **settings):
    ranked = ranking.rank_stories(updates, edition, at=NOON, feed_weights={})
    return digests.make_digest(edition, ranked, **settings)


def merge_all(articles, *, points):
    """Tell every key point, up to the number asked for."""
    shown = [point(c.article, key.text) for c in articles for key in c.summary.key_points]
    return tuple(shown[:points])


def test_a_story_names_the_judges_of_its_articles_once():
    articles = [condensed(an_article(title)) for title in ("one", "two", "three")]
    judged = [replace(one, summary=replace(one.summary, judge="qwen")) for one in articles[:2]]
    update = StoryUpdate(GroupedStory((*judged, articles[2]), 1))

    [story] = make_digest(an_edition(), [update], at=NOON, merge=merge_all).stories
    assert story.judges == ("qwen",)


def test_stories_beyond_the_limit_are_counted():
    updates = [an_update(f"story {n}") for n in range(5)]
    digest = make_digest(an_edition(stories=3, points=1), updates, at=NOON, merge=merge_all)

    assert len(digest.stories) == 3
    assert digest.left_out == 2
    assert [len(story.points) for story in digest.stories] == [1, 1, 1]


def test_a_story_keeps_its_id_as_it_grows():
    article = condensed(an_article("Fire at the port"))
    named, unnamed = replace(article, story="the fire"), article
    digests = [
        make_digest(an_edition(), [StoryUpdate(GroupedStory((a,)))], at=NOON, merge=merge_all)
        for a in (named, unnamed)
    ]

    assert digests[0].stories[0].id == "the fire"
    assert digests[1].stories[0].id == identity.story_id([article.article.id])


def test_only_chosen_stories_are_merged():
    asked = []

    def listening(articles, *, points):
        asked.append(articles[0].article.title)
        return merge_all(articles, points=points)

    make_digest(an_edition(stories=1), [an_update("in", 1), an_update("out", 2)], at=NOON, merge=listening)

    assert asked == ["in"]


# --- lighter -----------------------------------------------------------------------------------


def test_the_lists_of_articles_become_compact_before_a_story_is_removed():
    page = the_front_page()

    assert reduce_digest(page) == replace(page, compact=True)


def test_the_last_story_is_removed_and_counted():
    page = replace(the_front_page(), compact=True)
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


def test_an_empty_digest_cannot_be_reduced():
    assert reduce_digest(a_digest()) is None
