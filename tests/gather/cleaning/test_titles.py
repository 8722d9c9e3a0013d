"""The title of a post without one is its first sentence."""

from __future__ import annotations

from service.gather.cleaning.titles import CUT_CHARACTERS, title_of_text


def test_the_first_sentence_of_a_post_is_its_title():
    text = "The ferry to Ostrel is cancelled today because of the storm. Tickets stay valid until Friday."
    assert title_of_text(text) == "The ferry to Ostrel is cancelled today because of the storm."
    assert title_of_text("The ferry is cancelled.") == "The ferry is cancelled."


def test_a_long_sentence_or_words_without_a_mark_are_cut():
    long = "The ferry that goes to Ostrel and back every day " * 6 + "is cancelled. It is stormy."
    assert title_of_text(long).endswith("…")
    assert len(title_of_text(long)) <= CUT_CHARACTERS + 1
    assert title_of_text("No mark in this post") == "No mark in this post"
    assert title_of_text("") == ""
