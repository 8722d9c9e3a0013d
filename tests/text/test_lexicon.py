"""The lexicon: tokens, stems and cue words."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from service.text import lexicon
from service.text.lexicon import CUES, FLAG_BIT, FLAG_BITS, Lexicon, has_cue_words, lexicon_for, tokenize


def test_unspaced_scripts_become_bigrams():
    assert tokenize("市長は辞任") == ["市長", "長は", "は辞", "辞任"]
    assert tokenize("plain words") == ["plain", "words"]


def test_elided_articles_and_possessives_do_not_change_the_stem():
    french = lexicon_for("fr")
    assert french["l’accord"] >> FLAG_BITS == french["accord"] >> FLAG_BITS
    assert lexicon_for("en")["Doha’s"] >> FLAG_BITS == lexicon_for("en")["doha"] >> FLAG_BITS


def test_a_full_cache_is_emptied(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(lexicon, "MAX_CACHED_TOKENS", 3)
    full = lexicon_for("de-AT")
    for token in ("eins", "zwei", "drei", "vier"):
        full[token]
    assert lexicon_for("de") is not full


def test_every_language_has_every_class_of_cue_words():
    tables = tomllib.loads(Path(lexicon.__file__).with_name("cues.toml").read_text(encoding="utf-8"))
    assert {"en", "fr", "de", "es"} <= set(tables)
    for language, table in tables.items():
        assert set(table) == {"stop", "mute", *CUES}, language
        assert Lexicon(table).phrases
    assert has_cue_words("fr-CA")
    assert not has_cue_words("hr")


def test_every_flag_fits_in_the_bits_reserved_for_flags():
    assert len(FLAG_BIT) <= FLAG_BITS
