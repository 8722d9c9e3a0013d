"""Text from outside is made harmless before it reaches a template or a mail."""

from __future__ import annotations

import textwrap
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.compose.render.text_cleaning import MAX_LINE_CHARACTERS, clean, reading_minutes, shorten, wrap
from service.core.placeholders import MARKER, Placeholder

anything = st.text(st.characters())
"""Any text, also with lone surrogates."""


@pytest.mark.parametrize(
    ("poison", "harmless"),
    [
        ("one\r\ntwo", "one two"),
        ("one\x0btwo\x0cthree", "one two three"),
        ("one\x85two\u2028three\u2029four", "one two three four"),
        ("one\x00two\x1b[31mthree\x7f", "one two [31mthree"),
        ("lone \ud800 surrogate", "lone \ufffd surrogate"),
        ("abc\u202edef\u202c\u2066ghi\u2069", "abcdefghi"),
        (f"{Placeholder.UNSUBSCRIBE_URL.marker} here", "unsubscribe_url here"),
        ("private \ue123 use, none \ufffe at \ufdd0 all", "private use, none at all"),
        ("  a   b\t\n c ", "a b c"),
        ("{{ 7 * 7 }} {% raw %} <b>", "{{ 7 * 7 }} {% raw %} <b>"),
        ("می\u200cخواهم 👩\u200d👧", "می\u200cخواهم 👩\u200d👧"),
    ],
)
def test_harmful_characters_are_removed_and_the_rest_stays(poison: str, harmless: str):
    assert clean(poison) == harmless


@given(anything)
def test_any_text_becomes_one_encodable_line(text: str):
    cleaned = clean(text)

    cleaned.encode()
    assert not any(unicodedata.category(c) in {"Cc", "Cs", "Co", "Zl", "Zp"} for c in cleaned)
    assert not MARKER.search(cleaned)
    assert len(cleaned.splitlines()) <= 1
    assert clean(cleaned) == cleaned


@given(anything, st.integers(1, 50))
def test_no_text_exceeds_its_limit(text: str, longest: int):
    assert len(clean(text, longest)) <= longest
    assert len(shorten(text, longest)) <= longest


def test_a_text_is_cut_between_words_with_an_ellipsis():
    assert shorten("Fire destroys grain silo at Skarrow port", 24) == "Fire destroys grain…"


def test_no_punctuation_is_left_before_the_ellipsis():
    assert shorten("Talks fail, again and again", 14) == "Talks fail…"


def test_a_text_without_spaces_is_cut_at_the_limit():
    assert shorten("高原天文台公布首批星系图像", 6) == "高原天文台…"


def test_a_title_of_five_thousand_characters_is_cut_to_what_fits():
    assert clean("word " * 1000, 220).endswith("word…")


def test_it_takes_a_minute_to_read_220_words_and_at_least_one():
    assert reading_minutes(["word " * 660]) == 3
    assert reading_minutes(["字" * 880]) == 2
    assert reading_minutes([]) == 1


def test_lines_are_wrapped_with_their_indent():
    assert wrap("word " * 20, "     ", "   * ") == (
        "   * word word word word word word word word word word word word word word\n"
        "     word word word word word word"
    )


@given(st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"])))
def test_no_line_of_text_is_longer_than_76_characters(text: str):
    assert all(len(line) <= MAX_LINE_CHARACTERS for line in wrap(text, "     ", "   * ").split("\n"))


@given(st.lists(st.from_regex(r"[a-c][abc.é\u00a0-]{0,90}", fullmatch=True), max_size=40))
def test_words_are_laid_into_lines_as_the_standard_library_does(words: list[str]):
    lines = textwrap.wrap(
        " ".join(words),
        MAX_LINE_CHARACTERS,
        initial_indent="* ",
        subsequent_indent="  ",
        break_on_hyphens=False,
    )

    assert wrap(" ".join(words), "  ", "* ") == ("\n".join(lines) or "*")
