"""Links: only to http(s) pages, and to the sentence if a browser can find it."""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.compose.render.links import MAX_URL_CHARACTERS, sentence_link, web_link

anything = st.text(st.characters())
RFC_3986 = re.compile(r"https?://[A-Za-z0-9\[\]:._-]+[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]*")
LONG = "“We have stopped counting what they take, and started to count what the river has,” said Dorsal."


@pytest.mark.parametrize(
    ("url", "link"),
    [
        ("https://news.example/a?b=1&c=2#d", "https://news.example/a?b=1&c=2#d"),
        (" \x01https://news.example/a\t ", "https://news.example/a"),
        ("HTTPS://News.Example/A", "https://news.example/A"),
        ("https://news.example/ä b\"'<>", "https://news.example/%C3%A4%20b%22'%3C%3E"),
        ("https://münchen.example/", "https://xn--mnchen-3ya.example/"),
        ("https://[2001:db8::1]:8443/", "https://[2001:db8::1]:8443/"),
        ("https://news.example/%zz?q=%41", "https://news.example/%zz?q=%41"),
    ],
)
def test_a_web_address_comes_out_ready_for_an_href(url: str, link: str):
    assert web_link(url) == link


@pytest.mark.parametrize(
    "url",
    [
        "",
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "java\nscript:alert(1)",
        "java\x01script:alert(1)",
        "\x0bjavascript://news.example/%0aalert(1)",
        "data:text/html;base64,PHNjcmlwdD4=",
        "vbscript:x",
        "file:///etc/passwd",
        "mailto:a@b.example",
        "//news.example/a",
        "/a",
        "https:",
        "https:///a",
        "https://:80/",
        "https://a b.example/",
        "https://news.example:99999/",
        "https://news.example@evil.example/",
        "https://user:secret@news.example/",
        "https://news.example\\@evil.example/",
        "https://news.example/\ud800",
        "https://news.example/" + "a" * MAX_URL_CHARACTERS,
        "https://news.example/" + "ä" * (MAX_URL_CHARACTERS // 3),
        "https://news.example/?" + "&" * (MAX_URL_CHARACTERS // 3),
    ],
)
def test_anything_else_is_no_link(url: str):
    assert web_link(url) == ""
    assert sentence_link(url, "A sentence.") == ""


@given(st.one_of(anything, anything.map("https://news.example/".__add__), anything.map("https://".__add__)))
def test_any_text_gives_a_valid_web_address_or_none(url: str):
    for link in (web_link(url), sentence_link(url, url)):
        assert link == "" or RFC_3986.fullmatch(link)
        assert urlsplit(link).username is None


@given(st.one_of(anything, anything.map("https://news.example/".__add__)))
def test_cleaning_a_clean_link_changes_nothing(url: str):
    assert web_link(web_link(url)) == web_link(url)


def test_a_short_sentence_is_in_the_fragment_as_a_whole():
    link = sentence_link("https://news.example/a", "Nobody over 65 took part.")

    assert link == "https://news.example/a#:~:text=Nobody%20over%2065%20took%20part"


def test_a_long_sentence_is_in_the_fragment_by_its_start_and_end():
    link = sentence_link("https://news.example/a", LONG)

    assert link.endswith(
        "#:~:text=We%20have%20stopped%20counting%20what,river%20has%2C%E2%80%9D%20said%20Dorsal"
    )


def test_characters_with_a_meaning_in_the_directive_are_encoded():
    link = sentence_link("https://news.example/a", "Well-known, yes & no.")

    assert link.endswith("#:~:text=Well%2Dknown%2C%20yes%20%26%20no")


def test_a_sentence_without_spaces_is_in_the_fragment_by_its_clauses():
    sentence = "研究团队强调，" + "这些数据尚未经过同行评审，" * 6 + "不能据此断定星系的年龄。"
    start, end = sentence_link("https://news.example/a", sentence).partition("text=")[2].split(",")

    assert (unquote(start), unquote(end)) == ("研究团队强调", "不能据此断定星系的年龄")


def test_an_existing_fragment_is_kept_and_a_directive_is_replaced():
    assert sentence_link("https://news.example/a#top", "Yes.") == "https://news.example/a#top:~:text=Yes"
    assert sentence_link("https://news.example/a#:~:text=No", "Yes.") == "https://news.example/a#:~:text=Yes"


@pytest.mark.parametrize("sentence", ["", "…", "“—”", "字" * 500])
def test_without_usable_words_the_link_opens_the_page(sentence: str):
    assert sentence_link("https://news.example/a", sentence) == "https://news.example/a"


def test_a_too_long_address_is_not_linked_from_a_sentence():
    url = "https://news.example/" + "a" * 1_200

    assert web_link(url) == url
    assert sentence_link(url, "Yes.") == ""
