"""Sayings: two sentences are one, or contradict each other, or have nothing to do with each other."""

from __future__ import annotations

import pytest

from service.condense.sayings import Relation, relation, saying_of

PAIRS = [
    (
        "The harbour board agreed on Sunday to pay the ferry crews for night crossings.",
        "The ferry crews will be paid for night crossings, the harbour board agreed on Sunday.",
        Relation.SAME,
    ),
    (
        "A storm killed twelve sailors off the northern coast on Friday.",
        "A storm killed nine sailors off the northern coast on Friday.",
        Relation.AGAINST,
    ),
    (
        "A storm killed 12 sailors off the northern coast on Friday.",
        "A storm killed twelve sailors off the northern coast on Friday.",
        Relation.SAME,
    ),
    (
        "The harbour board agreed to pay the ferry crews.",
        "The harbour board did not agree to pay the ferry crews.",
        Relation.AGAINST,
    ),
    (
        "The harbour board agreed to pay the ferry crews for night crossings.",
        "The ferries carry nine hundred people a day.",
        Relation.OTHER,
    ),
    (
        "On Monday Norway said the fishing quota talks would resume.",
        "On Monday Iceland said the fishing quota talks had failed for good this year.",
        Relation.OTHER,
    ),
    ("Profits rose.", "Profits fell.", Relation.OTHER),
    ("Wait.", "Wait.", Relation.SAME),
]


@pytest.mark.parametrize(("one", "other", "expected"), PAIRS)
def test_words_numbers_names_and_a_not_decide(one: str, other: str, expected: Relation):
    assert relation(saying_of(one, "en"), saying_of(other, "en")) is expected
    assert relation(saying_of(other, "en"), saying_of(one, "en")) is expected


@pytest.mark.parametrize("text", ["", ".", "\ud800", "5", "1,000.", "他", "a" * 2_000])
def test_scraps_say_something_too(text: str):
    assert relation(saying_of(text, "en"), saying_of(text, "en")) is Relation.SAME


def test_a_language_without_word_lists_is_compared_by_its_words():
    one = "Burza zabiła dwunastu marynarzy na północnym wybrzeżu"
    other = "Na północnym wybrzeżu burza zabiła dwunastu marynarzy"
    assert relation(saying_of(one, "pl"), saying_of(other, "pl")) is Relation.SAME
