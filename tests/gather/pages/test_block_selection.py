"""The selection of blocks keeps offsets and introductions exact."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from service.core.model import Block, BlockKind, TextSpan
from service.gather.cleaning.block_text import BlockText
from service.gather.cleaning.markup import read_markup
from service.gather.pages.block_selection import joined, selected


def lines_of(text: BlockText) -> list[str]:
    return [text.text[block.start : block.end] for block in text.blocks]


def test_an_introduction_goes_with_its_block_and_is_dropped_without_it():
    text = read_markup("<p>First.</p><p>These are the rules:</p><ul><li>No boats</li><li>No fish</li></ul>")

    kept, without = selected(text, [1, 3]), selected(text, [0, 3])

    assert lines_of(kept) == ["These are the rules:", "No fish"]
    assert kept.blocks[1] == Block(BlockKind.ITEM, 22, 29, TextSpan(0, 20))
    assert without.blocks[1].introduction is None


def test_two_texts_become_one():
    one, other = read_markup("<p>First.</p>"), read_markup("<p>Rules:</p><ul><li>No boats</li></ul>")

    both = joined(one, other)

    assert lines_of(both) == both.text.split("\n\n") == ["First.", "Rules:", "No boats"]
    assert both.blocks[2].introduction == TextSpan(8, 14)
    assert joined(BlockText(""), other) == other
    assert joined(one, BlockText("")) == one


@given(st.lists(st.text("ab. ", min_size=1).filter(str.strip), max_size=8), st.sets(st.integers(0, 7)))
def test_the_selected_blocks_are_the_lines_of_the_text(lines: list[str], numbers: set[int]):
    text = read_markup("".join(f"<p>{line}</p>" for line in lines))

    found = selected(text, numbers)

    wanted = [line for number, line in enumerate(lines_of(text)) if number in numbers]
    if len(numbers) != len(text.blocks):
        assert lines_of(found) == wanted
        assert found.text == "\n\n".join(wanted)
