"""Markup becomes blocks: their kinds, what introduces them, and exact offsets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.model import BlockKind
from service.gather.cleaning.block_text import MAX_TEXT_CHARACTERS, TEXT_CUT, BlockText
from service.gather.cleaning.markup import HTML_CUT, read_entry, read_markup


def outline(read: BlockText) -> list[str]:
    """Return each block as `kind: text`, and in brackets what introduces it."""
    return [
        f"{block.kind}: {read.text[block.start : block.end]}"
        + (f" [{read.text[slice(*block.introduction)]}]" if block.introduction else "")
        for block in read.blocks
    ]


def test_a_list_is_introduced_by_the_line_before_it():
    read = read_markup(
        "<p>The board met. It took two decisions:</p>"
        "<ul><li>A ferry starts in May</li><li>The fee rises</li></ul>"
    )

    assert outline(read) == [
        "paragraph: The board met. It took two decisions:",
        "item: A ferry starts in May [It took two decisions:]",
        "item: The fee rises [It took two decisions:]",
    ]


@pytest.mark.parametrize(
    ("before", "introduction"),
    [
        ("<h3>The new rules</h3>", " [The new rules]"),
        ("<p>The new rules</p>", " [The new rules]"),
        ("<p><b>The new rules</b></p>", " [The new rules]"),
        ("<p>He declined to comment.</p>", ""),
        ("", ""),
    ],
)
def test_a_heading_introduces_a_list_and_a_whole_sentence_does_not(before: str, introduction: str):
    read = read_markup(f"{before}<ol><li>No boats at night</li></ol>")

    assert outline(read)[-1] == f"item: No boats at night{introduction}"


def test_a_nested_list_is_introduced_by_its_item():
    read = read_markup(
        "<p>Rules:</p><ul><li>For boats:<ul><li>two lamps</li></ul></li><li>For crews</li></ul>"
    )

    assert outline(read)[1:] == [
        "item: For boats: [Rules:]",
        "item: two lamps [For boats:]",
        "item: For crews [Rules:]",
    ]


@pytest.mark.parametrize("marks", ["••", "▪▪", ("1. ", "2. "), ("(1) ", "(2) "), ("1、", "2、")])
def test_paragraphs_with_the_marks_of_a_list_are_items(marks: tuple[str, str]):
    read = read_markup(f"<p>Rules:</p><p>{marks[0]}No boats</p><p>{marks[1]}Two lamps</p><p>It votes.</p>")

    assert outline(read) == [
        "paragraph: Rules:",
        "item: No boats [Rules:]",
        "item: Two lamps [Rules:]",
        "paragraph: It votes.",
    ]


@pytest.mark.parametrize("markup", ["<p>1. May</p>", "<p>1. No</p><p>3. Yes</p>", "<p>• one</p>"])
def test_a_single_mark_is_no_list(markup: str):
    assert BlockKind.ITEM not in {block.kind for block in read_markup(markup).blocks}


def test_a_list_that_has_ended_introduces_nothing():
    read = read_markup("<ul><li>A ferry</li></ul><ul><li>A fee</li></ul><blockquote>No.</blockquote>")

    assert [block.introduction for block in read.blocks] == [None, None, None]


def test_a_quotation_is_introduced_by_the_sentence_before_it():
    read = read_markup(
        "<p>The spill was large. Marrow wrote to the council.</p>"
        "<blockquote><p>Holm was drunk.</p><p>He hid it.</p></blockquote><p>Holm denies it.</p>"
    )

    assert outline(read)[1:] == [
        "quote: Holm was drunk. [Marrow wrote to the council.]",
        "quote: He hid it. [Marrow wrote to the council.]",
        "paragraph: Holm denies it.",
    ]


@pytest.mark.parametrize(
    "source",
    [
        "<cite>Ilse Marrow, mayor</cite>",
        "<footer>Ilse Marrow, mayor</footer>",
        "<footer>— <cite>Ilse Marrow, mayor</cite></footer>",
        "<p>— Ilse Marrow, mayor</p>",
        "– Ilse Marrow, mayor",
    ],
)
def test_the_speaker_under_a_quotation_introduces_it(source: str):
    read = read_markup(f"<p>The pier is old.</p><blockquote><p>We will close it.</p>{source}</blockquote>")

    assert outline(read)[1:] == [
        "paragraph: Ilse Marrow, mayor",
        "quote: We will close it. [Ilse Marrow, mayor]",
    ]


def test_the_title_of_a_work_inside_a_quotation_is_part_of_it():
    read = read_markup("<blockquote><p>In <cite>The Kestrel</cite> she drowns.</p></blockquote>")

    assert outline(read) == ["quote: In The Kestrel she drowns."]


def test_rows_of_a_table_are_introduced_by_its_head():
    read = read_markup(
        "<table><caption>Fares</caption><thead><tr><th>Line</th><th>Fare</th></tr></thead>"
        "<tr><td>Ostrel</td><td>12 crowns</td></tr><tr><td>Tarn</td><td>9 crowns</td></tr></table>"
    )

    assert outline(read) == [
        "caption: Fares",
        "heading: Line · Fare",
        "row: Ostrel · 12 crowns [Line · Fare]",
        "row: Tarn · 9 crowns [Line · Fare]",
    ]


def test_the_head_of_a_row_is_followed_by_a_colon():
    read = read_markup("<table><tr><th>Start</th><td>May</td></tr><tr><th>Fare</th><td>9</td></tr></table>")

    assert outline(read) == ["row: Start: May", "row: Fare: 9"]


@pytest.mark.parametrize("role", ["", " role=presentation"])
def test_the_cells_of_a_layout_table_are_read_as_the_article(role: str):
    read = read_markup(
        f"<table{role}><tr><td><p>The board met.</p><ul><li>A ferry starts</li></ul></td>"
        "<td>Menu</td></tr></table>"
    )

    assert outline(read) == ["paragraph: The board met.", "item: A ferry starts", "paragraph: Menu"]


def test_a_definition_is_introduced_by_its_term():
    read = read_markup("<dl><dt>Start</dt><dd>In May, the board said</dd></dl>")

    assert outline(read) == ["heading: Start", "item: In May, the board said [Start]"]


def test_headings_captions_and_code_have_their_kinds():
    read = read_markup(
        "<h2>What comes next</h2>The council votes.<figure><img><figcaption>The quay</figcaption></figure>"
        "<p class='wp-caption-text'>The pier</p><pre><code>a = 1\n\n  b = 2</code></pre>"
    )

    assert outline(read) == [
        "heading: What comes next",
        "paragraph: The council votes.",
        "caption: The quay",
        "caption: The pier",
        "preformatted: a = 1\n  b = 2",
    ]


def test_prose_in_a_pre_element_becomes_paragraphs():
    prose = "The harbour board of Velmarsh approved a ferry line to Ostrel on\nTuesday, after long talks.\n\n"

    assert outline(read_markup(f"<pre>{prose}{prose}</pre>")) == ["paragraph: " + " ".join(prose.split())] * 2


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("<b>What comes next</b>", "heading"),
        ("<strong>What</strong> <b>comes next</b>", "heading"),
        ("<span style='font-weight: 700'>What comes next</span>", "heading"),
        ("<b>The board said no.</b>", "paragraph"),
        ("<b>Velmarsh</b> is a town", "paragraph"),
        ("<b>" + "The board of the harbour of Velmarsh " * 4 + "</b>", "paragraph"),
    ],
)
def test_a_short_bold_line_without_a_final_mark_is_a_heading(line: str, kind: str):
    read = read_markup(f"<p>{line}</p><p>The council votes.</p>")

    assert [block.kind for block in read.blocks] == [kind, "paragraph"]


def test_a_bold_line_before_a_break_is_a_heading():
    read = read_markup("<p><b>What comes next</b><br>The council votes.</p>")

    assert outline(read) == ["heading: What comes next", "paragraph: The council votes."]


def test_a_bold_line_at_the_end_is_no_heading():
    assert (
        outline(read_markup("<p>The council votes.</p><p><b>Ilse Marrow</b></p>"))[-1]
        == "paragraph: Ilse Marrow"
    )


def test_a_paragraph_in_large_letters_is_a_paragraph():
    text = "The harbour board of Velmarsh approved a ferry line to Ostrel. " * 4

    assert [block.kind for block in read_markup(f"<h4>{text}</h4><p>It starts in May.</p>").blocks] == [
        "paragraph"
    ] * 2


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("Some 1,200<sup>3</sup> moths", "Some 1,200 moths"),
        ("5 × 10<sup>6</sup> moths", "5 × 10⁶ moths"),
        ("he wrote<sup><a href='#fn1'>1</a></sup>.", "he wrote."),
        ("he wrote<a href='#fn1'><sup>1</sup></a>.", "he wrote."),
        ("he wrote<sup class=reference id=cite_ref-4>[4]</sup>.", "he wrote."),
        ("he wrote<a class=footnote-ref href='#n'>2</a>.", "he wrote."),
        ("10<sup class=footnote>6</sup> boats", "10 boats"),
        ("1<sup>1</sup>/<sub>2</sub> cups", "1½ cups"),
        ("CO<sub>2</sub> fell by 3<sup>rd</sup>", "CO₂ fell by 3rd"),
        ("<del>Fares double.</del> <ins>Fares stay.</ins>", "Fares stay."),
        ("<s>Six</s> <strike>Seven</strike> Eight", "Eight"),
        ("<span style='text-decoration:line-through'>Six</span> Eight", "Eight"),
        ("He called it <q>a <q>white</q> lie</q>.", "He called it “a ‘white’ lie”."),
        ("He called it “<q>a lie</q>”.", "He called it “a lie”."),
        ("M. Holm parle d'<q>un mensonge</q>.", "M. Holm parle d'“un mensonge”."),
        ("<q lang=de>Nein</q>", "„Nein“"),
        ("<ruby>東京<rp>(</rp><rt>とうきょう</rt><rp>)</rp></ruby>で", "東京で"),
        ("A<span hidden>x</span><i class='sr-only'>y</i><em style='display: none'>z</em> lamp", "A lamp"),
        ("<div aria-hidden=true><p>Menu</p><ul><li>x</li></ul></div>A lamp", "A lamp"),
        ("Go <img class=emoji alt='🚢'> now", "Go 🚢 now"),
        ("Go <img alt='a ship'> now", "Go now"),
        ("With <img class=latex alt='$E=mc^2$'> it", "With E=mc² it"),
        ("With <math alttext='x^2'><msup><mi>x</mi><mn>2</mn></msup></math> it", "With x² it"),
        (
            "With <math><msup>x2</msup><annotation encoding='application/x-tex'>x^2</annotation></math> it",
            "With x² it",
        ),
        ("With <math><msup><mi>x</mi><mn>2</mn></msup></math> it", "With it"),
        ("With <math><mi>x</mi><mo>=</mo><mn>2</mn></math> it", "With x=2 it"),
        ("The <abbr title='x'>EU</abbr> on <time datetime=y>Monday</time>", "The EU on Monday"),
        ("Velm<wbr>arsh&shy;er <b>b</b>oard", "Velmarsher board"),
    ],
)
def test_inline_markup_keeps_its_meaning(markup: str, text: str):
    assert read_markup(f"<p>{markup}</p>").text == text


def test_quotation_marks_follow_the_language_of_the_article():
    assert read_markup("<p>Il dit <q>non</q>.</p>", language="fr").text == "Il dit «non»."


@pytest.mark.parametrize("declared", ["", "en"])
@pytest.mark.parametrize(
    ("before", "after", "quotation"),
    [
        ("Le directeur du port parle d'", " du début à la fin, selon son bureau.", "«mensonge»"),
        ("Der Direktor des Hafens nannte das eine ", " von Anfang bis Ende, so sein Büro.", "„mensonge“"),
        ("The head of the harbour office called it a ", " from start to end on Monday.", "“mensonge”"),
    ],
)
def test_quotation_marks_follow_the_text_where_its_language_is_not_declared(
    declared: str, before: str, after: str, quotation: str
):
    read = read_markup(f"<p>{before}<q>mensonge</q>{after}</p>", language=declared)
    assert read.text == f"{before}{quotation}{after}"


def test_an_enumeration_in_a_paragraph_becomes_items():
    read = read_markup(
        "<p>It passed rules: 1. No boats at night. 2. Two lamps, see Rm. 12. 3. A fee of 3.5 crowns.</p>"
    )

    assert outline(read) == [
        "paragraph: It passed rules:",
        "item: No boats at night. [It passed rules:]",
        "item: Two lamps, see Rm. 12. [It passed rules:]",
        "item: A fee of 3.5 crowns. [It passed rules:]",
    ]


TAGS = "p div ul li blockquote cite footer table tr td th pre b h2 dl dt dd sup sub q br a math msup caption"
MARKUP = st.lists(
    st.sampled_from(
        [
            *(f"<{tag}>" for tag in TAGS.split()),
            *(f"</{tag}>" for tag in TAGS.split()),
            *(
                "The board met.",
                " ",
                "\n",
                "Rules:",
                "1",
                "10",
                "— Ilse",
                "&amp;lt;p>",
                "é\u0301",
                "\u2028",
                "1. No. 2. ",
            ),
            *(
                "<a href='#fn1'>",
                "<span hidden>",
                "<annotation encoding=tex>",
                "<!--",
                "-->",
                "- item\n",
                "\x1c",
                "\xa0",
            ),
        ]
    ),
    max_size=40,
).map("".join)


@given(MARKUP, st.booleans())
def test_blocks_are_disjoint_ascending_and_leave_only_white_space(markup: str, is_plain: bool):
    text, blocks, _cut = read_entry(markup, is_plain=is_plain)
    at = 0
    for block in blocks:
        assert not text[at : block.start].strip()
        assert block.start < block.end
        assert text[block.start : block.end].strip() == text[block.start : block.end]
        assert "\n" not in text[block.start : block.end] or block.kind is BlockKind.PREFORMATTED
        if block.introduction:
            assert 0 <= block.introduction.start < block.introduction.end <= block.start
        at = block.end
    assert at == len(text)


def test_a_text_that_is_cut_says_so():
    assert read_markup("<p>The board met.</p>").cut == ""
    assert read_markup("<p>The board met.</p>" * (MAX_TEXT_CHARACTERS // 14)).cut == TEXT_CUT
    assert read_markup("<p>" + "<i></i>" * 70_000).cut == HTML_CUT


def test_a_long_flat_article_is_read_whole():
    read = read_markup("<p>The <b>board</b> met.<br>" * 5_000)

    assert read.cut == ""
    assert len(read.blocks) == 5_000


def test_a_picture_written_into_the_page_is_not_counted():
    read = read_markup(f"<p>One.</p><img src='data:image/png;base64,{'A' * 500_000}'><p>Two.</p>")

    assert (read.text, read.cut) == ("One.\n\nTwo.", "")
