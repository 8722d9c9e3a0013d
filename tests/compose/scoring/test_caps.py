"""The caps on stories of one publisher or topic among an issue's first stories."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.compose.scoring.caps import (
    LEAST_PUBLISHER_SHARE,
    LEAST_TOPIC_SHARE,
    CappedKind,
    cap,
    capped_order,
)

KINDS = st.lists(
    st.builds(CappedKind, st.sampled_from("ABCDE"), st.sampled_from(["x", "y", "z", ""])), max_size=40
)


def kinds(publishers: str, topic: str = "world") -> list[CappedKind]:
    return [CappedKind(publisher, topic) for publisher in publishers]


def test_a_publisher_above_its_cap_moves_behind_the_others():
    assert capped_order(kinds("AAAABCDE"), 6) == [0, 1, 4, 5, 6, 7, 2, 3]


def test_a_topic_above_its_cap_moves_behind_the_others():
    topics = ["sport"] * 4 + ["world", "science"]
    order = capped_order([CappedKind(str(n), topic) for n, topic in enumerate(topics)], 4)

    assert order == [0, 1, 4, 5, 2, 3]


def test_stories_behind_the_places_stay_in_order():
    assert capped_order(kinds("ABCAAAADE"), 3) == list(range(9))


def test_a_newsletter_of_one_publisher_and_topic_keeps_its_order():
    assert capped_order(kinds("A" * 9), 5) == list(range(9))


def test_stories_without_a_topic_have_no_topic_in_common():
    assert capped_order([CappedKind(str(n), "") for n in range(8)] + kinds("YZ"), 6) == list(range(10))


@pytest.mark.parametrize(
    ("places", "publishers", "most"),
    [(8, 1, 8), (8, 2, 6), (8, 3, 4), (8, 9, 3), (12, 9, 4), (3, 9, 2), (1, 9, 2)],
)
def test_the_cap_of_a_publisher(places: int, publishers: int, most: int):
    assert cap(places, {str(n) for n in range(publishers)}, LEAST_PUBLISHER_SHARE) == most


@given(KINDS, st.integers(1, 12))
def test_each_story_is_placed_once(given_kinds, places):
    assert sorted(capped_order(given_kinds, places)) == list(range(len(given_kinds)))


@given(KINDS, st.integers(1, 12))
def test_the_caps_hold_while_a_story_below_them_is_left(given_kinds, places):
    order = capped_order(given_kinds, places)
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
