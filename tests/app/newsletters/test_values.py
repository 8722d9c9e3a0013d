"""Typed values become values of the file: blank is the default, and what does not differ is not written."""

from __future__ import annotations

from typing import Any

import pytest

from service.app.newsletters.fields import newsletter_fields
from service.app.newsletters.values import changed_values, problems_of, typed_of, typed_values, yaml_values
from service.settings.roster_files import NewsletterEntry

ENTRY: dict[str, Any] = {"id": "morning", "title": "M", "schedule": "daily 07:00", "timezone": "UTC"}
FULL: dict[str, Any] = {
    **ENTRY,
    "topics": ["world", "economy"],
    "stories": 12,
    "late_limit": "1h30m",
    "review": "30m",
    "lead_picture": True,
    "minutes": 5,
    "method": "lexrank",
}


def test_what_the_form_shows_reads_back_as_the_same_values():
    shown = typed_of(FULL)
    assert set(shown) == set(NewsletterEntry.model_fields)
    assert yaml_values(typed_values({key: [text] for key, text in shown.items()})) == FULL


def test_every_default_of_the_form_is_that_of_the_model():
    entry = NewsletterEntry.model_validate(ENTRY)
    defaults = {key: one.default for key, one in newsletter_fields().items() if one.default}
    explicit = NewsletterEntry.model_validate({**yaml_values(defaults), **ENTRY})
    assert explicit == entry


@pytest.mark.parametrize(
    ("before", "after", "changes"),
    [
        ({}, {"stories": 8, "theme": "daily", "topics": ["a"]}, {"topics": ["a"]}),
        ({"stories": 12}, {"stories": 8}, {"stories": 8}),
        ({"stories": 12}, {}, {"stories": None}),
        ({"stories": 8}, {"stories": 8}, {}),
        ({"topics": []}, {}, {}),
        ({"topics": ["World"]}, {"topics": ["world"]}, {}),
        ({"late_limit": "90m"}, {"late_limit": "1h30m"}, {}),
        ({"minutes": None}, {}, {}),
        ({"topics": ["c", "a"], "mute": ["b", "a"]}, {"topics": ["a", "c"], "mute": ["a", "b"]}, {}),
        ({"topics": ["c", "a"]}, {"topics": ["a", "b", "c"]}, {"topics": ["c", "a", "b"]}),
        ({"topics": ["c", "b", "a"]}, {"topics": ["a", "c"]}, {"topics": ["c", "a"]}),
        ({"title": "A  B", "follow": ["x  y"]}, {"title": "A B", "follow": ["x y"]}, {}),
    ],
)
def test_only_what_differs_is_written(before: dict[str, Any], after: dict[str, Any], changes: dict[str, Any]):
    assert changed_values({**ENTRY, **before}, {**ENTRY, **after}) == changes


@pytest.mark.parametrize(
    ("values", "key", "sentence"),
    [
        ({"id": "a b"}, "id", "'a b' cannot be an id. Expected: letters, digits, - and _, such as morning."),
        ({"title": ""}, "title", "This is needed, such as The Morning Caveat."),
        ({"schedule": "dayly 07:00"}, "schedule", "did you mean daily?"),
        ({"timezone": "Berlin"}, "timezone", "Europe/Berlin"),
        ({"stories": "99"}, "stories", "at most 50"),
        ({"stories": "x"}, "stories", "a whole number"),
        ({"empty": "never"}, "empty", "one of skip, send"),
        ({"lead_picture": "maybe"}, "lead_picture", "true or false"),
        ({"late_limit": "5"}, "late_limit", "did you mean 5m?"),
        ({"languages": "english"}, "languages", "language"),
        ({"follow": "x" * 81}, "follow", "at most 80 characters"),
        ({"theme": "../secret"}, "theme", "There is no theme '../secret'. Known: brief, daily."),
        ({"min_stories": "3", "empty": "send"}, "min_stories", "empty: send"),
        ({"title": "a\x00b"}, "title", "control characters"),
    ],
)
def test_an_invalid_value_is_explained_at_its_key(values: dict[str, str], key: str, sentence: str):
    typed = typed_values({name: [text] for name, text in {**ENTRY, **values}.items()})
    problems = problems_of(yaml_values(typed), themes=["daily", "brief"])

    assert list(problems) == [key]
    assert sentence in problems[key]
