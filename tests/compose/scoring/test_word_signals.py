"""What the words of a headline say of its weight."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.compose.scoring.word_signals import NO_SIGNALS, SIGNALS, word_signals


@pytest.mark.parametrize(
    ("language", "title"),
    [
        ("en", "Ferry sinks off the coast, dozens feared drowned"),
        ("de", "Explosion in Chemiewerk, Anwohner evakuiert"),
        ("fr", "Un séisme frappe la côte, des victimes sous les décombres"),
        ("es", "Un incendio en un hospital deja heridos"),
        ("pt", "Enchente no sul deixa desaparecidos"),
        ("it", "Frana sulla ferrovia, si cercano dispersi"),
        ("nl", "Explosie in flat, bewoners gewond"),
        ("ar", "زلزال يضرب الساحل وسقوط ضحايا"),
        ("ru", "Взрыв на заводе, есть пострадавшие"),
    ],
)
def test_harm_is_seen_in_each_language(language: str, title: str):
    signals = word_signals(title, "", language)

    assert signals["harm"] >= 0.5
    assert signals["harm"] > signals["soft"]


@pytest.mark.parametrize(
    ("language", "title"),
    [
        ("en", "Parliament passes budget by two votes"),
        ("de", "Bundestag beschließt Haushalt"),
        ("fr", "L'Assemblée adopte le budget"),
        ("es", "El Senado aprueba la reforma de las pensiones"),
        ("pt", "Senado aprova reforma das pensões"),
        ("it", "Il Senato approva la manovra"),
        ("nl", "Tweede Kamer stemt in met begroting"),
        ("ar", "البرلمان يقر الميزانية"),
        ("ru", "Парламент принял бюджет"),
    ],
)
def test_public_affairs_are_seen_in_each_language(language: str, title: str):
    assert word_signals(title, "", language)["affairs"] >= 0.5


@pytest.mark.parametrize(
    ("language", "title"),
    [
        ("en", "Horoscope for Tuesday"),
        ("de", "Ihr Horoskop für Dienstag"),
        ("fr", "L'horoscope de mardi"),
        ("es", "Horóscopo del martes"),
        ("pt", "Horóscopo de terça"),
        ("it", "L'oroscopo di martedì"),
        ("nl", "Horoscoop voor dinsdag"),
        ("ar", "الأبراج ليوم الثلاثاء"),
        ("ru", "Гороскоп на вторник"),
    ],
)
def test_series_are_seen_in_each_language(language: str, title: str):
    assert word_signals(title, "", language)["series"] >= 0.5


def test_denied_harm_is_no_harm():
    assert word_signals("Quake shakes coast, no damage and no tsunami warning", "", "en")["harm"] < 0
    assert word_signals("Quake shakes coast", "Nobody was hurt.", "en")["harm"] < 0.5
    assert word_signals("Beben vor der Küste, keine Schäden", "", "de")["harm"] == 0
    assert word_signals("Quake damages dam, no warning given", "", "en")["harm"] > 0


def test_a_danger_that_is_over_takes_back_a_word_of_harm():
    assert (
        word_signals("Bomb threat at station was a hoax", "", "en")["harm"]
        < (word_signals("Bomb threat at station", "", "en")["harm"])
    )


def test_a_word_in_the_title_counts_more_than_one_in_the_text():
    in_title, in_text = word_signals("Fire", "", "en")["harm"], word_signals("", "Fire", "en")["harm"]

    assert in_title > in_text > 0


def test_a_language_without_a_table_has_no_signals():
    assert word_signals("Horoskop", "", "xx") == NO_SIGNALS


@given(st.text(max_size=80), st.text(max_size=80), st.sampled_from(["en", "ar", "ru", "fr"]))
def test_every_signal_is_bounded_and_case_does_not_matter(title, opening, language):
    signals = word_signals(title, opening, language)

    assert signals.keys() == set(SIGNALS)
    assert all(-1 <= value <= 1 for value in signals.values())
    assert word_signals(title.lower(), opening, language) == signals
