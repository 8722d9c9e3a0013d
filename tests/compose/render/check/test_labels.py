"""What is wrong with the labels of a theme."""

from __future__ import annotations

import re
from typing import Any

import pytest

from service.compose.render.check.labels import label_messages
from service.compose.render.theme import DEFAULT_THEME, DIGEST_TEMPLATES, TemplateFolder
from service.settings.packaged_files import templates_folder

ENGLISH: dict[str, Any] = {
    "about": "About {title}",
    "stories": {"one": "{n} story", "other": "{n} stories"},
}
WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "a language": ({"english": {"about": "x"}}, r"\[english\] is no language tag"),
    "a label that English lacks": ({"de": {"more": "mehr"}}, r"'more' of \[de\] has no text in \[en\]"),
    "an unknown value": ({"de": {"about": "Über {titel}"}}, r"has {titel}, which its text in \[en\]"),
    "an unknown value in one form": ({"de": {"stories": {"other": "{m}"}}}, "has {m}"),
    "a number": ({"de": {"about": 7}}, "neither a text nor a table"),
    "an empty text": ({"de": {"about": " "}}, "is empty"),
    "an unknown plural form": (
        {"de": {"stories": {"some": "x", "other": "y"}}},
        "unknown plural form 'some'",
    ),
    "no other form": ({"de": {"stories": {"one": "x"}}}, 'lacks the plural form "other"'),
    "a number in a plural form": ({"de": {"stories": {"other": 7}}}, "no text for the plural form 'other'"),
}


@pytest.mark.parametrize(("labels", "said"), WRONG.values(), ids=WRONG)
def test_a_wrong_label_is_named(labels: dict[str, Any], said: str):
    (message,) = label_messages({"en": ENGLISH, **labels})

    assert re.search(said, message)


def test_labels_may_leave_out_values_and_forms():
    labels = {"en": ENGLISH, "pt-BR": {"about": "Sobre"}, "ja": {"stories": {"other": "{n}件"}}}

    assert not list(label_messages(labels))


def test_the_packaged_labels_have_no_faults():
    folder = TemplateFolder(DIGEST_TEMPLATES, templates_folder())

    for theme in folder.names():
        assert not list(label_messages(folder.labels(DEFAULT_THEME, theme)))
