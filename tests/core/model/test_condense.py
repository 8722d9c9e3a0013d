"""A summary proves that its key points are parts of the text, each of one block."""

from __future__ import annotations

from dataclasses import replace

import pytest

from service.core.model import Block, BlockKind, KeyPoint, Role, Summary, TextSpan

TEXT = "What is new\n\nThe rules:\n\nNo boats at night\n\nNo fires"
BLOCKS = (
    Block(BlockKind.HEADING, 0, 11),
    Block(BlockKind.PARAGRAPH, 13, 23),
    Block(BlockKind.ITEM, 25, 42, TextSpan(13, 23)),
    Block(BlockKind.ITEM, 44, 52, TextSpan(13, 23)),
)
BOATS = KeyPoint.from_source(TEXT, 25, 42, introduction=TextSpan(13, 23))


def summary(*key_points: KeyPoint) -> Summary:
    return Summary("keypoints", key_points)


def test_a_key_point_of_one_block_with_its_introduction_is_proven():
    assert summary(BOATS).is_verbatim(TEXT)
    assert summary(BOATS).is_within(BLOCKS)


@pytest.mark.parametrize("span", [(0, 11), (13, 42), (40, 45), (24, 30)])
def test_a_key_point_of_a_heading_or_of_several_blocks_is_not(span: tuple[int, int]):
    assert not summary(KeyPoint.from_source(TEXT, *span)).is_within(BLOCKS)


@pytest.mark.parametrize("introduction", [TextSpan(0, 20), TextSpan(11, 12)])
def test_an_introduction_of_several_blocks_or_of_none_is_not(introduction: TextSpan):
    assert not summary(replace(BOATS, introduction=introduction)).is_within(BLOCKS)


@pytest.mark.parametrize(
    "introduction", [TextSpan(25, 30), TextSpan(44, 52), TextSpan(13, 13), TextSpan(-3, 5)]
)
def test_an_introduction_is_a_part_of_the_text_before_its_key_point(introduction: TextSpan):
    assert not summary(replace(BOATS, introduction=introduction)).is_verbatim(TEXT)


def test_only_a_caveat_qualifies_a_point_and_one_of_the_headline_qualifies_none():
    assert KeyPoint("No fires", 44, 52, Role.CAVEAT).qualifies is None
    with pytest.raises(ValueError, match="only a tied caveat"):
        KeyPoint("No fires", 44, 52, Role.POINT, 0)


@pytest.mark.parametrize(
    ("text", "part", "cut"),
    [
        ("He left. But, the council stays.", "the council stays.", True),
        ("He left. But the council stays.", "But the council stays.", False),
        ("- the council stays", "the council stays", False),
        ("Rules:\nthe council stays", "the council stays", False),
        ("Sold out. iPads were cheap.", "iPads were cheap.", False),
        ("لكن المجلس باق", "المجلس باق", False),
    ],
)
def test_a_key_point_looks_cut_in_lower_case_behind_a_word(text: str, part: str, cut: bool):
    start = text.index(part)
    assert KeyPoint.from_source(text, start, start + len(part)).is_cut(text) is cut
