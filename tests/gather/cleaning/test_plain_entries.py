"""Plain text is read by its lines, and Markdown in it by its marks."""

from __future__ import annotations

import pytest

from service.gather.cleaning.markdown import MAX_MARKDOWN_CHARACTERS
from service.gather.cleaning.markup import read_entry
from tests.gather.cleaning.test_blocks import outline


def test_a_line_of_plain_text_ends_what_stands_in_it():
    read = read_entry(
        "The harbour board of Velmarsh approved a ferry line to Ostrel island after two years of talks.\n"
        "It does not mean that the cargo route will close, chairwoman Ilse Marrow told us.\n\n"
        "Subscribe for more: https://tube.example/velmarsh\nSupport us: https://patron.example/velmarsh\n\n"
        "00:00 Intro\n00:45 The plan and its price\n03:10 What the fishing crews say\n08:30 Outro",
        is_plain=True,
    )

    assert [read.text[block.start : block.end] for block in read.blocks][2:] == [
        "Subscribe for more: https://tube.example/velmarsh",
        "Support us: https://patron.example/velmarsh",
        "00:00 Intro",
        "00:45 The plan and its price",
        "03:10 What the fishing crews say",
        "08:30 Outro",
    ]


def test_hard_wrapped_lines_are_one_paragraph():
    read = read_entry(
        "The harbour board of Velmarsh approved a ferry line to Ostrel island on\n"
        "Tuesday, after talks of two years with the fishing guild. The line will\n"
        "carry 240 passengers.\n\n"
        "Crews had feared that the wake of fast boats would damage their nets near\n"
        "Skerry.",
        is_plain=True,
    )

    assert len(read.blocks) == 2
    assert "\n" not in read.text.replace("\n\n", "")


@pytest.mark.parametrize("is_plain", [True, False])
def test_markdown_becomes_blocks(is_plain: bool):
    read = read_entry(
        "# Ferry line approved\n\nThe **board** met, see [the minutes](https://velmarsh.example/m).\n"
        "It took two decisions:\n\n- A *ferry* starts in May\n- The fee rises\n\n"
        "> We will close it.\n\n```\na = 1\n```\n",
        is_plain=is_plain,
    )

    assert outline(read) == [
        "heading: Ferry line approved",
        "paragraph: The board met, see the minutes.",
        "paragraph: It took two decisions:",
        "item: A ferry starts in May [It took two decisions:]",
        "item: The fee rises [It took two decisions:]",
        "quote: We will close it.",
        "preformatted: a = 1",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "#ferry #ostrel",
        "3 * 4 * 5 boats",
        "snake_case_names stay",
        "[sic] (he said)",
        "1986. A good year",
        "2 ** 3 ** 4",
    ],
)
def test_other_plain_text_is_no_markdown(text: str):
    assert read_entry(text, is_plain=True).text == text


def test_tags_in_plain_text_are_text():
    assert read_entry("Use <b> with care & so on.", is_plain=True).text == "Use <b> with care & so on."
    assert read_entry("Plain <b>text</b> stays", is_plain=True).text == "Plain <b>text</b> stays"


def test_markup_that_is_declared_as_plain_text_is_read_as_markup():
    assert (
        read_entry("<p>The board met.</p><p>It voted.</p>", is_plain=True).text
        == "The board met.\n\nIt voted."
    )


def test_a_script_in_markdown_is_removed():
    assert (
        read_entry("# Head\n\n<script>x()</script>The board met.", is_plain=True).text
        == "Head\n\nThe board met."
    )


def test_a_long_text_is_not_read_as_markdown():
    text = "**bold** " + "word " * MAX_MARKDOWN_CHARACTERS

    assert read_entry(text, is_plain=True).text.startswith("**bold**")
