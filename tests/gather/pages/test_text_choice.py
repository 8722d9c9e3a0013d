"""The choice between the feed's text and the page's: nothing that the feed says may be lost."""

from __future__ import annotations

import pytest

from service.gather.cleaning.block_text import BlockText
from service.gather.pages.text_choice import (
    LESS_TEXT,
    NO_MORE_TEXT,
    OTHER_SUBJECT,
    chosen_text,
)
from service.text.blocks import plain_blocks
from tests.gather.feeds import a_text

TITLE = "Council votes on the old bridge"
FIRST = "The council of Ostrava voted on Monday to rebuild the old bridge across the river."
SECOND = "The mayor called it a careful decision, and said that work begins in spring."
THIRD = "Opponents say that the cost was never discussed in public before the vote."


def choice(page: str, feed: str) -> tuple[str, str]:
    text, reason = chosen_text(BlockText(page, plain_blocks(page)), title=TITLE, text=feed)
    assert [text.text[b.start : b.end] for b in text.blocks] == (text.text.split("\n\n") if text.text else [])
    return text.text, reason


def test_a_page_that_contains_the_whole_text_of_the_feed_replaces_it():
    page = f"{FIRST}\n\n{SECOND}\n\n{THIRD}"

    assert choice(page, f"{FIRST} {SECOND}") == (page, "")
    assert choice(page, f"{FIRST.replace('old', '“old”')} — {SECOND.upper()}") == (page, "")
    assert choice(page, "") == (page, "")
    assert choice(page, TITLE) == (page, "")


def test_a_whole_text_that_the_page_does_not_have_stays():
    long = " ".join([FIRST, SECOND, THIRD, "A ferry carries people over the river until then, for free."] * 2)

    assert choice(f"{FIRST}\n\n{SECOND}", f"{FIRST}\n\n{SECOND}") == ("", NO_MORE_TEXT)
    assert choice(f"{FIRST}\n\n{a_text(times=2)}", long) == ("", LESS_TEXT)
    assert choice(f"{FIRST}\n\n{SECOND}", f"{FIRST} {SECOND} {THIRD}") == ("", LESS_TEXT)


@pytest.mark.parametrize(
    "cut",
    ["The council of Ostrava voted to rebuild the…", "The council of Ostrava will vote on its bridge [...]"],
)
def test_a_teaser_that_is_cut_gives_way_to_a_page_of_the_same_subject(cut: str):
    page = f"{FIRST}\n\n{SECOND}\n\n{THIRD}"

    assert choice(page, cut) == (page, "")
    assert choice("Buy one and get one free at our shop, " * 9 + "always.", cut) == ("", OTHER_SUBJECT)


def test_a_summary_that_the_page_does_not_repeat_becomes_its_first_paragraph():
    summary = "The river gets its old bridge back: the council voted on Monday, after a long debate."
    page = f"{FIRST}\n\n{SECOND}\n\n{THIRD}"

    assert choice(page, summary) == (f"{summary}\n\n{page}", "")
