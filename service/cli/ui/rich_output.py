"""Styled output on a terminal (EDGE rich): its console, and tables fitted to its width."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from service.cli.ui import terminal
from service.cli.ui.output import Record, heading, table_cell


def console(stream: TextIO) -> Console:
    """Return rich's console for the stream, without style if the stream takes no colours."""
    return Console(
        file=stream, color_system="auto" if terminal.wants_colour(stream) else None, highlight=False
    )


def print_table(records: Sequence[Record]) -> None:
    """Print records with the same keys on standard output; long cells are folded, numbers align right."""
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for key, value in records[0].items():
        numeric = isinstance(value, int | float) and not isinstance(value, bool)
        table.add_column(heading(key), overflow="fold", justify="right" if numeric else "left")
    for record in records:
        table.add_row(*(Text(table_cell(value)) for value in record.values()))
    console(sys.stdout).print(table)
