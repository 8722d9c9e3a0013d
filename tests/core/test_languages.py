"""The primary subtag of a language tag, and the languages that a reader reads."""

from __future__ import annotations

import pytest

from service.core.languages import is_readable, primary_language, same_language


@pytest.mark.parametrize(
    ("tag", "code"),
    [
        ("en-GB", "en"),
        ("pt_BR", "pt"),
        ("pt-BR", "pt"),
        ("ZH_tw", "zh"),
        ("DE", "de"),
        ("de", "de"),
        ("gsw", "gsw"),
        ("english", ""),
        ("", ""),
        (None, ""),
    ],
)
def test_the_primary_subtag(tag: str | None, code: str):
    assert primary_language(tag) == code


@pytest.mark.parametrize(
    ("tags", "language"),
    [
        (("nb", "nn", "no", "nb-NO"), "no"),
        (("zh", "zh-Hant", "zh_CN", "cmn"), "zh"),
        (("he", "iw"), "he"),
        (("en", "EN-us", "eng"), "en"),
        (("english", "", None), ""),
    ],
)
def test_tags_of_one_language_are_the_same(tags: tuple[str | None, ...], language: str):
    assert {same_language(tag) for tag in tags} == {language}


def test_a_reader_reads_the_wanted_languages_and_texts_of_unknown_language():
    assert is_readable("de-AT", ("de", "en"))
    assert not is_readable("fr", ("de", "en"))
    assert is_readable("", ("de",))
    assert is_readable("und", ("de",))
    assert is_readable("fr", ())
