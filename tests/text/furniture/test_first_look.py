"""The first look refuses only lines that the rules refuse too."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.text.furniture.first_look import _may_be_furniture, can_be_furniture
from service.text.furniture.rules import is_furniture_outside_quotations
from service.text.furniture.words import is_unspaced, phrases
from tests.text.furniture.lines import known_lines

PHRASES = [("" if is_unspaced(phrase[0]) else " ").join(phrase) for phrase in phrases()]
PIECES = st.one_of(
    st.sampled_from(PHRASES),
    st.sampled_from(PHRASES).map(str.capitalize),
    st.sampled_from(["Tarn", "ferry", "24", "09:30", "2026", "Petra Lund", "@tarn", "www.tarn.example", "©"]),
    st.sampled_from([".", ":", ",", "|", "–", "?", "/"]),
)
MARKED_WORDS = st.one_of(
    st.sampled_from("  \n\x1c\xa0\0_.:/|»[(©@'-’ـ"),
    st.sampled_from(["İ", "ß", "e\u0301", "हिन्दी", "한국", "港", "\u200b", "c)", "com", "www", "1999"]),
    st.sampled_from(["our", "us", "Read", "Photo", "subscribe", "by", "BY", "ferry", "sank", "Lund", "May"]),
)


LINES = [*known_lines("lines.txt"), *known_lines("later_lines.txt")]


@pytest.mark.parametrize("line", [line.text for line in LINES if line.is_furniture and not line.is_mistaken])
def test_furniture_passes(line: str):
    assert can_be_furniture(line)


@given(st.lists(PIECES, min_size=1, max_size=7).map(" ".join))
def test_whatever_the_rules_accept_passes(line: str):
    assert can_be_furniture(line) or not is_furniture_outside_quotations(line, line)


@given(
    st.one_of(st.lists(PIECES, max_size=30).map(" ".join), st.lists(MARKED_WORDS, max_size=9).map("".join))
)
def test_the_look_at_single_tokens_says_the_same_as_that_at_the_line(line: str):
    assert can_be_furniture(line) == _may_be_furniture(line)


@pytest.mark.parametrize(
    "line",
    [
        "“The ferry is late,” subscribe to our briefing to hear why.",
        "Is the ferry late? Subscribe to our briefing.",
        "The ferry is late » subscribe to our briefing.",
    ],
)
def test_an_invitation_passes_where_a_clause_may_begin(line: str):
    assert can_be_furniture(line)


def test_our_is_no_invitation_without_an_imperative_at_the_start_of_a_clause():
    assert not can_be_furniture("The minister said that our ports would follow the plan and read the report.")


@pytest.mark.parametrize(
    "line",
    [
        "The harbour board approved a ferry line to Ostrel on Tuesday, after two years of talks.",
        "Der Hafenrat hat am Dienstag die Fähre nach Ostrel genehmigt.",
        "Le conseil du port a approuvé mardi la ligne de ferry vers Ostrel.",
        "Совет порта одобрил во вторник паромную линию на Острел.",
    ],
)
def test_most_sentences_do_not(line: str):
    assert not can_be_furniture(line)
