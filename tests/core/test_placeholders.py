"""Places mark where a recipient's own values go, and text from outside cannot open one."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from service.core.placeholders import CLOSE, MARKER, OPEN, Placeholder, without_placeholders


def test_every_place_is_found_by_its_mark_and_named():
    rendered = " ".join(place.marker for place in Placeholder)

    assert [Placeholder(name) for name in MARKER.findall(rendered)] == list(Placeholder)


def test_a_name_that_is_no_place_opens_nothing():
    assert not MARKER.findall(f"{OPEN}password{CLOSE} {OPEN}{CLOSE} {OPEN}name {CLOSE}name{OPEN}")


@given(st.lists(st.one_of(st.sampled_from([OPEN, CLOSE, *Placeholder]), st.text())).map("".join))
def test_text_from_outside_opens_no_place(text: str):
    assert not MARKER.search(without_placeholders(text))


@given(st.text(st.characters(exclude_characters=OPEN + CLOSE)))
def test_text_without_the_two_characters_is_left_as_it_is(text: str):
    assert without_placeholders(text) == text
