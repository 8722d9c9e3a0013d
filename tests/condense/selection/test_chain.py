"""Chain: one order of lines for every length, the best set first, and nothing without what it requires."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.condense.selection.chain import NEVER, ChainPool, first_lines, grow_lines, max_words, order_lines


def choose_lines(pool: ChainPool, points: int, openings: Sequence[int] = ()) -> list[int]:
    """Return the lines of so many points."""
    return first_lines(order_lines(pool, openings), points)


def a_pool(
    worth: list[float],
    *,
    first: list[float] | None = None,
    pairs: dict[tuple[int, int], float] | None = None,
    words: list[int] | None = None,
    requires: set[tuple[int, int]] | None = None,
) -> ChainPool:
    """Return a pool; `requires` lists (line, what it requires), to which what follows from it is added."""
    count = len(worth)
    pair_worth, needs = np.zeros((count, count)), np.zeros((count, count), dtype=np.bool_)
    for pair, value in (pairs or {}).items():
        pair_worth[pair] = value
    for pair in requires or ():
        needs[pair] = True
    for _ in range(count):
        needs |= needs @ needs
    np.fill_diagonal(needs, val=False)
    first_worth = np.array(worth if first is None else first, dtype=np.float64)
    counts = np.array(words or [20] * count)
    no_pairs, places = np.zeros((count, count)), np.arange(count)
    return ChainPool(np.array(worth), pair_worth, first_worth, no_pairs, counts, needs, places)


def lines_of(pool: ChainPool, points: int, openings: tuple[int, ...] = ()) -> list[int]:
    chosen = choose_lines(pool, points, openings)
    if points <= 6:
        return chosen
    assert chosen == list(dict.fromkeys(chosen))
    order = [*chosen, *(k for k in range(len(pool.worth)) if k not in chosen)]
    at = np.ix_(order, order)
    grown = ChainPool(
        pool.worth[order],
        pool.pair_worth[at],
        pool.first_worth[order],
        pool.first_pair_worth[at],
        pool.word_counts[order],
        pool.requires[at],
        pool.places[order],
    )
    return [order[k] for k in grow_lines(grown, len(chosen), points)]


def test_the_best_set_has_the_highest_worth_within_its_words():
    words = [60, 80, 30, 50]
    assert set(choose_lines(a_pool([0.9, 0.8, 0.5, 0.4], words=words), 6)) == {0, 2, 3}
    pool = a_pool([0.9, 0.8, 0.5, 0.4], words=[60, 90, 30, 90], pairs={(0, 3): 0.7})
    assert set(choose_lines(pool, 6)) == {0, 3}


def test_a_line_of_more_words_than_allowed_is_shown_alone():
    assert choose_lines(a_pool([0.9], words=[400]), 6) == [0]
    assert choose_lines(a_pool([]), 6) == []


def test_the_first_three_lines_tell_most_of_the_news():
    worth, first = [0.9, 0.8, 0.7, 0.6, 0.5, 0.4], [0.1, 0.2, 0.9, 0.1, 0.8, 0.7]
    pool = a_pool(worth, first=first)
    assert choose_lines(pool, 3) == [2, 4, 5]
    assert choose_lines(pool, 6) == [2, 4, 5, 0, 1, 3]


def test_what_a_line_requires_enters_before_it():
    pool = a_pool([0.9, 0.2, 0.5], requires={(0, 1)})
    order = choose_lines(pool, 6)
    assert order.index(1) < order.index(0)
    assert 0 not in choose_lines(pool, 1)


def test_lines_that_require_each_other_enter_together():
    pool = a_pool([0.9, 0.8, 0.5, 0.4, 0.3], requires={(0, 1), (1, 0)})
    assert choose_lines(pool, 1) == [2]
    assert choose_lines(pool, 2) == [2]
    assert set(choose_lines(pool, 3)) == {0, 1, 2}
    assert choose_lines(a_pool([0.9, 0.8], requires={(0, 1), (1, 0)}), 1) == [0]


def test_lines_that_share_a_sentence_are_not_chosen_together():
    pool = a_pool([0.9, 0.8, 0.5], pairs={(0, 1): NEVER})
    assert choose_lines(pool, 6) == [0, 2]
    assert lines_of(pool, 12) == [0, 2]


def test_an_opening_enters_first_if_the_best_set_has_it():
    pool = a_pool([0.9, 0.8, 0.3, 0.2], requires={(2, 3)})
    assert choose_lines(pool, 6, (2,))[:2] == [3, 2]
    crowded = a_pool([0.9] * 6 + [0.1] * 2, requires={(6, 7)})
    assert choose_lines(crowded, 6, (6,)) == choose_lines(crowded, 6)


@pytest.mark.parametrize(("points", "words"), [(1, 150), (6, 150), (7, 180), (12, 330)])
def test_the_limit_of_words_grows_after_six_lines(points: int, words: int):
    assert max_words(points) == words


@st.composite
def pools(draw: st.DrawFn) -> ChainPool:
    count = draw(st.integers(1, 12))
    worth = draw(st.lists(st.floats(-0.2, 1), min_size=count, max_size=count))
    first = draw(st.lists(st.floats(0, 1), min_size=count, max_size=count))
    words = draw(st.lists(st.integers(5, 70), min_size=count, max_size=count))
    places = st.integers(0, count - 1)
    requires = draw(st.sets(st.tuples(places, places), max_size=3))
    pairs = draw(st.dictionaries(st.tuples(places, places), st.floats(-0.5, 0.5), max_size=6))
    return a_pool(worth, first=first, words=words, requires=requires, pairs=pairs)


@given(pools(), st.lists(st.integers(0, 11), max_size=2))
def test_the_lines_of_any_length_are_among_those_of_the_next(pool: ChainPool, openings: list[int]):
    before: list[int] = []
    for points in range(1, 13):
        lines = lines_of(pool, points, tuple(one for one in openings if one < len(pool.worth)))
        assert len(lines) <= points
        assert lines[: len(before)] == before or set(before) <= set(lines)
        if len(lines) > 1:
            assert pool.word_counts[lines].sum() <= max_words(points) or len(before) == len(lines)
        if points > 1 and len(lines) > 1:
            required = {int(k) for one in lines for k in np.flatnonzero(pool.requires[one])}
            assert required <= set(lines)
        before = lines
