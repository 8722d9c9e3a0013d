"""The stories of a digest, and what a digest loses first if it is too large."""

from __future__ import annotations

from dataclasses import replace

from service.compose import digest as digests
from service.compose.digest import reductions
from service.compose.ranking import Ranker
from service.compose.stories.group import GroupedStory
from service.compose.stories.updates import StoryUpdate
from service.core import ids as identity
from service.core.model import Digest, Placement, Story
from tests.builders import NOON, an_article, an_edition, condensed
from tests.compose.digests import (
    a_digest,
    a_story,
    caveat,
    caveat_of_headline,
    point,
    published,
    the_fire,
    the_front_page,
    the_notices,
)


def make_digest(edition, updates, **settings):
    ranked = Ranker({}).rank(updates, edition, NOON)
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


def test_a_story_keeps_its_id_as_it_grows():
    article = condensed(an_article("Fire at the port"))
    named, unnamed = replace(article, story="the fire"), article
    digests = [
        make_digest(an_edition(), [StoryUpdate(GroupedStory((a,)))], at=NOON, merge=merge_all)
        for a in (named, unnamed)
    ]

    assert digests[0].stories[0].id == "the fire"
    assert digests[1].stories[0].id == identity.story_id([article.article.id])


# --- reductions --------------------------------------------------------------------------------


def a_long_story(name: str, points: int = 3, **changes) -> Story:
    article = published(name, name)
    story = a_story([point(article, f"{name} {n}.") for n in range(points)])
    return replace(story, **changes)


def steps(digest: Digest) -> list[str]:
    """Return what is shown after each step: the number of points of each story, "-" for a line."""
    return [shown(smaller) for smaller in reductions(digest)]


def shown(digest: Digest) -> str:
    mailed = digest.placed(Placement.LEAD, Placement.STORY, Placement.SHORT)
    return "".join("-" if one.placement is Placement.SHORT else str(len(one.points)) for one in mailed)


def test_the_lists_of_articles_become_compact_first():
    page = the_front_page()

    assert next(reductions(page)) == replace(page, compact=True)


def test_points_go_first_then_stories_become_lines_then_lines_go_to_the_web():
    lead = a_long_story("Lead", 4, placement=Placement.LEAD)
    line = replace(a_long_story("Line", 0), articles=(published("Line"),), placement=Placement.SHORT)
    page = a_digest(lead, a_long_story("One"), a_long_story("Two"), line)

    assert steps(page) == [
        *("432-", "422-", "421-", "411-"),
        *("41--", "4---"),
        *("4--", "4-", "4"),
        *("3", "2", "1"),
    ]


def test_no_story_is_lost_on_any_step():
    page = replace(the_front_page(), left_out=7)

    for smaller in reductions(page):
        assert {story.id for story in smaller.stories} == {story.id for story in page.stories}
        assert smaller.left_out == 7


def test_a_story_that_becomes_a_line_keeps_the_caveats_of_its_headline():
    article = published("Ferries may stop")
    denied = caveat_of_headline(article, "They do not stop.")
    story = a_story([denied, point(article, "One."), caveat(article, "But.")])
    lead = replace(the_fire(), placement=Placement.LEAD)
    *_, smallest = reductions(a_digest(lead, story))

    assert [one.text for one in smallest.stories[-1].points] == ["They do not stop."]
    assert smallest.stories[-1].placement is Placement.WEB


def test_a_line_has_the_caveats_that_its_own_article_gives_the_headline():
    article = published("Ferries may stop")
    known = (caveat_of_headline(article, "They do not stop."),)
    lead = replace(the_fire(), placement=Placement.LEAD)
    update = replace(a_story([point(article, "News.")]), is_update=True)
    *_, smallest = reductions(a_digest(lead, update), lambda _story: known)

    assert smallest.stories[-1].points == known


def test_an_only_point_keeps_its_caveats():
    article = published("Spray")
    story = a_story([point(article, "One."), caveat(article, "Two."), caveat(article, "Three.")])

    assert list(reductions(a_digest(replace(story, placement=Placement.LEAD)))) == []


def test_corrections_are_removed_last_and_wait_for_the_next_issue():
    *_, smallest = reductions(the_notices())

    assert smallest.corrections == ()
    assert smallest.unhealthy_sources == the_notices().unhealthy_sources


def test_sections_end_where_too_few_stories_are_left():
    topics = ["world", "economy"] * 4
    stories = [
        replace(a_long_story(f"S{n}", 1), articles=(published(f"S{n}", topics=(topic,)),), section=topic)
        for n, topic in enumerate(topics)
    ]
    lead = replace(a_long_story("Lead", 1), placement=Placement.LEAD)
    first, second, *_ = reductions(a_digest(lead, *stories, topics=()))

    assert [one.section for one in first.placed(Placement.STORY)] == ["world"] * 4 + ["economy"] * 3
    assert [one.section for one in second.placed(Placement.STORY)] == [""] * 6


def test_an_empty_digest_cannot_be_reduced():
    assert list(reductions(a_digest())) == []
