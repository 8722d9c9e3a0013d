"""Tolls: what a number in a sentence counts, in many languages, and which numbers are no tolls."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.compose.stories import tolls as module
from service.compose.stories.tolls import KINDS, MAX_CHARACTERS, find_tolls

TABLES = tomllib.loads(Path(module.__file__).with_suffix(".toml").read_text(encoding="utf-8"))


def tolls(text: str, language: str = "en") -> list[tuple[str, int, str]]:
    """Return the kind, the value and the words of each toll."""
    return [(one.kind, one.value, text[one.start : one.end]) for one in find_tolls(text, language)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("44 dead as dam breaks", "44"),
        ("At least 44 people were killed when the dam broke.", "At least 44"),
        ("The blast killed more than 44.", "more than 44"),
        ("A landslide, killing at least 44 and burying a road", "at least 44"),
        ("The death toll from Tuesday's quake has risen to at least 44, officials said.", "at least 44"),
        ("Rescuers found 3 more bodies, bringing the number of dead to 44.", "44"),
    ],
)
def test_a_toll_is_found_before_and_after_its_word(text: str, words: str):
    assert tolls(text) == [("dead", 44, words)]


def test_each_number_has_the_kind_of_its_own_word():
    assert tolls("Kessary dam: 44 dead, 1,200 injured, nine missing") == [
        ("dead", 44, "44"),
        ("injured", 1200, "1,200"),
        ("missing", 9, "nine"),
    ]
    assert tolls("The storm killed 44 and injured 120 in three villages.") == [
        ("dead", 44, "44"),
        ("injured", 120, "120"),
    ]
    assert tolls("The number of injured rose to 120") == [("injured", 120, "120")]


@pytest.mark.parametrize(
    "text",
    [
        "Anna Lund, 44, was killed on 29 November.",
        "A 44-year-old man was killed at 5 p.m. on Monday.",
        "Two days after the killing, 3,500 homes lost power.",
        "Deaths fell by 44% and 2.5 million lives were saved.",
        "More than a week after the August 9 death of Michael Brown.",
        "He died in 2024 and left $44 million.",
        "Ten homes burned; nobody was killed.",
        "The team scored 44 points.",
        "One in five children lives in poverty.",
        "All on board Flight QZ8501 were killed.",
        "",
    ],
)
def test_ages_dates_money_and_lengths_of_time_are_no_tolls(text: str):
    assert tolls(text) == []


@pytest.mark.parametrize(
    ("language", "text", "words"),
    [
        ("de", "Mindestens 44 Menschen kamen bei dem Erdbeben ums Leben.", "Mindestens 44"),
        ("de", "Zahl der Toten steigt auf 44", "44"),
        ("fr", "Au moins 44 personnes ont été tuées", "Au moins 44"),
        ("fr", "Le bilan passe à 44 morts", "44"),
        ("es", "Al menos 44 personas murieron en el terremoto", "Al menos 44"),
        ("it", "Almeno 44 morti nel crollo", "Almeno 44"),
        ("pt", "Pelo menos 44 pessoas morreram", "Pelo menos 44"),
        ("nl", "Zeker 44 mensen zijn bij een aardbeving om het leven gekomen", "Zeker 44"),
        ("sv", "Minst 44 döda i jordbävning", "Minst 44"),
        ("pl", "Co najmniej 44 osoby zginęły", "Co najmniej 44"),
        ("ru", "Не менее 44 человек погибли при землетрясении", "Не менее 44"),
        ("ru", "Число погибших выросло до 44", "44"),
        ("uk", "Щонайменше 44 людини загинули", "Щонайменше 44"),
        ("tr", "Depremde en az 44 kişi öldü", "en az 44"),
        ("ar", "مقتل ٤٤ شخصا في زلزال", "٤٤"),
        ("ar", "ارتفعت حصيلة القتلى إلى 44", "44"),
        ("he", "לפחות 44 הרוגים ברעידת אדמה", "לפחות 44"),
        ("hi", "भूकंप में कम से कम 44 लोगों की मौत", "कम से कम 44"),
        ("ja", "地震で少なくとも44人が死亡した。", "少なくとも44"),
        ("ja", "死者は44人に増えた", "44"),
        ("zh", "地震造成至少44人死亡", "至少44"),
        ("zh", "死亡人数升至44人", "44"),
        ("ko", "지진으로 최소 44명이 숨졌다", "최소 44"),
    ],
)
def test_tolls_of_many_languages(language: str, text: str, words: str):
    assert tolls(text, language) == [("dead", 44, words)]


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("de", "44 Menschen starben, 120 wurden verletzt"),
        ("ko", "44명이 숨지고 120명이 다쳤다"),
        ("ja", "44人が死亡、120人が負傷した"),
        ("zh", "44人死亡，120人受伤"),
        ("tr", "44 kişi öldü, 120 kişi yaralandı"),
        ("ar", "مقتل 44 شخصا وإصابة 120 آخرين"),
    ],
)
def test_the_dead_are_not_the_injured(language: str, text: str):
    assert [(kind, value) for kind, value, _ in tolls(text, language)] == [("dead", 44), ("injured", 120)]


def test_who_lives_is_not_counted_as_dead():
    assert tolls("44 Menschen leben in dem Dorf.", "de") == []
    assert tolls("44 mensen leven in armoede.", "nl") == []
    assert tolls("44 Menschen kamen ums Leben.", "de") == [("dead", 44, "44")]


@pytest.mark.parametrize("language", TABLES)
def test_every_word_of_the_tables_makes_a_number_a_toll(language: str):
    for kind in KINDS:
        for entry in TABLES[language][kind].split():
            words = entry.replace("_", " ").rstrip("*")
            assert kind in {found for found, _, _ in tolls(f"44 {words}", language)}, words
    for entry in TABLES[language]["toll"].split():
        assert tolls(f"{entry.rstrip('*')} 44", language), entry


def test_a_language_without_words_has_no_tolls():
    assert tolls("44 dead", "xx") == tolls("44 dead", "") == []


def test_a_text_longer_than_a_sentence_has_no_tolls():
    assert tolls("44 dead" + " " * MAX_CHARACTERS) == []


@given(
    st.text(max_size=60) | st.text("1.,' dead死者人killed-:€", max_size=60),
    st.sampled_from(["en", "zh", "ar"]),
)
def test_any_text_gives_tolls_inside_it(text: str, language: str):
    for one in find_tolls(text, language):
        assert 0 <= one.start < one.end <= len(text)
        assert one.value >= 0
