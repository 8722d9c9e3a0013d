"""Whether a feed gives whole articles is decided from its own entries."""

from __future__ import annotations

import pytest

from service.gather.entries.teasers import is_teaser, is_truncated, needs_full_text, updated_counts

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
    ],
)
def test_a_text_says_that_it_goes_on_elsewhere(markup: str):
    assert is_truncated(markup)


@pytest.mark.parametrize(
    "markup", ["", "The council voted.", "<p>He paused... and went on.</p>", "Who reads?"]
)
def test_or_it_does_not(markup: str):
    assert not is_truncated(markup)


def test_short_texts_are_teasers_by_their_looks():
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
def test_a_page_is_worth_a_request(wish, text, *, cut, short, judged, page):
    assert needs_full_text(wish, text, cut=cut, short=short, judged=judged) is page


def test_a_feed_may_change_its_ways():
    short, judged = updated_counts(0, 0, [True] * 60)
    for _ in range(10):
        short, judged = updated_counts(short, judged, [False] * 20)

    assert judged <= 60
    assert short * 2 < judged
