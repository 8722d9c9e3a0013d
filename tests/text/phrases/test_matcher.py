"""PhraseMatcher: which words and phrases a text has."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.text.phrases import PhraseMatcher, StemmedText
from service.text.phrases.stemmed_text import split_words


def finds(phrase: str, text: str, language: str) -> bool:
    return PhraseMatcher([phrase]).matches(text, language) == (phrase,)


@pytest.mark.parametrize(
    ("language", "phrase", "text"),
    [
        ("en", "election", "Early elections called"),
        ("en", "central bank", "Central banks, again"),
        ("en", "covid", "COVID-19 rises"),
        ("en", "men's health", "Men’s health in decline"),
        ("en-GB", "strikes", "The strike goes on"),
        ("de", "Wahl", "Nach den Wahlen"),
        ("de", "strasse", "Die Straße bleibt gesperrt"),
        ("de", "munchen", "In München"),
        ("fr", "election", "L'élection"),
        ("fr", "élection", "Les élections"),
        ("es", "elecciones", "La elección"),
        ("pt-BR", "eleição", "As eleições"),
        ("nb", "valg", "Valget i dag"),
        ("ru", "выборы", "На выборах"),
        ("uk", "вибори", "Після виборів"),
        ("cs", "volby", "Ve volbách"),
        ("sk", "vláda", "Pád vlády"),
        ("hr", "izbori", "Rezultati izbora"),
        ("el", "βουλή", "Στη ΒΟΥΛΗ"),
        ("tr", "seçim", "Seçimlerinde"),
        ("tr", "Irak", "Irak'ta"),
        ("hi", "चुनाव", "चुनावों में"),
        ("ar", "انتخابات", "جرت الانتخابات"),
        ("ar", "الانتخابات", "والانتخابات المقبلة"),
        ("ar", "غزة", "وصل إلى بغزة"),
        ("ar", "إيران", "الايرانية"),
        ("he", "בחירות", "לקראת הבחירות"),
        ("zh", "气候变化", "全球气候变化加剧"),
        ("ja", "気候", "世界の気候変動"),
        ("ja", "ロシア", "ロシア軍が"),
        ("ko", "한국", "한국의 경제"),
        ("th", "ภูมิอากาศ", "การเปลี่ยนแปลงภูมิอากาศ"),
        ("", "Budget", "the budget"),
        ("vi", "kinh tế", "Nền kinh tế"),
    ],
)
def test_a_word_is_found_in_its_other_forms(language: str, phrase: str, text: str):
    assert finds(phrase, text, language)


@pytest.mark.parametrize(
    ("language", "phrase", "text"),
    [
        ("en", "intern", "International aid"),
        ("en", "organ", "The organization"),
        ("en", "news", "A new dam"),
        ("en", "bank", "The banker's bankruptcy"),
        ("en", "central bank", "The central, old bank"),
        ("en", "central bank", "Central\nBank"),
        ("en", "bank central", "A central bank"),
        ("en", "central bank", "Central"),
        ("de", "klima", "Der Klimawandel"),
        ("es", "año", "El ano"),
        ("ja", "アジア", "アジアン"),
        ("zh", "气候变化", "气候的变化"),
        ("ko", "대만", "대"),
        ("", "budget", "budgets"),
        ("en", "!!!", "Wow!!!"),
        ("en", "", "Anything"),
    ],
)
def test_another_word_is_not_found(language: str, phrase: str, text: str):
    assert not finds(phrase, text, language)


@pytest.mark.parametrize(
    ("phrase", "text", "is_found"),
    [
        ("WHO", "The WHO warns", True),
        ("WHO", "Who won, and who lost", False),
        ("US", "U.S. jobs", True),
        ("U.S.", "US jobs", True),
        ("US", "They told us", False),
        ("us", "The US", True),
        ("NATO", "Nato meets", True),
        ("MP", "MPs vote", True),
        ("EU", "EU's budget", True),
        ("US economy", "The US economy", True),
    ],
)
def test_an_acronym_is_not_the_word_with_its_letters(phrase: str, text: str, is_found: bool):
    assert finds(phrase, text, "en") is is_found


def test_phrases_are_returned_once_in_the_order_of_the_list():
    matcher = PhraseMatcher(["storm", "flood", "rain", "storm warning"])
    assert matcher.matches("Floods after storms; storm warning, more storms", "en") == (
        "storm",
        "flood",
        "storm warning",
    )


def test_a_text_in_two_languages_is_read_in_both_and_no_phrase_spans_them():
    text = StemmedText.of([("Die Wahlen", "de"), ("Banks of central", "en"), ("Bank", "en")])
    assert PhraseMatcher(["wahl", "bank", "central bank"]).found_in(text) == ("wahl", "bank")


words = st.text(st.characters(codec="utf-8", categories=["L", "M", "N"]), min_size=1, max_size=12)
languages = st.sampled_from(["", "en", "de", "ar", "he", "zh", "ko", "tr", "el", "uk", "hi", "xx"])


@given(st.lists(words, min_size=1, max_size=4).map(" ".join), languages)
def test_every_phrase_with_a_word_is_found_in_its_own_text(phrase: str, language: str):
    assert finds(phrase, f"Before it {phrase} behind it", language) is bool(list(split_words(phrase)))


@given(st.text(max_size=300), st.text(max_size=20), languages)
def test_no_text_makes_it_fail(text: str, phrase: str, language: str):
    assert set(PhraseMatcher([phrase]).matches(text, language)) <= {phrase}


def test_the_work_grows_with_the_text_and_not_with_the_phrases():
    """A long word, many repeated words and many phrases with one first word end within the test's time."""
    matcher = PhraseMatcher([f"storm {n}" for n in range(50)])
    assert matcher.matches("storm " * 100_000 + "x" * 1_000_000, "en") == ()
    assert matcher.matches("a." * 500_000, "en") == ()
