"""Fault isolation: damaged articles are reported and left out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.compose.fault_isolation import MAX_DAMAGED_ARTICLES, error_text, read_undamaged, unmerged_points
from service.core.errors import StoreError
from service.core.model import CondensedArticle, Grade, KeyPoint, Role, Summary
from tests.builders import an_article


def a_record(last: int, damaged: set[int]) -> Callable[[int, int], object]:
    async def read(after: int, through: int) -> Sequence[int]:
        there = range(after + 1, min(through, last) + 1)
        if damaged & set(there):
            raise ValueError("torn")
        return there

    return read


@given(st.integers(0, 40), st.integers(0, 40), st.sets(st.integers(1, 40), max_size=MAX_DAMAGED_ARTICLES))
async def test_everything_undamaged_is_read_in_order(after: int, last: int, damaged: set[int]):
    problems: list[str] = []
    found = await read_undamaged(a_record(last, damaged), after, 40, problems.append)

    torn = sorted(place for place in damaged if after < place <= last)
    assert found == [place for place in range(after + 1, last + 1) if place not in damaged]
    assert problems == [f"the article at position {n} cannot be read, torn; it is left out" for n in torn]


async def test_many_damaged_articles_are_an_error():
    with pytest.raises(ValueError, match="torn"):
        await read_undamaged(a_record(40, set(range(1, 40))), 0, 40, print)


async def test_a_lost_database_raises_at_once():
    async def read(_after: int, _through: int) -> Sequence[int]:
        raise StoreError("lost")

    with pytest.raises(StoreError):
        await read_undamaged(read, 0, 40, print)


@pytest.mark.parametrize(("points", "shown"), [(9, 4), (4, 4), (3, 1), (2, 1), (1, 1), (0, 0)])
def test_unmerged_points_keep_their_caveats(points: int, shown: int):
    text = "One. Two. But. Yet."
    keys = [KeyPoint.from_source(text, 0, 4), KeyPoint.from_source(text, 5, 9)]
    keys += [KeyPoint.from_source(text, n, n + 4, Role.CAVEAT, 1) for n in (10, 15)]
    article = CondensedArticle(an_article(text=text), Summary("lead", tuple(keys)))

    assert [point.text for point in unmerged_points(article, points)] == [key.text for key in keys[:shown]]


def test_unmerged_points_do_not_dangle_and_those_of_the_story_come_last():
    text = "One. He. Two. He. But."
    one, he, two, he_too = (KeyPoint.from_source(text, *span) for span in ((0, 4), (5, 8), (9, 13), (14, 17)))
    story = replace(KeyPoint.from_source(text, 18, 22, Role.CAVEAT), grade=Grade.STORY)
    keys = (story, one, replace(he, follows=1), two, replace(he_too, follows=1))
    article = CondensedArticle(an_article(text=text), Summary("lead", keys))

    assert [point.text for point in unmerged_points(article, 9)] == ["One.", "He.", "Two.", "But."]
    assert [point.text for point in unmerged_points(article, 3)] == ["One.", "He.", "But."]
    assert [point.text for point in unmerged_points(article, 1)] == ["One."]


def test_an_error_without_a_message_has_its_class_name():
    assert (error_text(ValueError("torn")), error_text(ZeroDivisionError())) == ("torn", "ZeroDivisionError")
