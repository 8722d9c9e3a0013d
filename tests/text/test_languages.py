"""The primary subtag of a language tag."""

from __future__ import annotations

import pytest

from service.text.languages import primary_language


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
