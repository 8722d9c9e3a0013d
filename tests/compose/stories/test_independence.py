"""Independent publishers: those with texts of their own."""

from __future__ import annotations

from dataclasses import replace

import pytest

from service.compose.stories.independence import count_independent_publishers, is_copy, shingles
from tests.builders import an_article
from tests.compose.reports import a_report


def test_two_publishers_with_texts_of_their_own_count_twice():
    assert count_independent_publishers([a_report(0), a_report(1)]) == 2


@pytest.mark.parametrize(
    "changes",
    [{"publisher": "paper 0 "}, {"url": "https://www.paper-0.example/world/9"}],
)
def test_two_feeds_of_one_publisher_count_once(changes: dict[str, str]):
    assert count_independent_publishers([a_report(0), replace(a_report(1), **changes)]) == 1


def test_the_text_of_an_agency_counts_once():
    agency = a_report(0, publisher="Agency")
    shortened = agency.text[: len(agency.text) * 2 // 3]
    copies = [
        agency,
        a_report(0, publisher="Morning Post"),
        replace(a_report(0, publisher="Evening Post"), text=shortened + " Our reporter was there."),
    ]
    assert count_independent_publishers(copies) == 1
    assert count_independent_publishers([*copies, a_report(1)]) == 2


def test_a_copy_of_two_texts_joins_them():
    own = a_report(1, publisher="Morning Post")
    assert (
        count_independent_publishers(
            [own, a_report(0, publisher="Agency"), a_report(0, publisher="Morning Post")]
        )
        == 1
    )


def test_short_texts_are_copies_only_if_equal():
    one, same, other = (
        an_article(title, "") for title in ("Harbour open", "Harbour open", "Harbour open again")
    )
    assert is_copy(shingles(one), shingles(same))
    assert not is_copy(shingles(one), shingles(other))


def test_no_article_and_one_article_are_counted():
    assert count_independent_publishers([]) == 0
    assert count_independent_publishers([an_article("\ud800", "\0")]) == 1
