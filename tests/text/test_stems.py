"""Stems: spelling variants of one word become one."""

from __future__ import annotations

import pytest

from service.text.stems import fold_spelling


@pytest.mark.parametrize(
    ("written", "folded"),
    [
        ("إلى", "الي"),
        ("أُعلِنَ", "اعلن"),
        ("مؤقتة", "مؤقته"),
        ("الـــدوحة", "الدوحه"),
        ("\u200fقال\u200e", "قال"),
        ("ещё", "еще"),
        ("não", "não"),
        ("fährt", "fährt"),
        ("plain", "plain"),
        ("", ""),
    ],
)
def test_letters_and_marks_that_writers_use_as_they_like_are_made_the_same(written: str, folded: str):
    assert fold_spelling(written) == folded
    assert fold_spelling(folded) == folded
