"""Numbers in words, in digits: so that a score sees the toll of "dozens killed"."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.compose.scoring.number_words import ABOUT, in_digits
from service.compose.stories.tolls import find_tolls


@pytest.mark.parametrize(
    ("language", "title", "dead"),
    [
        ("en", "Six killed as coach leaves motorway", 6),
        ("en", "Two dead in shooting", 2),
        ("en", "At least forty-two people died", 42),
        ("en", "Dozens killed in market blast", ABOUT["dozens"]),
        ("en", "Scores dead after ferry sinks", ABOUT["scores"]),
        ("en", "Thousands dead", ABOUT["thousands"]),
        ("de", "Zwei Menschen sterben bei Brand", 2),
        ("de", "Zweiundzwanzig Tote bei Anschlag", 22),
        ("de", "Dutzende Tote bei Anschlag", ABOUT["dozens"]),
        ("fr", "Six personnes tuées", 6),
        ("fr", "Des dizaines de morts", ABOUT["dozens"]),
        ("es", "Mueren dos personas", 2),
        ("es", "Centenares de fallecidos", ABOUT["hundreds"]),
        ("pt", "Duas pessoas morreram", 2),
        ("pt", "Dezenas de mortos", ABOUT["dozens"]),
        ("it", "Cinque operai morti", 5),
        ("it", "Centinaia di morti", ABOUT["hundreds"]),
        ("nl", "Zes doden bij ongeluk", 6),
        ("nl", "Tientallen doden", ABOUT["dozens"]),
        ("ar", "مقتل ستة أشخاص في حادث", 6),
        ("ar", "عشرات القتلى", ABOUT["dozens"]),
        ("ru", "Шесть человек погибли в аварии", 6),
        ("ru", "Десятки человек погибли", ABOUT["dozens"]),
    ],
)
def test_a_toll_in_words_is_found_in_each_language(language: str, title: str, dead: int):
    assert [(toll.kind, toll.value) for toll in find_tolls(in_digits(title, language), language)] == [
        ("dead", dead)
    ]


@pytest.mark.parametrize("title", ["One of the dead was a child", "Weekend traffic", "Well-known victim"])
def test_other_words_stay(title: str):
    assert in_digits(title, "en") == title


def test_a_language_without_a_table_stays():
    assert in_digits("dozens", "ja") == "dozens"


@given(
    st.text(alphabet="0123456789 .,:;-–%$()\u0660", max_size=80), st.sampled_from(["en", "de", "fr", "ar"])
)
def test_what_is_no_word_stays(text, language):
    assert in_digits(text, language) == text
