"""Shortening: the first points of a story stand with all that they need."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from hypothesis import example, given
from hypothesis import strategies as st

from service.compose.stories.merging.merge import merge_key_points
from service.compose.stories.shortening import count_points, first_points, headline_caveats, top_points
from service.core.model import Grade, Role, StoryPoint
from tests.compose.digests import a_story, caveat, caveat_of_headline, graded, point, published
from tests.compose.stories.merging.test_grades import STORIES, any_article, assert_nothing_dangles

TWO_POINTS_CHOSEN_TOGETHER_AND_A_LATE_CAVEAT = [
    [
        ("point", None, False, 1),
        ("point", "above", False, 0),
        ("tied", None, False, 0),
        ("tied", None, False, 0),
    ]
]
ONE, TWO = published("Fares rise"), published("Fares in Ostrel", "The Wire")


def in_story(one: StoryPoint) -> StoryPoint:
    return replace(one, role=Role.CAVEAT, grade=Grade.STORY)


def key(one: StoryPoint) -> tuple[str, int]:
    return one.article.id, one.start


def texts(points: Sequence[StoryPoint] | None) -> list[str]:
    return [one.text for one in points or ()]


def test_a_point_goes_with_its_caveats_and_the_caveats_of_the_story_stay():
    story = a_story(
        [point(ONE, "One."), point(ONE, "Two."), caveat(ONE, "But."), in_story(caveat(ONE, "Yet."))]
    )

    shorter = first_points(story.points, 1)
    assert texts(shorter) == ["One.", "Yet."]
    assert first_points(shorter, 1) == shorter


def test_the_points_chosen_first_stay_wherever_they_stand():
    lines = [point(ONE, "One."), point(ONE, "Two."), point(ONE, "Three.")]
    one, two, three = a_story(lines).points
    chosen = (replace(one, rank=2), replace(two, rank=0), replace(three, rank=1))

    assert texts(first_points(chosen, 2)) == ["Two.", "Three."]
    assert texts(first_points(chosen, 1)) == ["Two."]


def test_a_caveat_that_was_chosen_late_stays_with_its_point():
    one, two, but = a_story([point(ONE, "One."), point(ONE, "Two."), caveat(ONE, "But.")]).points

    assert texts(first_points((one, replace(but, qualifies=0), two), 1)) == ["One.", "But."]


def test_a_caveat_of_the_story_goes_with_the_last_point_of_its_article():
    story = a_story([point(ONE, "One."), point(TWO, "Two."), in_story(caveat(TWO, "Yet."))])

    assert texts(first_points(story.points, 1)) == ["One."]


def test_points_that_were_chosen_together_stay_together():
    one, two, against = a_story([point(ONE, "One."), point(ONE, "Ten."), point(TWO, "Nine.")]).points

    assert texts(first_points((one, two, replace(against, rank=two.rank)), 2)) == ["One."]
    assert texts(first_points((replace(two, rank=0), replace(against, rank=0), replace(one, rank=1)), 1)) == [
        "Ten.",
        "Nine.",
    ]


def test_what_leans_on_a_removed_point_goes_with_it_and_the_others_are_renumbered():
    points = a_story([point(ONE, "One."), point(ONE, "Two."), in_story(caveat(ONE, "He."))]).points
    leaning = (*points[:2], replace(points[2], follows=1))
    assert texts(first_points(leaning, 1)) == ["One."]

    lines = [
        point(ONE, "One."),
        point(ONE, "Two."),
        in_story(caveat(ONE, "Yet.")),
        in_story(caveat(ONE, "He.")),
    ]
    kept = a_story(lines).points
    shorter = first_points((*kept[:3], replace(kept[3], follows=2)), 1)
    assert [(one.text, one.follows) for one in shorter] == [("One.", None), ("Yet.", None), ("He.", 1)]


def test_the_caveats_of_the_headline_stay_with_any_number_of_points():
    story = a_story([caveat_of_headline(ONE, "They do not."), point(ONE, "One."), point(ONE, "Two.")])

    assert texts(first_points(story.points, 1)) == ["They do not.", "One."]
    assert texts(headline_caveats(story.points)) == ["They do not."]


@given(STORIES, st.integers(1, 6))
@example(TWO_POINTS_CHOSEN_TOGETHER_AND_A_LATE_CAVEAT, 1)
def test_any_story_is_shortened_without_a_dangling_line_or_a_lost_caveat(drawn, limit):
    articles = [any_article(number, lines) for number, lines in enumerate(drawn)]
    points = merge_key_points(articles, points=9)
    tied = {key(one): [c for c in points if c.qualifies == n] for n, one in enumerate(points)}
    shorter = first_points(points, limit)

    assert bool(shorter) == bool(points)
    assert_nothing_dangles(shorter, articles)
    together = max(Counter(one.rank for one in points if one.stands_alone).values(), default=0)
    assert count_points(shorter) <= max(limit, together)
    for index, one in enumerate(shorter):
        assert len([c for c in shorter if c.qualifies == index]) == len(tied[key(one)])


def test_the_top_is_the_point_chosen_first_with_its_caveats_and_those_of_the_story():
    lines = [point(ONE, "One."), point(ONE, "Two."), caveat(ONE, "But."), in_story(caveat(ONE, "Yet."))]
    first, second, but, yet = a_story(lines).points
    chosen = (replace(first, rank=2), replace(second, rank=0), but, yet)

    assert texts(top_points(chosen)) == ["Two.", "But.", "Yet."]
    assert [one.qualifies for one in top_points(chosen)] == [None, 0, None]


def test_the_top_has_a_point_rather_than_context_and_what_was_chosen_with_it():
    lines = [graded(point(ONE, "Note."), Grade.CONTEXT), point(ONE, "Ten."), point(TWO, "Nine.")]
    note, one, against = a_story(lines).points

    assert texts(top_points((note, one, replace(against, rank=one.rank)))) == ["Ten.", "Nine."]
    assert texts(top_points((note,))) == ["Note."]


@given(STORIES)
def test_the_top_of_any_story_has_all_caveats_of_its_points_and_nothing_dangles(drawn):
    articles = [any_article(number, lines) for number, lines in enumerate(drawn)]
    points = merge_key_points(articles, points=9)
    top = top_points(points)

    assert bool(top) == bool(points)
    assert_nothing_dangles(top, articles)
    for index, one in enumerate(top):
        (whole,) = [n for n, other in enumerate(points) if key(other) == key(one)]
        assert len([c for c in top if c.qualifies == index]) == len(
            [c for c in points if c.qualifies == whole]
        )
