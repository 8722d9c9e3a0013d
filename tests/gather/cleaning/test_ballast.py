"""Ballast: what is not text is removed before sizes are limited, and text never is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.gather.cleaning.ballast import without_ballast


@pytest.mark.parametrize(
    ("html", "rest"),
    [
        ("<p>One</p><script>var a = '<p>';</script><p>Two</p>", "<p>One</p><p>Two</p>"),
        ("<SCRIPT TYPE='text/javascript'>a</SCRIPT >b", "b"),
        ("<style media=print>p{}</style>a", "a"),
        ("<scripture>a</scripture>", "<scripture>a</scripture>"),
        ("a<!-- <p>draft</p> -->b<!-->c<!--->d<!-- x --!>e", "abcde"),
        ("Rises<svg><svg><path/></svg><title>Up</title></svg>again", "Rises again"),
        ("a<svg width=1 />b", "a b"),
        ("a<svg><path d='M0'/><svg/></svg>b", "a b"),
        ("<img src='data:image/png;base64,iVBORw0KGgo='>", "<img src='data:,'>"),
        ("<img src=data:image/gif;base64,R0lGODlh>", "<img src=data:,>"),
        (f'<div data-state="{"x" * 5_000}" class="a">b</div>', '<div data-state="" class="a">b</div>'),
        (f"<div data-state='{'x' * 5_000}'>b</div>", '<div data-state="">b</div>'),
    ],
)
def test_ballast_is_removed_and_the_rest_stays(html: str, rest: str):
    assert without_ballast(html) == rest


@pytest.mark.parametrize(
    "text",
    [
        "The new data: a record, they said.",
        "Data:image quality, in short, is fair.",
        "a < b and b > c",
        "an open <!-- comment is text for the parser",
        "an open <script> is left to the parser",
        "<svg> without an end",
        '<a href="https://a.example/?b=c" title="A short title">a</a>',
        '<p>x="' + "a long text without a tag is no attribute, if a tag is in it <b>" * 9 + '"</p>',
    ],
)
def test_text_stays_as_it_is(text: str):
    assert without_ballast(text) == text


def test_article_data_stays_when_it_is_asked_for():
    html = '<script type="application/ld+json">{"articleBody": "A."}</script><script>b</script>c'

    assert without_ballast(html) == "c"
    assert without_ballast(html, keep_article_data=True) == html.replace("<script>b</script>", "")


PIECES = [
    "<script>",
    "</script>",
    "<!--",
    "-->",
    "<svg>",
    "</svg>",
    "<svg/>",
    "<style>",
    "</style>",
    "<p>",
    "a ",
    "=",
]


@given(st.lists(st.sampled_from([*PIECES, '"', "'", "data:image/png,", "x" * 450]), max_size=30))
def test_a_text_of_any_pieces_only_gets_shorter(pieces: list[str]):
    html = "".join(pieces)

    assert len(without_ballast(html)) <= len(html)
