"""The caps on stories of one publisher or topic among an issue's first stories."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.compose.scoring.caps import (
    LEAST_PUBLISHER_SHARE,
    LEAST_TOPIC_SHARE,
    MOST_LOST,
    CappedKind,
    cap,
    capped_order,
    last_cap,
)

KINDS = st.lists(
    st.builds(CappedKind, st.sampled_from("ABCDE"), st.sampled_from(["x", "y", "z", ""])), max_size=40
)


def capped(given_kinds: Sequence[CappedKind], places: int, scores: Sequence[float] = ()) -> list[int]:
    """Return the order of stories of these kinds, which have equal scores if none are given."""
    return capped_order(given_kinds, scores or [0.0] * len(given_kinds), places)


def kinds(publishers: str, topic: str = "world") -> list[CappedKind]:
    return [CappedKind(publisher, topic) for publisher in publishers]


def test_a_publisher_above_its_cap_moves_behind_the_others():
    assert capped(kinds("AAAABCDE"), 6) == [0, 1, 4, 5, 6, 7, 2, 3]


def test_a_topic_above_its_cap_moves_behind_the_others():
    topics = ["sport"] * 4 + ["world", "science"]
    order = capped([CappedKind(str(n), topic) for n, topic in enumerate(topics)], 4)

    assert order == [0, 1, 4, 5, 2, 3]


def test_stories_behind_the_places_stay_in_order():
    assert capped(kinds("ABCAAAADE"), 3) == list(range(9))


def test_a_newsletter_of_one_publisher_and_topic_keeps_its_order():
    assert capped(kinds("A" * 9), 5) == list(range(9))


def test_stories_without_a_topic_have_no_topic_in_common():
    assert capped([CappedKind(str(n), "") for n in range(8)] + kinds("YZ"), 6) == list(range(10))


@pytest.mark.parametrize(
    ("places", "publishers", "most"),
    [(8, 1, 8), (8, 2, 6), (8, 3, 4), (8, 9, 3), (12, 9, 4), (3, 9, 2), (1, 9, 2)],
)
def test_the_cap_of_a_publisher(places: int, publishers: int, most: int):
    assert cap(places, {str(n) for n in range(publishers)}, LEAST_PUBLISHER_SHARE) == most


def test_a_story_above_a_cap_does_not_wait_for_one_that_scores_much_less():
    given_kinds = kinds("AAABCDEF")
    scores = [9.0, 8.0, 7.0, 7.0 - MOST_LOST - 0.1, 3.0, 2.0, 1.0, 0.0]

    assert capped(given_kinds, 6, scores) == list(range(8))
    assert capped(given_kinds, 6, [9.0, 8.0, 7.0, 7.0 - MOST_LOST, 3.0, 2.0, 1.0, 0.0])[2] == 3


def test_a_publisher_cannot_fill_an_issue_however_much_its_stories_score():
    scores = [90.0 - n for n in range(9)] + [-float(n) for n in range(9)]
    order = capped(kinds("A" * 9 + "BCDEFGHIJ"), 9, scores)

    assert order[:9] == [0, 1, 2, 3, 9, 10, 11, 12, 13]


def test_a_topic_cannot_fill_an_issue_however_much_its_stories_score():
    given_kinds = [CappedKind(str(n), "world" if n < 8 else f"topic {n}") for n in range(16)]
    order = capped(given_kinds, 8, [90.0 - n for n in range(8)] + [-float(n) for n in range(8)])

    assert order[:8] == [0, 1, 2, 3, 4, 5, 8, 9]


SCORES = st.lists(st.floats(-5, 5), min_size=40, max_size=40).map(lambda drawn: sorted(drawn, reverse=True))


@given(KINDS, st.integers(1, 12), SCORES)
def test_each_story_is_placed_once(given_kinds, places, scores):
    assert sorted(capped(given_kinds, places, scores[: len(given_kinds)])) == list(range(len(given_kinds)))


@given(KINDS, st.integers(1, 12), SCORES)
def test_no_story_goes_far_before_one_that_scores_more_but_by_the_last_cap(given_kinds, places, scores):
    order = capped(given_kinds, places, scores[: len(given_kinds)])
    publishers, topics = Counter[str](), Counter[str]()
    most = max(last_cap(places, {one.publisher for one in given_kinds}, LEAST_PUBLISHER_SHARE), 1)
    most_of_topic = max(last_cap(places, {one.topic for one in given_kinds}, LEAST_TOPIC_SHARE), 1)
    for place, index in enumerate(order[:places]):
        for later in order[place:]:
            kind = given_kinds[later]
            is_free = publishers[kind.publisher] < most and topics[kind.topic] < most_of_topic
            assert not is_free or scores[later] - scores[index] <= MOST_LOST
        publishers[given_kinds[index].publisher] += 1
        topics[given_kinds[index].topic] += given_kinds[index].topic != ""


@given(KINDS, st.integers(1, 12))
def test_the_caps_hold_among_equals_while_a_story_below_them_is_left(given_kinds, places):
    order = capped(given_kinds, places)
    most_of_publisher = cap(places, {kind.publisher for kind in given_kinds}, LEAST_PUBLISHER_SHARE)
    most_of_topic = cap(places, {kind.topic for kind in given_kinds}, LEAST_TOPIC_SHARE)
    publishers, topics = Counter[str](), Counter[str]()

    def is_capped(kind: CappedKind) -> bool:
        return publishers[kind.publisher] >= most_of_publisher or topics[kind.topic] >= most_of_topic

    for place, index in enumerate(order[:places]):
        if is_capped(given_kinds[index]):
            assert all(is_capped(given_kinds[later]) for later in order[place:])
        publishers[given_kinds[index].publisher] += 1
        topics[given_kinds[index].topic] += given_kinds[index].topic != ""
