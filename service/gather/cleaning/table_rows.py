"""Table rows: a table of data becomes a block for each row, one of layout its cells' blocks. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain

from service.core.model import BlockKind
from service.gather.cleaning.block_text import BlockDraft

MAX_CELL_CHARACTERS = 200  # a longer cell is text, not data
MAX_LONE_ROW_CHARACTERS = 80  # of a cell in a table of one row, which often is layout
MAX_CELL_BLOCKS = 3
CELL_SEPARATOR = " · "


@dataclass(slots=True)
class Cell:
    """A cell: the blocks in it, and whether it is the head of a row or column."""

    is_head: bool
    blocks: list[BlockDraft] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The cell's text in one line."""
        return " ".join(" ".join(block.text for block in self.blocks).split())


@dataclass(slots=True)
class Table:
    """The rows of a table; `is_layout` when its markup says so."""

    is_layout: bool = False
    rows: list[list[Cell]] = field(default_factory=list)

    def add(self, cell: Cell) -> None:
        """Add a cell to the last row."""
        if not self.rows:
            self.rows.append([])
        self.rows[-1].append(cell)

    def blocks(self, kind: BlockKind = BlockKind.PARAGRAPH) -> Iterator[BlockDraft]:
        """Yield the table's blocks; `kind` is that of the text around it, which only a paragraph replaces."""
        rows = [[cell for cell in row if cell.blocks] for row in self.rows]
        rows = [row for row in rows if row]
        if kind is not BlockKind.PARAGRAPH or self.is_layout or not _is_data(rows):
            yield from chain.from_iterable(cell.blocks for row in rows for cell in row)
            return
        head: BlockDraft | None = None
        for place, row in enumerate(rows):
            if len(row) > 1 and all(cell.is_head for cell in row) and place + 1 < len(rows):
                head = BlockDraft(BlockKind.HEADING, _joined(row))
                yield head
            else:
                yield BlockDraft(BlockKind.ROW, _joined(row), introducer=head)


def _is_data(rows: Sequence[Sequence[Cell]]) -> bool:
    """Return whether the cells are short lines, most of them beside others."""
    cells = list(chain.from_iterable(rows))
    if not cells or sum(1 for row in rows if len(row) > 1) * 2 <= len(rows):
        return False
    longest = MAX_CELL_CHARACTERS if len(rows) > 1 else MAX_LONE_ROW_CHARACTERS
    return all(
        len(cell.blocks) <= MAX_CELL_BLOCKS
        and all(block.kind is BlockKind.PARAGRAPH for block in cell.blocks)
        and sum(len(block.text) for block in cell.blocks) <= longest
        for cell in cells
    )


def _joined(row: Sequence[Cell]) -> str:
    """Return the cells in one line; the head of a row is followed by a colon."""
    texts = [cell.text for cell in row]
    if len(row) > 1 and row[0].is_head and not row[1].is_head:
        colon = "" if texts[0].endswith((":", "：", "?")) else ":"
        return f"{texts[0]}{colon} {CELL_SEPARATOR.join(texts[1:])}"
    return CELL_SEPARATOR.join(texts)
