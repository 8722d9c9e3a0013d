"""Whether a feed has full articles is decided from its entries."""

from __future__ import annotations

import pytest

from service.gather.entries.teasers import (
    is_teaser,
    is_truncated,
    needs_full_text,
    updated_counts,
    without_invitation,
)

LONG = "word " * 500


@pytest.mark.parametrize(
    "markup",
    [
        "The council votes...",
        "The council votes […]",
        "The council votes [&#8230;]",
        "<p>The council votes &hellip;</p>",
        "The council votes. <a href='x'>Read more</a>",
        "The council votes. <p><a href='x'>Continue reading <b>Council votes</b></a> &rarr;</p>",
        "Der Rat stimmt ab. <a>Weiterlesen</a>",
        "Совет утвердил строительство… Читать далее",
        "<p>委員会が航路を承認した…<a href='x'>続きを読む</a></p>",
        "Rada przyjęła plan [...] Czytaj dalej »",
    ],
)
def test_a_truncated_text_is_recognized(markup: str):
    assert is_truncated(markup)


@pytest.mark.parametrize(
    "markup", ["", "The council voted.", "<p>He paused... and went on.</p>", "Who reads?"]
)
def test_a_complete_text_is_recognized(markup: str):
    assert not is_truncated(markup)


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("The council votes… Read more", "The council votes"),
        ("Совет утвердил строительство… Читать далее", "Совет утвердил строительство"),
        ("He paused... and went on.", "He paused... and went on."),
        ("Der Rat stimmt ab. Weiterlesen", "Der Rat stimmt ab."),
        ("", ""),
    ],
)
def test_an_invitation_to_read_more_is_no_part_of_the_text(text: str, rest: str):
    assert without_invitation(text) == rest


def test_short_texts_are_teasers():
    assert is_teaser("The council votes.", cut=False)
    assert is_teaser("word " * 200, cut=True)
    assert not is_teaser("word " * 200, cut=False)
    assert not is_teaser(LONG, cut=True)


@pytest.mark.parametrize(
    ("wish", "text", "cut", "short", "judged", "page"),
    [
        ("auto", "Short.", False, 18, 20, True),  # a feed of teasers
        ("auto", LONG, False, 18, 20, False),  # its one long text
        ("auto", "Short.", False, 2, 20, False),  # a short note in a feed of whole articles
        ("auto", "Short...", True, 2, 20, True),  # but this one says that it was cut
        ("auto", "Short.", False, 0, 0, False),
        ("always", LONG, False, 0, 20, True),
        ("never", "Short...", True, 20, 20, False),
    ],
)
def test_a_page_is_fetched_when_the_text_is_a_teaser(wish, text, *, cut, short, judged, page):
    assert needs_full_text(wish, text, cut=cut, short=short, judged=judged) is page


def test_a_feed_may_change_from_teasers_to_full_texts():
    short, judged = updated_counts(0, 0, [True] * 60)
    for _ in range(10):
        short, judged = updated_counts(short, judged, [False] * 20)

    assert judged <= 60
    assert short * 2 < judged
