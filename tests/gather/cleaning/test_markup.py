"""Any markup becomes safe plain text, and cleaning it again changes nothing."""

from __future__ import annotations

import html
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.placeholders import Placeholder
from service.gather.cleaning.block_text import shortened
from service.gather.cleaning.characters import one_line, without_unsafe_characters
from service.gather.cleaning.markup import plain_text
from service.gather.cleaning.titles import title_text
from service.gather.web_addresses import safe_web_url

INVITATIONS = (
    "Continue reading",
    "Keep reading",
    "Read more",
    "Read the full story",
    "Read full article",
    "Click here to read more",
    "View the full story",
    "Weiterlesen",
    "Mehr lesen",
    "Lire la suite",
    "Leer más",
    "Seguir leyendo",
    "Leggi tutto",
    "Lees verder",
)
PIECES = [
    *"ab <>&;/\"'=\n\u2028\x00\x0b\ud800\ue000é",
    "<p>",
    "</p>",
    "<script>",
    "&lt;",
    "&amp;",
    "Read more",
]
MARKUP = st.lists(st.sampled_from(PIECES), max_size=40).map("".join)


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<p>One.</p><p>Two.</p>", "One.\n\nTwo."),
        ("One.<br>Two.<br/><br/>Three.", "One.\n\nTwo.\n\nThree."),
        ("<h2>Head</h2>Text", "Head\n\nText"),
        ("<ul><li>a</li><li>b</li></ul>", "a\n\nb"),
        ("<table><tr><td>1</td><td>2</td></tr></table>", "1 · 2"),
        ("a&nbsp;b&#8203;c &amp;amp; d", "a b c & d"),
        ("<script>x()</script>a<style>p{}</style><noscript>n</noscript>", "a"),
        ("<figure><img src=x><figcaption>Caption</figcaption></figure>a", "Caption\n\na"),
        ("<div>Outer <div>inner</div> rest</div>", "Outer\n\ninner\n\nrest"),
        ("Text<p>Read more</p>", "Text"),
        ("Text<p>Continue reading →</p>", "Text"),
        ("<p>Text</p><p>Sign up for our daily newsletter here</p>", "Text"),
        ("<p>Text</p><p>Advertisement</p><p>More</p>", "Text\n\nMore"),
        ("<p>Long text</p><p>The post Long text appeared first on The Example.</p>", "Long text"),
        ("It goes on... <a href=x>Read more</a>", "It goes on…"),
        ("It goes on [&hellip;]", "It goes on […]"),
        ("A sentence about those who read more books.", "A sentence about those who read more books."),
        ("They have time to read on.", "They have time to read on."),
        ("The ferry sails Read more", "The ferry sails"),
        ("The ferry sails. (read more)", "The ferry sails."),
        ("1 < 2 and 3 > 2", "1 < 2 and 3 > 2"),
        ("", ""),
    ],
)
def test_markup_becomes_paragraphs(markup: str, text: str):
    assert plain_text(markup) == text


@given(MARKUP)
def test_characters_that_break_mails_or_terminals_are_removed(markup: str):
    for text in (plain_text(markup), title_text(markup), one_line(markup)):
        assert without_unsafe_characters(text) == text
        assert "\u2028" not in text
        text.encode("utf-8")


@given(MARKUP)
def test_cleaning_clean_text_changes_nothing(markup: str):
    text = plain_text(markup)

    assert plain_text("<p>" + html.escape(text).replace("\n\n", "</p><p>") + "</p>") == text


@given(st.text(max_size=400))
def test_a_title_is_one_line_and_stays_as_it_is(text: str):
    title = title_text(html.escape(text))

    assert "\n" not in title
    assert len(title) <= 300
    assert title_text(html.escape(title)) == title


def test_a_feed_cannot_insert_a_placeholder():
    assert Placeholder.NAME.marker not in plain_text(f"Dear {Placeholder.NAME.marker}") + title_text(
        Placeholder.NAME.marker
    )


def test_a_space_in_a_path_is_escaped_and_stays_so():
    assert safe_web_url("https://a.example/my file?x=a b") == "https://a.example/my%20file?x=a%20b"
    assert safe_web_url(safe_web_url("https://a.example/a b")) == "https://a.example/a%20b"


def test_a_too_long_text_is_cut_between_paragraphs_or_sentences():
    assert shortened("One two. Three.\n\nFour.", 20) == "One two. Three."
    assert shortened("One two. Three four five.", 12) == "One two."
    assert shortened("x" * 30, 12) == "x" * 12
    assert shortened("Short.", 12) == "Short."


def test_a_long_title_is_cut_between_words():
    assert title_text("word " * 200) == "word " * 58 + "word…"


@pytest.mark.parametrize(
    "markup",
    [
        "<div>" * 300_000,
        "<b" * 300_000,
        "&" * 100_000,
        "<p>x" * 100_000,
        "<!--" * 100_000,
        "<a href='" * 99_999,
    ],
)
def test_hostile_markup_is_cleaned_in_reasonable_time(markup: str):
    begun = time.process_time()
    plain_text(markup)
    assert time.process_time() - begun < 5  # quadratic, it would be minutes


@pytest.mark.parametrize(
    "url",
    [
        "https://a.example/x?y=1#z",
        "http://a.example:8080/",
        "https://münchen.example/",
        "https://xn--mnchen-3ya.example/",
    ],
)
def test_web_addresses_pass(url: str):
    assert safe_web_url(f" {url}\n") == url


@pytest.mark.parametrize(
    "url",
    [
        *(
            "",
            "/relative",
            "javascript:alert(1)",
            "JaVaScRiPt:alert(1)",
            "data:text/html,x",
            "file:///etc/passwd",
        ),
        *("java\x01script:x", "https://a.example/\x00", "https://a exam.ple/", "https://a.example/\u2028x"),
        *(
            "https://user:secret@a.example/",
            "https://",
            "https:///x",
            "https://a.example:99999/",
            "https://[::1/",
        ),
        *(
            "https://pаypal.example/",
            "https://xn--pypal-4ve.example/",
            "https:\\\\a.example\\",
            "mailto:a@b.example",
        ),
        "https://a.example/" + "x" * 3000,
    ],
)
def test_unsafe_addresses_do_not_pass(url: str):
    assert safe_web_url(url) == ""


@pytest.mark.parametrize("invitation", INVITATIONS)
def test_an_invitation_to_read_more_is_left_out_in_any_language(invitation: str):
    assert plain_text(f"<p>It rained.</p><p>{invitation}</p>") == "It rained."
    assert plain_text(f"<p>It rained. {invitation} →</p>") == "It rained."
