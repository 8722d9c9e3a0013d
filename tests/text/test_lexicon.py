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
