"""An issue as Markdown shows what feeds say as it is, and nothing of it is markup."""

from __future__ import annotations

import re
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from service.app.archive.markdown import escaped, linked

MARKUP = "\\`*_[]<>&#|~$^!-+=:.)(0123456789 \t@/wht"
HOSTILE = st.text(
    st.one_of(st.sampled_from(MARKUP), st.characters(exclude_categories=["Cs", "Cc"])), max_size=60
)
READER = MarkdownIt("commonmark").enable(["table", "strikethrough"])


def shown_text(markdown: str) -> str:
    """Return the text of a paragraph as a Markdown reader shows it; fail for any other element."""
    html = READER.render(markdown)
    found = re.fullmatch(r"(?:<p>(.*)</p>\n)?", html, re.DOTALL)
    assert found, html
    assert "<" not in (found[1] or ""), html
    return unescape(found[1] or "")


@pytest.mark.parametrize(
    "text",
    [
        "# Heading",
        "- item",
        "+ item",
        "12. item",
        "12) item",
        "> quote",
        "*bold* _em_ `code` ~~gone~~",
        "[link](javascript:alert(1))",
        "![image](https://x.example/p.png)",
        "<script>alert(1)</script>",
        "<https://x.example>",
        "&lt; &amp; &#60;",
        "| a | b |",
        "===",
        "---",
        "\\*",
        "[^1]: note",
        "[a]: https://x.example",
        "``` fence",
        "~~~",
    ],
)
def test_markup_of_a_feed_is_text(text: str):
    assert shown_text(escaped(text)) == text


@given(HOSTILE)
def test_any_text_is_shown_as_it_is(text: str):
    assert shown_text(escaped(text)) == " ".join(text.split())


@given(HOSTILE)
def test_any_text_is_shown_as_it_is_in_a_list(text: str):
    html = READER.render(f"- {escaped('x' + text)}\n  - {escaped(text)} x")
    assert html.count("<li>") == 2
    assert html.count("<") == 8  # ul li ul li, each closed


@given(HOSTILE)
def test_a_link_leads_where_it_should_with_any_text(text: str):
    url = "https://x.example/a_(b)?c=1&d=*"
    html = READER.render(linked(f"x{text}", url))

    assert re.findall(r'<a href="([^"]*)">', html) == [url.replace("&", "&amp;")]
    assert html.count("<a") == html.count("</a>") == 1
