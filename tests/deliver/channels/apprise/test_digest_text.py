"""The short text of an issue, taken from the plain text of each theme."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from service.core.model import RenderedMail
from service.core.placeholders import Placeholder
from service.deliver.channels.apprise.digest_text import (
    MAX_TEXT_CHARACTERS,
    digest_text,
    stories_in,
    title_of,
)
from tests.deliver.fakes import an_issue

SLUG = "fire-destroys-grain-silo-at-skarrow-port-and-halts-exports-f"
GOLDEN = Path(__file__).parents[3] / "compose" / "render" / "golden"


@pytest.mark.parametrize("name", ["front-page.txt", "front-page-brief.txt"])
def test_each_story_is_its_headline_and_its_first_link(name: str):
    stories = stories_in((GOLDEN / name).read_text(encoding="utf-8"))
    assert len(stories) == 8
    assert stories[0] == (
        "Fire destroys grain silo at Skarrow port and halts exports for days",
        f"https://themeridiancourier.example/2026/{SLUG}",
    )
    assert all(headline for headline, _ in stories)


def test_a_headline_that_the_theme_wrapped_ends_with_an_ellipsis():
    text = f"1. {'word ' * 14}\n   more of it\n   The Example, 06:00\n\n   https://example.org/a\n"
    ((headline, _),) = stories_in(text.replace(" \n", "\n"))
    assert headline.endswith("word ...")


def test_a_theme_without_headlines_gives_its_links():
    assert stories_in("Look: https://example.org/a\nand https://example.org/b") == [
        ("", "https://example.org/a"),
        ("", "https://example.org/b"),
    ]


def test_a_long_issue_is_cut_between_stories():
    text = "".join(f"{n}. {'x' * 60}\n\n   https://example.org/{n}\n\n" for n in range(1, 60))
    issue = replace(an_issue(), rendered=RenderedMail("Subject", "", text))
    short = digest_text(issue, "https://news.example.org/preferences/x")
    assert len(short) < MAX_TEXT_CHARACTERS + 200
    assert "... +" in short
    assert short.endswith("\n\nhttps://news.example.org/preferences/x")


def test_an_issue_without_stories_is_its_preferences_link():
    issue = replace(an_issue(), rendered=RenderedMail("Subject", "", "Nothing today."))
    assert digest_text(issue, "https://n.example/p") == "https://n.example/p"


def test_the_title_is_one_line_with_the_subscribers_name():
    subject = f"Good morning, {Placeholder.NAME.marker}:\n today{Placeholder.ADDRESS.marker}"
    issue = replace(an_issue(), rendered=RenderedMail(subject, "", ""))
    assert title_of(issue, "Amina") == "Good morning, Amina: today"
