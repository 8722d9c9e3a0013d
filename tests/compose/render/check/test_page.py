"""The tree of a mail's page, and the text that readers see."""

from __future__ import annotations

from service.compose.render.check.page import letters, read_page


def test_elements_are_found_in_the_order_of_the_page():
    page = read_page("<p>One <a href='1'>two</a></p><div><a href='2'>three</a><br><a>four</a></div>")

    assert [link.text() for link in page.elements("a")] == ["two", "three", "four"]
    assert [element.tag for element in page.elements()] == ["p", "a", "div", "a", "br", "a"]


def test_hidden_text_styles_and_comments_are_not_seen():
    page = read_page(
        "<head><title>no</title></head><style>p {}</style><!-- no --><p hidden>no</p>"
        "<div style='color: red; DISPLAY : none'><b>no</b></div><p>yes <img alt='a picture'>&amp; more</p>"
    )

    assert page.text() == "yes a picture& more"


def test_end_tags_without_a_start_are_ignored():
    assert read_page("</div><p>one</b></p></p>two").text() == "onetwo"


def test_the_first_of_two_equal_attributes_counts():
    (link,) = read_page("<a href='first' href='second'>x</a>").elements("a")

    assert link.attributes["href"] == "first"


def test_a_deep_page_is_read():
    depth = 20_000

    assert read_page("<div>" * depth + "deep" + "</div>" * depth).text() == "deep"


def test_letters_are_the_same_whatever_the_marks_and_breaks():
    assert letters("  * „Wird die\n  STRASSE“ ge-\nsperrt?") == letters("Wird die Straße gesperrt")
