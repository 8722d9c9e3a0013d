"""Language detection with the declared language as prior."""

from __future__ import annotations

import pytest

from service.gather.language import detect_language

GERMAN = (
    "Der Stadtrat beschloss am Montag, die alte Brücke über den Fluss neu zu bauen und die Straße zu sperren."
)
ENGLISH = (
    "The council decided on Monday to rebuild the old bridge across the river and to close the road for now."
)


@pytest.mark.parametrize(
    ("text", "declared", "language"),
    [
        (GERMAN, None, "de"),
        (GERMAN, "en-US", "de"),
        (ENGLISH, "de", "en"),
        ("Kurz.", "de-AT", "de"),
        ("Kurz.", None, "en"),
        ("Kurz.", "???", "en"),
        ("", None, "en"),
        ("1234 5678 9012 3456 7890 1234 5678 9012 3456", "fr", "fr"),
    ],
)
def test_a_declared_language_holds_unless_the_text_is_certain(text: str, declared: str | None, language: str):
    assert detect_language(text, declared) == language
