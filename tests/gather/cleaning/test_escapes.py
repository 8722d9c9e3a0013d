"""What was escaped once too often is undone; a text about HTML keeps what it shows."""

from __future__ import annotations

import pytest

from service.gather.cleaning.markup import read_entry
from service.gather.cleaning.titles import title_text


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("&lt;p&gt;The board met.&lt;/p&gt;&lt;p&gt;It voted.&lt;/p&gt;", "The board met.\n\nIt voted."),
        ("&amp;lt;p&amp;gt;The board met.&amp;lt;/p&amp;gt;", "The board met."),
        ("The board met.&lt;br/&gt;&lt;br/&gt;It voted.", "The board met.\n\nIt voted."),
        (
            "<p>&lt;p&gt;The board met.&lt;/p&gt;&lt;p&gt;It voted.&lt;/p&gt;</p>",
            "The board met.\n\nIt voted.",
        ),
        ("&lt;p&gt;Anna &amp;amp; Sons&lt;/p&gt;", "Anna & Sons"),
        ("<p>Anna &amp;amp; Sons, the board&amp;#39;s caf&amp;eacute;</p>", "Anna & Sons, the board's café"),
        ("&lt;a href=&quot;https://a.example/&quot;&gt;The board&lt;/a&gt; met.", "The board met."),
        (
            "&lt;div class=&quot;x&quot;&gt;The board met.&lt;br&gt;It voted.&lt;/div&gt;",
            "The board met.\n\nIt voted.",
        ),
    ],
)
def test_what_was_escaped_twice_is_unescaped(content: str, text: str):
    assert read_entry(content).text == text


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("The &lt;p&gt; element marks a paragraph.", "The <p> element marks a paragraph."),
        ("&lt;p&gt; marks a paragraph, and so on.", "<p> marks a paragraph, and so on."),
        ("<p>Write <code>&lt;p&gt;Hello&lt;/p&gt;</code> first.</p>", "Write <p>Hello</p> first."),
        ("<p>In HTML, write &amp;amp; for an ampersand.</p>", "In HTML, write &amp; for an ampersand."),
        ("<p>Write <code>&amp;nbsp;</code> for a space.</p>", "Write &nbsp; for a space."),
        ("In HTML you write &lt;b&gt;bold&lt;/b&gt; and &lt;i&gt;italic&lt;/i&gt;.", None),
        ("<p>It is &lt; 5 &amp; &gt; 3.</p>", "It is < 5 & > 3."),
        ("R&amp;D grew at AT&amp;T", "R&D grew at AT&T"),
    ],
)
def test_a_text_about_markup_keeps_what_it_shows(content: str, text: str | None):
    assert read_entry(content).text == (text or "In HTML you write <b>bold</b> and <i>italic</i>.")


@pytest.mark.parametrize(
    ("title", "text"),
    [
        ("Ferry &amp; bus", "Ferry & bus"),
        ("Ferry &amp;amp; bus", "Ferry & bus"),
        ("Board&amp;#39;s &amp;quot;quiet&amp;quot; plan", 'Board\'s "quiet" plan'),
        ("<b>Bold</b> claim", "Bold claim"),
        ("&lt;b&gt;Bold&lt;/b&gt; claim", "Bold claim"),
        ("Some 1,200<sup>3</sup> moths, 10<sup>6</sup> in all", "Some 1,200 moths, 10⁶ in all"),
        ("Fares <del>double</del> stay", "Fares stay"),
        ("How should &lt;selectedoption&gt; work?", "How should <selectedoption> work?"),
        ("Using &lt;b&gt; in 2026", "Using <b> in 2026"),
        ("In HTML, &amp;amp; is an ampersand", "In HTML, &amp; is an ampersand"),
        ("Why 3 < 5", "Why 3 < 5"),
    ],
)
def test_titles(title: str, text: str):
    assert title_text(title) == text
