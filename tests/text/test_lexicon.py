"""The lexicon: tokens, stems and cue words."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from service.condense.features import extract_features
from service.text import lexicon
from service.text.lexicon import CUES, FLAG_BIT, FLAG_BITS, Lexicon, has_cue_words, lexicon_for, tokenize
from service.text.stems import SENTENCE_STEM_CHARACTERS


def test_unspaced_scripts_become_bigrams():
    assert tokenize("市長は辞任") == ["市長", "長は", "は辞", "辞任"]
    assert tokenize("plain words") == ["plain", "words"]


def test_elided_articles_and_possessives_do_not_change_the_stem():
    french = lexicon_for("fr")
    assert french["l’accord"] >> FLAG_BITS == french["accord"] >> FLAG_BITS
    italian = lexicon_for("it")
    assert italian["dell’accordo"] >> FLAG_BITS == italian["accordo"] >> FLAG_BITS
    assert lexicon_for("en")["Doha’s"] >> FLAG_BITS == lexicon_for("en")["doha"] >> FLAG_BITS


def has_cue(language: str, token: str, cue: str) -> bool:
    return bool(lexicon_for(language)[token] >> FLAG_BIT[cue] & 1)


@pytest.mark.parametrize("spelling", ["الاتفاق", "والإتفاق", "بالاتّفاق", "للاتفاق", "اتفاقٌ", "اتـفاق"])
def test_arabic_words_are_known_with_attached_words_and_in_every_spelling(spelling: str):
    assert has_cue("ar", spelling, "agree")


def test_arabic_words_that_begin_like_an_attached_word_are_known():
    assert has_cue("ar", "وافقت", "agree")
    assert has_cue("ar", "ووافقت", "agree")
    assert has_cue("ar", "الأحد", "day")
    assert not has_cue("ar", "أحد", "day")


@pytest.mark.parametrize("words", ["ولم يتضح", "لم يتّضح", "لم تتضح"])
def test_arabic_phrases_are_found_behind_attached_words(words: str):
    counts = extract_features([words], "", lexicon_for("ar")).flag_counts[0]
    assert (counts[FLAG_BIT["negation"]], counts[FLAG_BIT["unsure"]]) == (1, 1)


def cues_of(language: str, sentence: str) -> set[str]:
    counts = extract_features([sentence], "", lexicon_for(language)).flag_counts[0]
    return {cue for cue in CUES if counts[FLAG_BIT[cue]]}


NEITHER = {
    "en": "The army neither confirmed nor denied the report.",
    "fr": "L'armée n'a ni confirmé ni démenti cette information.",
    "de": "Die Armee hat den Bericht weder bestätigt noch dementiert.",
    "es": "El ejército ni confirmó ni desmintió el informe.",
    "pt": "O exército nem confirmou nem negou a notícia.",
    "it": "L'esercito non ha né confermato né smentito la notizia.",
    "nl": "Het leger heeft het bericht bevestigd noch ontkend.",
    "ru": "Армия не подтвердила и не опровергла сообщение.",
    "ar": "ولم يؤكد الجيش النبأ ولم ينفه.",
}
DENIES = {
    "en": "The army denied the report.",
    "fr": "L'armée a démenti cette information.",
    "de": "Die Armee dementierte den Bericht.",
    "es": "El ejército desmintió el informe.",
    "pt": "O exército negou a notícia.",
    "it": "L'esercito ha smentito la notizia.",
    "nl": "Het leger ontkende het bericht.",
    "ru": "Армия опровергла сообщение.",
    "ar": "ونفى الجيش النبأ.",
}
UNVERIFIED = {
    "en": "The claim could not be independently verified.",
    "fr": "L'information n'a pas pu être vérifiée de source indépendante.",
    "de": "Die Angabe ließ sich nicht unabhängig überprüfen.",
    "es": "La afirmación no se ha podido verificar de forma independiente.",
    "pt": "A informação não pôde ser verificada de forma independente.",
    "it": "Non è stato possibile verificare la notizia in modo indipendente.",
    "nl": "De bewering kon niet worden bevestigd.",
    "ru": "Проверить сообщение в независимых источниках не удалось.",
    "ar": "ولم يتسن التحقق من النبأ من مصدر مستقل.",
}
VERIFIED = {
    "en": "An observer independently verified the claim.",
    "fr": "Une source indépendante a vérifié l'information.",
    "de": "Ein Labor hat die Angabe unabhängig überprüft.",
    "es": "Un laboratorio verificó el dato de forma independiente.",
    "pt": "Uma fonte independente verificou a informação.",
    "it": "Una fonte indipendente ha verificato la notizia.",
    "nl": "Een onafhankelijke bron heeft de bewering gecontroleerd.",
    "ru": "Независимые источники проверили сообщение.",
    "ar": "وتحقق مصدر مستقل من النبأ.",
}


@pytest.mark.parametrize("language", DENIES)
def test_what_is_neither_confirmed_nor_denied_is_no_denial(language: str):
    assert "denial" in cues_of(language, DENIES[language])
    assert "denial" not in cues_of(language, NEITHER[language])


@pytest.mark.parametrize("language", VERIFIED)
def test_what_is_verified_is_not_unsure(language: str):
    assert "unsure" in cues_of(language, UNVERIFIED[language])
    assert not cues_of(language, VERIFIED[language]) & {"unsure", "explicit"}


@pytest.mark.parametrize(
    ("language", "word", "cue"),
    [
        ("ar", "أقرب", "agree"),
        ("de", "einige", "agree"),
        ("es", "temporada", "caution"),
        ("fr", "visite", "plan"),
        ("it", "contesto", "denial"),
        ("it", "dipendenti", "condition"),
        ("nl", "doelman", "plan"),
        ("pt", "alegria", "accuse"),
        ("pt", "testemunha", "finding"),
        ("ru", "закончил", "plan"),
    ],
)
def test_frequent_words_that_begin_like_a_cue_word_are_none(language: str, word: str, cue: str):
    assert not has_cue(language, word, cue)


def test_russian_yo_may_be_written_ye():
    russian = lexicon_for("ru")
    assert russian["её"] == russian["ее"]
    assert has_cue("ru", "объявлён", "say") == has_cue("ru", "объявлен", "say")


def test_other_languages_have_no_attached_words():
    assert lexicon_for("fa")["والدین"] >> FLAG_BITS != lexicon_for("fa")["دین"] >> FLAG_BITS


def test_a_full_cache_is_emptied(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(lexicon, "MAX_CACHED_TOKENS", 3)
    full = lexicon_for("de-AT")
    for token in ("eins", "zwei", "drei", "vier"):
        full[token]
    assert lexicon_for("de") is not full


def test_every_language_has_every_class_of_cue_words():
    tables = tomllib.loads(Path(lexicon.__file__).with_name("cues.toml").read_text(encoding="utf-8"))
    assert set(tables) == {"en", "fr", "de", "es", "ar", "pt", "it", "nl", "ru"}
    for language, table in tables.items():
        assert set(table) - {"proclitics"} == {"stop", "mute", *CUES}, language
        assert Lexicon(table).phrases
        for name in (*CUES, "mute"):
            for entry in table[name] if isinstance(table[name], list) else ():
                starred = [word for word in entry.split() if word.endswith("*")] if " " in entry else []
                # A phrase is compared by stems, so a shorter word with a star matches only itself.
                assert all(len(word) > SENTENCE_STEM_CHARACTERS for word in starred), (language, entry)
    assert has_cue_words("fr-CA")
    assert not has_cue_words("hr")


def test_every_flag_fits_in_the_bits_reserved_for_flags():
    assert len(FLAG_BIT) <= FLAG_BITS
