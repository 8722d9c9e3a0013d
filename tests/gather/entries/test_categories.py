"""Which topics the categories of an item give it, and which mapping is proposed."""

from __future__ import annotations

import pytest

from service.gather.entries.categories import (
    MAX_PROPOSED,
    count_categories,
    mapped_topics,
    propose_mapping,
)

MAPPING = (("business", "economy"), ("world news", "world"), ("world news/africa", "africa"), ("a/b", "c"))


@pytest.mark.parametrize(
    ("category", "topics"),
    [
        ("Business", ("economy",)),
        ("  BUSINESS ", ("economy",)),
        ("Business news", ()),
        ("World news/Africa", ("world", "africa")),
        ("World news > Europe", ("world",)),
        ("Top/Business", ("economy",)),
        ("A/B", ("c",)),
        ("", ()),
        ("/", ()),
    ],
)
def test_a_category_and_each_of_its_levels_can_be_mapped(category: str, topics: tuple[str, ...]):
    assert mapped_topics(MAPPING, [category]) == topics


def test_two_categories_of_one_topic_give_it_once():
    assert mapped_topics((("a", "x"), ("b", "x")), ["A", "B"]) == ("x",)


def test_categories_are_counted_once_an_item_and_spelled_as_at_first():
    items = [["Sport", "sport"], ["SPORT", "World"], [], ["Sport"]]
    assert count_categories(items) == [("Sport", 3), ("World", 1)]


def test_the_proposal_names_known_topics_or_the_category_itself():
    counted = [("Business", 9), ("The Economies of Asia", 5), ("Sport", 2)]
    assert propose_mapping(counted, [("business", "economy")], ["economy", "world"]) == {
        "The Economies of Asia": "economy",
        "Sport": "sport",
    }


def test_the_proposal_is_short():
    assert len(propose_mapping([(f"c{n}", 1) for n in range(50)], (), ())) == MAX_PROPOSED
