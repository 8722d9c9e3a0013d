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


def test_an_ambiguous_word_counts_only_beside_another_of_its_class():
    assert word_signals("Six killed as coach leaves motorway", "", "en")["sport"] == 0
    assert word_signals("Striker quarrels with coach", "", "en")["sport"] > 0
    assert word_signals("Opposition wins by a landslide", "", "en")["harm"] == 0
    assert word_signals("Landslide buries village", "", "en")["harm"] >= 0.5
    assert word_signals("El partido del presidente", "", "es")["sport"] == 0


def test_words_of_harm_count_less_among_words_of_sport():
    match = "Striker and goalkeeper of football team injured"

    assert 0 < word_signals(match, "", "en")["harm"] < word_signals("Three injured", "", "en")["harm"]


def test_a_place_of_leisure_counts_less_in_a_headline_of_harm():
    disaster = word_signals("Fire at wedding kills guests", "", "en")

    assert 0 < disaster["soft"] < word_signals("The wedding of the year", "", "en")["soft"]


@pytest.mark.parametrize(
    ("language", "title"),
    [
        ("en", "President resigns"),
        ("de", "Präsident tritt zurück"),
        ("fr", "Le ministre est condamné"),
        ("es", "El presidente dimite"),
        ("pt", "Presidente renuncia"),
        ("it", "Il presidente si dimette"),
        ("nl", "Premier treedt af"),
        ("ar", "استقالة رئيس الوزراء"),
        ("ru", "Премьер подал в отставку"),
    ],
)
def test_acts_are_seen_in_each_language(language: str, title: str):
    assert word_signals(title, "", language)["acts"] >= 0.5


@pytest.mark.parametrize(
    ("language", "title"),
    [
        ("en", "Mayor opens village playground"),
        ("de", "Bürgermeister besucht Spielplatz"),
        ("fr", "La boulangerie du village"),
        ("es", "La piscina del pueblo"),
        ("pt", "A piscina da aldeia"),
        ("it", "La piscina del quartiere"),
        ("nl", "Het zwembad van het dorp"),
        ("ar", "مخبز القرية"),
        ("ru", "Бассейн в деревне"),
    ],
)
def test_small_things_are_seen_in_each_language(language: str, title: str):
    assert word_signals(title, "", language)["minor"] >= 0.5


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
