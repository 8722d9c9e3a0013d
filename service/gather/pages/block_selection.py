"""Block selection: leave out blocks of a text, or put a text before it, with exact offsets. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection

from service.core.model import Block, TextSpan
from service.gather.cleaning.block_text import BlockText


def selected(text: BlockText, numbers: Collection[int]) -> BlockText:
    """Return the text with only the blocks of these numbers; an introduction outside of them is dropped."""
    if len(numbers) == len(text.blocks):
        return text
    wanted = frozenset(numbers)
    moves: list[tuple[Block, int]] = []
    parts: list[str] = []
    length = 0
    for number, block in enumerate(text.blocks):
        if number in wanted:
            parts.append(text.text[block.start : block.end])
            moves.append((block, length - block.start))
            length += block.end - block.start + 2
    starts = [block.start for block, _ in moves]
    blocks = tuple(_moved(block, move, _introduction(block, moves, starts)) for block, move in moves)
    return BlockText("\n\n".join(parts), blocks, text.cut)


def joined(first: BlockText, then: BlockText) -> BlockText:
    """Return the two texts as one."""
    if not first.text or not then.text:
        return first if first.text else then
    move = len(first.text) + 2
    blocks = (
        _moved(b, move, b.introduction and TextSpan(b.introduction.start + move, b.introduction.end + move))
        for b in then.blocks
    )
    return BlockText(f"{first.text}\n\n{then.text}", (*first.blocks, *blocks), first.cut or then.cut)


def _introduction(block: Block, moves: list[tuple[Block, int]], starts: list[int]) -> TextSpan | None:
    """Return the block's introduction at its new place, None if it is not in a block that stays."""
    span = block.introduction
    if span is None:
        return None
    other, move = moves[max(0, bisect_right(starts, span.start) - 1)]
    is_in = other.start <= span.start and span.end <= other.end
    return TextSpan(span.start + move, span.end + move) if is_in else None


def _moved(block: Block, move: int, introduction: TextSpan | None) -> Block:
    return block._replace(start=block.start + move, end=block.end + move, introduction=introduction)
