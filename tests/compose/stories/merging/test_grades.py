"""Grades and references in a merged story: caveats keep their place, and no line dangles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.compose.stories.merging.merge import merge_key_points
from service.core.model import (
    CaveatKind,
    CondensedArticle,
    Grade,
    KeyPoint,
    Role,
    StoryPoint,
    Summary,
    TextSpan,
)
from tests.builders import an_article

FARES = "The transit board of Ostrel voted to raise tram fares by eight cents in autumn."
FARES_TOO = "Tram fares in Ostrel rise by eight cents in autumn, the transit board voted."
DEPOT = "A depot for ninety electric buses opens beside the brickworks next month."
FERRIES = "Ferries to the islands sail twice an hour until the end of September."
HE_ADDED = "He also promised a ticket for pupils at half the price."
BUT_HE = "But he named no date for it."
NOT_FINAL = "The vote is not final before the council has approved the budget."
DOUBTED = "Passenger groups doubt that the figures of the board are complete."
HINT = "Mirko Holm"


@dataclass(frozen=True)
class Line:
    """A key point of a test article: with `above` it leans on the line before it."""

    text: str
    grade: Grade | None = None
    tied_to: int | None = None
    above: int | None = None
    hinted: bool = False
    kind: CaveatKind | None = None


def told(*lines: Line | str, number: int = 0, ranks: Sequence[int] = ()) -> CondensedArticle:
    """Return an article of these lines, the first chosen first, by a publisher of this number."""
    of_lines = [Line(line) if isinstance(line, str) else line for line in lines]
    text = " ".join([HINT, *(line.text for line in of_lines)])
    points = []
    for place, line in enumerate(of_lines):
        start = text.index(line.text)
        point = KeyPoint.from_source(text, start, start + len(line.text))
        points.append(
            replace(
                point,
                role=Role.POINT if line.grade is None else Role.CAVEAT,
                grade=line.grade or Grade.TIED,
                qualifies=line.tied_to,
                kind=line.kind,
                follows=line.above,
                hint=TextSpan(0, len(HINT)) if line.hinted else None,
                rank=ranks[place] if ranks else place,
            )
        )
    article = an_article(
        f"Report {number}",
        text,
        publisher=f"Paper {number}",
        position=number,
        url=f"https://p{number}.example/1",
    )
    return CondensedArticle(article, Summary("keypoints", tuple(points)))


def tied(text: str, to: int, **changes: object) -> Line:
    return replace(Line(text, Grade.TIED, to), **changes)  # type: ignore[arg-type]


def story(text: str, **changes: object) -> Line:
    return replace(Line(text, Grade.STORY), **changes)  # type: ignore[arg-type]


def texts(points: Sequence[StoryPoint]) -> list[str]:
    return [point.text for point in points]


def hints(points: Sequence[StoryPoint]) -> dict[str, str]:
    """Return the points that have hints, with these."""
    return {point.text: point.hint for point in points if point.hint}


# --- grades --------------------------------------------------------------------------------------


def test_a_caveat_of_the_story_stands_last_with_its_kind():
    lead = told(FARES, DEPOT, story(NOT_FINAL, kind=CaveatKind.CONDITIONAL))
    points = merge_key_points([lead, told(FERRIES, number=1)], points=6)
    assert texts(points) == [FARES, DEPOT, FERRIES, NOT_FINAL]
    assert (points[-1].role, points[-1].grade, points[-1].qualifies, points[-1].kind) == (
        Role.CAVEAT,
        Grade.STORY,
        None,
        CaveatKind.CONDITIONAL,
    )


def test_a_context_caveat_keeps_its_place_in_the_text_and_its_grade():
    points = merge_key_points([told(FARES, Line(DOUBTED, Grade.CONTEXT), DEPOT)], points=6)
    assert texts(points) == [FARES, DOUBTED, DEPOT]
    assert (points[1].role, points[1].grade) == (Role.CAVEAT, Grade.CONTEXT)


def test_a_caveat_of_the_story_counts_as_a_line():
    lead = told(FARES, story(NOT_FINAL), DEPOT, FERRIES)
    assert texts(merge_key_points([lead], points=2)) == [FARES, NOT_FINAL]
    assert texts(merge_key_points([lead], points=3)) == [FARES, DEPOT, NOT_FINAL]


def test_a_caveat_of_the_story_waits_until_something_of_its_article_is_shown():
    lead, other = told(FARES, DEPOT), told(story(NOT_FINAL), FERRIES, number=1)
    assert texts(merge_key_points([lead, other], points=2)) == [FARES, DEPOT]
    assert texts(merge_key_points([lead, other], points=4)) == [FARES, DEPOT, FERRIES, NOT_FINAL]


def test_the_caveats_of_a_caveat_of_the_story_wait_with_it():
    other = told(story(NOT_FINAL), tied(DOUBTED, 0), tied("Nobody was asked.", 0), DEPOT, number=1)
    assert texts(merge_key_points([told(FARES, FERRIES), other], points=3)) == [FARES, FERRIES, DEPOT]


def test_a_caveat_of_the_story_stays_if_another_article_says_the_same_as_its_own():
    points = merge_key_points([told(FARES), told(FARES_TOO, story(NOT_FINAL), number=1)], points=3)
    assert texts(points) == [FARES, NOT_FINAL]


def test_a_new_caveat_of_the_story_is_sent_with_the_point_that_the_reader_knows():
    before, now = told(FARES, DEPOT), told(FARES_TOO, DEPOT, story(NOT_FINAL), number=1)
    assert texts(merge_key_points([now], points=4, known=[before])) == [FARES_TOO, NOT_FINAL]
    again = told(FARES_TOO, DEPOT, story(NOT_FINAL), number=2)
    assert merge_key_points([again], points=4, known=[before, now]) == ()


def test_a_new_caveat_is_sent_before_those_that_the_reader_knows():
    before = told(FARES, tied(NOT_FINAL, 0))
    now = told(FARES, tied(NOT_FINAL, 0), tied(DOUBTED, 0), number=1)
    assert texts(merge_key_points([now], points=2, known=[before])) == [FARES, DOUBTED]
    assert texts(merge_key_points([now], points=3, known=[before])) == [FARES, NOT_FINAL, DOUBTED]


def test_a_caveat_that_was_chosen_before_its_point_brings_it():
    lead = told(DEPOT, FERRIES, FARES, tied(NOT_FINAL, 2), ranks=(0, 2, 3, 1))
    assert texts(merge_key_points([lead], points=3)) == [DEPOT, FARES, NOT_FINAL]
    assert texts(merge_key_points([lead], points=4)) == [DEPOT, FERRIES, FARES, NOT_FINAL]


# --- references ----------------------------------------------------------------------------------


def test_a_line_stands_directly_below_the_one_on_which_it_leans_without_a_hint():
    points = merge_key_points([told(FARES, Line(HE_ADDED, above=0, hinted=True), DEPOT)], points=4)
    assert texts(points) == [FARES, HE_ADDED, DEPOT]
    assert (hints(points), points[1].follows) == ({}, 0)


def test_a_line_that_leans_on_another_brings_it():
    lead = told(FARES, Line(HE_ADDED, above=0), DEPOT, ranks=(2, 0, 1))
    assert texts(merge_key_points([lead], points=2)) == [FARES, HE_ADDED]


@pytest.mark.parametrize(("hinted", "shown"), [(True, {HE_ADDED: HINT}), (False, {})])
def test_a_caveat_between_two_lines_leaves_the_second_its_hint_or_nothing(
    hinted: bool, shown: dict[str, str]
):
    lead = told(FARES, tied(NOT_FINAL, 0), Line(HE_ADDED, above=0, hinted=hinted), DEPOT)
    points = merge_key_points([lead], points=6)
    assert hints(points) == shown
    assert (HE_ADDED in texts(points)) is hinted
    assert texts(points)[:2] == [FARES, NOT_FINAL]


def test_a_caveat_of_another_article_does_not_leave_a_line_dangling():
    lead = told(FARES, Line(HE_ADDED, above=0), DEPOT)
    other = told(FARES_TOO, tied(NOT_FINAL, 0), number=1)
    assert texts(merge_key_points([lead, other], points=6)) == [FARES, NOT_FINAL, DEPOT]


def test_of_two_equal_claims_the_one_on_which_others_lean_is_shown():
    leaned_on = told(FARES, Line(HE_ADDED, above=0), number=1)
    assert texts(merge_key_points([told(FARES_TOO), leaned_on], points=6)) == [FARES, HE_ADDED]
    fuller = told(FARES_TOO.replace("voted", "voted, perhaps with 3 exceptions"))
    points = merge_key_points([fuller, leaned_on], points=6)
    assert len(points) == 3
    assert texts(points)[texts(points).index(HE_ADDED) - 1] == FARES


def test_of_two_equal_claims_the_one_that_is_clear_by_itself_is_shown():
    leaning = told(DEPOT, Line("But " + FARES, above=0))
    points = merge_key_points([leaning, told(FERRIES, FARES_TOO, number=1)], points=6)
    assert sorted(texts(points)) == sorted([DEPOT, FARES_TOO, FERRIES])


def test_a_repeated_caveat_on_which_a_line_leans_is_shown_again():
    lead = told(FARES, tied(DOUBTED, 0))
    other = told(DEPOT, tied(DOUBTED, 0), Line(HE_ADDED, above=1), number=1)
    points = merge_key_points([lead, other], points=6)
    assert texts(points) == [FARES, DOUBTED, DEPOT, DOUBTED, HE_ADDED]
    without = told(DEPOT, tied(DOUBTED, 0), number=1)
    assert texts(merge_key_points([lead, without], points=6)) == [FARES, DOUBTED, DEPOT]


def test_a_claim_whose_only_caveat_is_unclear_is_not_shown():
    lead = told(DEPOT, FARES, Line(HE_ADDED), tied(BUT_HE, 1, above=2))
    assert texts(merge_key_points([lead], points=6)) == [DEPOT, HE_ADDED]


def test_a_sentence_that_leans_on_a_known_one_is_sent_with_it_or_with_its_hint():
    before = told(FARES, DEPOT)
    bare = told(FARES, Line(HE_ADDED, above=0), number=1)
    assert texts(merge_key_points([bare], points=4, known=[before])) == [FARES, HE_ADDED]
    apart = told(FARES, DEPOT, Line(HE_ADDED, above=0, hinted=True), number=1)
    points = merge_key_points([apart], points=4, known=[before])
    assert (texts(points), hints(points)) == ([HE_ADDED], {HE_ADDED: HINT})


# --- any story -----------------------------------------------------------------------------------

WORDS = ("harbour", "budget", "pupils", "engine", "orchard", "verdict", "ladder", "museum")
LINES = st.tuples(
    st.sampled_from(["point", "point", "tied", "story", "context"]),
    st.sampled_from([None, None, "above", "far"]),
    st.booleans(),
    st.integers(0, 6),
)
STORIES = st.lists(st.lists(LINES, min_size=1, max_size=6), min_size=1, max_size=3)


def any_article(number: int, drawn: Sequence[tuple[str, str | None, bool, int]]) -> CondensedArticle:
    """Return an article whose sentences say different things, with caveats and references as drawn."""
    lines: list[Line] = []
    for place, (sort, leans, hinted, _) in enumerate(drawn):
        start = "abc"[number] + "uvwxyz"[place]
        text = " ".join(start + word for word in WORDS).capitalize() + "."
        owners = [at for at, line in enumerate(lines) if line.grade is None]
        above = None if leans is None or not place else place - 1 if leans == "above" else 0
        line = Line(text, above=above, hinted=hinted)
        if sort == "tied" and owners:
            line = replace(line, grade=Grade.TIED, tied_to=owners[-1])
        elif sort in {"story", "context"}:
            line = replace(line, grade=Grade(sort))
        lines.append(line)
    order = sorted(range(len(drawn)), key=lambda place: (drawn[place][3], place))
    return told(*lines, number=number, ranks=[order.index(place) for place in range(len(drawn))])


def key_point_of(point: StoryPoint, articles: Sequence[CondensedArticle]) -> KeyPoint:
    (own,) = [one for one in articles if one.article.id == point.article.id]
    return next(key for key in own.summary.key_points if key.start == point.start)


def assert_nothing_dangles(found: Sequence[StoryPoint], articles: Sequence[CondensedArticle]) -> None:
    for index, point in enumerate(found):
        key = key_point_of(point, articles)
        if key.follows is None or point.hint:
            assert point.hint == ("" if key.hint is None else HINT)
            continue
        above = found[index - 1] if index else None
        assert above is not None
        assert above.article.id == point.article.id
        (own,) = [one for one in articles if one.article.id == point.article.id]
        assert above.start == own.summary.key_points[key.follows].start
        assert point.follows == index - 1


@given(STORIES, st.integers(0, 4))
def test_fewer_lines_are_a_part_of_more_lines_and_none_dangles(
    drawn: list[list[tuple[str, str | None, bool, int]]], sent: int
):
    articles = [any_article(number, lines) for number, lines in enumerate(drawn)]
    known = [any_article(number, lines[:sent]) for number, lines in enumerate(drawn[:1]) if sent]
    fewer: set[tuple[str, int]] = set()
    for points in range(9):
        found = merge_key_points(articles, points=points, known=known)
        more = {(point.article.id, point.start) for point in found}
        assert fewer <= more
        assert len(found) <= points or len({point.rank for point in found}) == 1
        assert_nothing_dangles(found, articles)
        fewer = more


@given(STORIES, st.integers(1, 9))
def test_no_claim_loses_its_caveats_and_those_of_the_story_stand_last(
    drawn: list[list[tuple[str, str | None, bool, int]]], points: int
):
    articles = [any_article(number, lines) for number, lines in enumerate(drawn)]
    found = merge_key_points(articles, points=points)
    grades = [point.grade is Grade.STORY and point.role is Role.CAVEAT for point in found]
    assert grades == sorted(grades)
    for index, point in enumerate(found):
        if point.qualifies is not None:
            assert {line.qualifies for line in found[point.qualifies + 1 : index + 1]} == {point.qualifies}
        (own,) = [one for one in articles if one.article.id == point.article.id]
        keys = own.summary.key_points
        place = keys.index(key_point_of(point, articles))
        if any(key.qualifies == place for key in keys):
            assert any(line.qualifies == index for line in found)
        if point.role is Role.CAVEAT and point.grade is Grade.STORY:
            assert any(line.article.id == point.article.id and line is not point for line in found)
