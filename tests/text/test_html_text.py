"""The visible text of HTML."""

from __future__ import annotations

import pytest

from service.text.html_text import MAX_TAG_CHARACTERS, html_to_text


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>User <b>unknown</b></p>Sorry<br/>Bye", "User unknown\nSorry\nBye"),
        ("a<!-- <b>x</b> -->b", "ab"),
        ("a<STYLE>p {}</style>b<script src=x>if (a < b) {}</script>c", "abc"),
        ("a<!-- no end <b>c</b>", "ac"),
        ("a<style>no end", "ano end"),
        ("<styled>a", "a"),
        ("5 < 6 &amp;&lt; 7", "5 < 6 &< 7"),
        ("a<" + "b" * MAX_TAG_CHARACTERS + ">c", "a<" + "b" * MAX_TAG_CHARACTERS + ">c"),
        ("a<" + "b" * (MAX_TAG_CHARACTERS - 1) + ">c", "ac"),
        ("", ""),
    ],
)
def test_tags_comments_styles_and_scripts_are_removed(html: str, text: str):
    assert html_to_text(html) == text
