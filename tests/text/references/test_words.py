"""The words of references: each token of a text has its classes."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.text.references import words
from service.text.references.words import PRONOUN, TokenClass, plain_word, reference_words

TABLES = tomllib.loads(Path(words.__file__).with_name("words.toml").read_text(encoding="utf-8"))


def code_of(token: str, language: str = "en") -> int:
    table = reference_words(language)
    assert table is not None
    return table[token]


@pytest.mark.parametrize("language", TABLES)
def test_the_words_of_each_language_are_read(language: str):
    table = reference_words(language)
    assert table is not None
    assert any(table[word] & PRONOUN for word in TABLES[language]["he"].split())


def test_a_language_without_a_table_has_no_words():
    assert reference_words("sq") is None
    assert reference_words("") is None


def test_a_region_does_not_matter():
    assert reference_words("en-GB") is reference_words("en")


@pytest.mark.parametrize(
    ("language", "token", "pronoun"),
    [
        ("en", "He", TokenClass.HE),
        ("en", "he’s", TokenClass.HE),
        ("en", "“She", TokenClass.SHE),
        ("en", "they're", TokenClass.THEY),
        ("fr", "qu'il", TokenClass.HE),
        ("fr", "a-t-elle", TokenClass.SHE),
    ],
)
def test_a_pronoun_is_known_in_every_form(language: str, token: str, pronoun: int):
    assert code_of(token, language) & pronoun


@pytest.mark.parametrize("token", ["The", "hero", "there", "Theirs-like", "1,200", "—"])
def test_other_words_are_no_pronouns(token: str):
    assert not code_of(token) & PRONOUN


def test_the_largest_code_of_a_sentence_shows_whether_it_has_a_pronoun():
    assert max(map(code_of, ["The", "mayor", "of", "Bergen", "spoke."])) < TokenClass.HE
    assert max(map(code_of, ["The", "mayor", "said", "he", "spoke."])) >= TokenClass.HE


@pytest.mark.parametrize("token", ["“We", '"We', "„Wir", "«", "»Wir"])
def test_a_mark_before_a_word_opens_a_quotation(token: str):
    assert code_of(token) & TokenClass.OPENS


@pytest.mark.parametrize("token", ["us.”", 'us,"', "uns“,", "»", "us”)"])
def test_a_mark_behind_a_word_closes_a_quotation(token: str):
    assert code_of(token) & TokenClass.CLOSES


def test_an_age_is_a_person():
    assert code_of("30-year-old") & TokenClass.PERSON
    assert not code_of("30-year") & TokenClass.PERSON


@given(st.text(min_size=1))
def test_any_token_has_a_code(token: str):
    assert code_of(token) >= 0
    assert plain_word(token) == plain_word(plain_word(token))
