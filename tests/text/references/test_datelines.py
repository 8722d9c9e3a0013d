"""Datelines in front of the first words of a report."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.text.references.datelines import MAX_DATELINE_CHARACTERS, dateline_end


def rest_of(text: str, *, is_first: bool = True) -> str:
    return text[dateline_end(text, 0, len(text), is_first=is_first) :]


def test_a_place_alone_is_a_dateline_only_in_the_first_sentence():
    assert rest_of("Berlin – The senate voted.") == "The senate voted."
    assert rest_of("Berlin – The senate voted.", is_first=False) == "Berlin – The senate voted."


def test_a_place_in_capitals_is_a_dateline_in_any_sentence():
    text = "A ferry sank. OSLO — The senate voted."
    start = text.index("OSLO")
    assert text[dateline_end(text, start, len(text), is_first=False) :] == "The senate voted."


@pytest.mark.parametrize(
    "text",
    [
        "Berlin – die Hauptstadt – wählt.",
        "Berlin – The capital – votes.",
        "A long name of a place in the north – The senate voted.",
        "COVID-19 is back.",
        "OSLO —",
        "",
    ],
)
def test_a_sentence_without_a_dateline_stays(text: str):
    assert rest_of(text) == text


@given(st.text(alphabet="AB a(),.-–—19\n", max_size=60))
def test_a_dateline_is_short_and_leaves_words(text: str):
    end = dateline_end(text, 0, len(text), is_first=True)
    assert 0 <= end <= MAX_DATELINE_CHARACTERS
    assert end == 0 or text[end:].strip()
