"""Candidates come from blocks: sentences, items, rows, whole quotations, with their introductions."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from service.condense.block_reading import MAX_QUOTATION_CHARACTERS, Candidate, read_parts
from service.core.model import Block, BlockKind, TextSpan
from service.text.blocks import plain_blocks


def read(text: str, blocks: tuple[Block, ...] = (), language: str = "en") -> list[Candidate]:
    return [one for part in read_parts(text, blocks, language) for one in part.candidates]


def texts(text: str, blocks: tuple[Block, ...] = (), language: str = "en") -> list[str]:
    return [text[one.start : one.end] for one in read(text, blocks, language)]


def shown(text: str) -> list[str]:
    return [text[one.start : one.end] for one in read(text) if one.shown]


def build(*lines: tuple[BlockKind, str], introduced_by: int | None = None) -> tuple[str, tuple[Block, ...]]:
    """Return a text and its blocks; the line `introduced_by` introduces all lines after it."""
    text = "\n\n".join(line for _, line in lines)
    blocks: list[Block] = []
    at, introduction = 0, None
    for place, (kind, line) in enumerate(lines):
        blocks.append(Block(kind, at, at + len(line), introduction))
        if place == introduced_by:
            introduction = TextSpan(at, at + len(line))
        at += len(line) + 2
    return text, tuple(blocks)


def test_an_item_without_a_final_mark_is_one_candidate_with_its_introduction():
    text, blocks = build(
        (BlockKind.PARAGRAPH, "The board took two decisions:"),
        (BlockKind.ITEM, "A ferry line to Ostrel will start in May"),
        (BlockKind.ITEM, "Night work is banned. Storms are an exception."),
        introduced_by=0,
    )
    found = read(text, blocks)
    assert [text[one.start : one.end] for one in found] == [
        "A ferry line to Ostrel will start in May",
        "Night work is banned.",
        "Storms are an exception.",
    ]
    assert {one.introduction for one in found} == {TextSpan(0, 29)}


def test_an_item_with_words_after_its_last_mark_stays_whole():
    text, blocks = build((BlockKind.ITEM, "Fixes no. 3 (see p. 4). Thanks to Ann"))
    assert texts(text, blocks) == [text]


def test_an_item_of_one_or_two_words_is_no_candidate():
    text, blocks = build((BlockKind.ITEM, "Sport"), (BlockKind.ITEM, "Ann Lund"), (BlockKind.ROW, "Oslo 3 4"))
    assert texts(text, blocks) == ["Oslo 3 4"]


def test_headings_and_code_are_no_candidates_and_captions_come_last():
    text, blocks = build(
        (BlockKind.CAPTION, "The pier is seen from a boat."),
        (BlockKind.HEADING, "The pier is shut."),
        (BlockKind.PREFORMATTED, "rm -rf it. Now."),
        (BlockKind.PARAGRAPH, "The council shut it."),
    )
    assert texts(text, blocks) == ["The council shut it.", "The pier is seen from a boat."]


def test_sentences_of_a_quote_block_are_quoted():
    text, blocks = build(
        (BlockKind.PARAGRAPH, "Holm wrote:"),
        (BlockKind.QUOTE, "The firm hid it. It hid more"),
        (BlockKind.PARAGRAPH, "Nobody knows."),
        introduced_by=0,
    )
    first, second = read(text, blocks)
    assert (text[first.start : first.end], first.quoted, first.introduction) == (
        "The firm hid it. It hid more",
        True,
        (0, 11),
    )
    assert not second.quoted


def test_a_list_inside_a_paragraph_is_read_by_its_items():
    text = "The board passed rules: 1. No boats at night. 2. A fee of 6 crowns, see Rm. 12."
    found = read(text)
    assert [text[one.start : one.end] for one in found] == [
        "No boats at night.",
        "A fee of 6 crowns, see Rm. 12.",
    ]
    assert {text[slice(*one.introduction)] for one in found if one.introduction} == {
        "The board passed rules:"
    }


def test_a_quotation_is_one_candidate():
    assert shown("“We shut it. It is too old,” Holm said. The pier is from 1902.") == [
        "“We shut it. It is too old,” Holm said.",
        "The pier is from 1902.",
    ]
    assert shown("彼女は「古い。閉める。」と述べた。雨だった。") == [
        "彼女は「古い。閉める。」と述べた。",
        "雨だった。",
    ]


def test_a_quotation_that_is_too_long_is_not_shown_in_part():
    sentence = "It is old and it leaks in many places. "
    long = f"“{sentence * (MAX_QUOTATION_CHARACTERS // len(sentence) + 1)}We shut it,” Holm said."
    assert shown(f"{long} Nobody was hurt.") == ["Nobody was hurt."]


def test_a_sentence_with_a_mark_that_has_no_partner_is_damaged():
    for text in ('It is old," Holm said. Nobody was hurt.', "“It is old, Holm said. Nobody was hurt."):
        assert [candidate.damaged for candidate in read(text)] == [True, False]


def test_a_closing_mark_at_the_end_without_a_partner_is_left_out_and_the_sentence_quoted():
    (found,) = read("It is too old.”")
    assert found == Candidate(0, 14, None, quoted=True)


def test_a_straight_mark_at_the_end_without_a_partner_does_not_say_that_the_sentence_is_quoted():
    first, second = read('It is popular with travellers." We talk about divorce.')
    assert first == Candidate(0, 30)
    assert not second.quoted


def test_a_quotation_that_goes_on_in_the_next_paragraph_is_not_shown_in_part():
    assert shown("“It is old. We shut it.\n\n“Nobody needs it,” Holm said.") == [
        "“Nobody needs it,” Holm said."
    ]


def test_lines_of_a_list_in_plain_text_are_candidates_and_a_heading_is_none():
    lines = (
        "Adds a link between two sites\n\nDrops the old link for all users\n\nFixes a loss of data on disks"
    )
    assert texts(f"{lines}\n\nThanks to everybody.") == [*lines.split("\n\n"), "Thanks to everybody."]
    assert texts("A heading without any mark at all\n\nThe pier is shut.") == ["The pier is shut."]
    assert texts(f"The pier is shut.\n\n{lines}") == ["The pier is shut."]
    assert texts(lines) == lines.split("\n\n")


@given(st.text(alphabet='ab.?"“”1) :\n•', max_size=60))
def test_candidates_are_in_order_disjoint_and_inside_one_block(text: str):
    blocks = plain_blocks(text)
    at = 0
    for one in read(text):
        assert at <= one.start < one.end
        assert any(block.start <= one.start and one.end <= block.end for block in blocks)
        at = one.end
