"""Placeholders mark values that a mail gets when it is sent, and text from outside cannot contain one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.placeholders import (
    CLOSE,
    MARKER,
    OPEN,
    Placeholder,
    PlaceholderValues,
    earlier_issue_url,
    fill,
    name_phrase,
    without_placeholders,
)


def test_every_placeholder_is_found_by_its_marker():
    rendered = " ".join(placeholder.marker for placeholder in Placeholder)

    assert [Placeholder(name) for name in MARKER.findall(rendered)] == list(Placeholder)


def test_an_unknown_name_between_the_characters_is_no_placeholder():
    assert not MARKER.findall(f"{OPEN}password{CLOSE} {OPEN}{CLOSE} {OPEN}name {CLOSE}name{OPEN}")


def test_only_the_named_placeholders_are_filled():
    text = f"{Placeholder.ISSUE_URL.marker} {Placeholder.NAME.marker}"

    assert (
        fill(text, {Placeholder.ISSUE_URL: "https://x.example"})
        == f"https://x.example {Placeholder.NAME.marker}"
    )


def test_a_phrase_with_the_name_is_left_out_for_a_recipient_without_one():
    text = f"4 min{name_phrase(' · for {name}')}"

    assert fill(text, {Placeholder.NAME: "Amina"}) == "4 min · for Amina"
    assert fill(text, {Placeholder.NAME: ""}) == "4 min"
    assert fill(text, {Placeholder.ADDRESS: "a@example.org"}) == text


def test_the_page_of_an_earlier_issue_is_filled_in_by_its_id():
    text = f"first in {earlier_issue_url('a1')}, now {Placeholder.ISSUE_URL.marker}"

    assert fill(text, {}) == text
    assert fill(
        text, {Placeholder.ISSUE_URL: "https://x.example/now"}, issue_url="https://x.example/{}".format
    ) == ("first in https://x.example/a1, now https://x.example/now")


@pytest.mark.parametrize("strange", ["", "a/../b", "a b", 'a"', "é", "a" * 65])
def test_a_strange_id_of_an_issue_makes_no_placeholder(strange: str):
    assert not MARKER.search(earlier_issue_url(strange))


def test_an_unknown_placeholder_has_no_value():
    with pytest.raises(KeyError):
        PlaceholderValues({Placeholder.NAME: "Amina"})["password"]


@given(st.lists(st.one_of(st.sampled_from([OPEN, CLOSE, *Placeholder]), st.text())).map("".join))
def test_text_from_outside_contains_no_placeholder(text: str):
    assert not MARKER.search(without_placeholders(text))


@given(st.text(st.characters(exclude_characters=OPEN + CLOSE)))
def test_text_without_the_two_characters_is_unchanged(text: str):
    assert without_placeholders(text) == text
