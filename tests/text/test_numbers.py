"""The numbers and times of day in a sentence."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.text.numbers import extract_numbers, extract_times, parse_number, remove_times, times_match

TIMES = [
    ("The fire broke out at about 3:20 a.m. in silo 6.", {200}, {"6"}),
    ("The roof came off shortly before half past three in the morning.", {210}, set()),
    ("Um 15.20 Uhr fuhren 12 Wagen aus.", {200}, {"12"}),
    ("It began at quarter to nine and ended at 9 p.m.", {525, 540}, set()),
    ("Rates stay at 4.25 per cent, after 2:1 votes.", set(), {"4.25", "2", "1"}),
    ("At 10:30 on Monday 1,200 people had come.", {630}, {"1200"}),
    ("Half past caring, she said.", set(), set()),
    ("In 2019 three died, in 2024 none.", set(), {"2019", "2024", "3"}),
    ("قتل ٤١ شخصا و٣٫٥ في المئة من ١٬٢٠٠", set(), {"41", "3.5", "1200"}),
]


@pytest.mark.parametrize(("text", "times", "numbers"), TIMES)
def test_times_of_day_are_not_numbers(text: str, times: set[int], numbers: set[str]):
    assert extract_times(text) == times
    assert extract_numbers(remove_times(text)) == numbers


@pytest.mark.parametrize(
    ("one", "other", "match"),
    [
        ({200}, {210}, True),
        ({200}, {230}, False),
        ({715}, {5}, True),
        (set(), {5}, True),
        ({5}, set(), False),
    ],
)
def test_times_up_to_a_quarter_of_an_hour_apart_match(one: set[int], other: set[int], match: bool):
    assert times_match(frozenset(one), frozenset(other)) is match


@pytest.mark.parametrize(
    ("word", "number"), [("twelve,", "12"), ("1,400", "1400"), ("2019", ""), ("one", "")]
)
def test_years_are_not_counts(word: str, number: str):
    assert parse_number(word) == number


@given(st.text())
def test_extraction_survives_any_text(text: str):
    assert all(0 <= time < 720 for time in extract_times(text))
    assert "" not in extract_numbers(remove_times(text))
