"""Output: data goes to standard output, talk to standard error; what a program reads is never decorated."""

from __future__ import annotations

import json
import sys
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, TextIO

from service.cli.ui import terminal

if TYPE_CHECKING:
    from rich.console import Console

    from service.core.progress import Progress

Record = Mapping[str, object]

MAX_SENTENCE_COLUMNS = 80
"""So many columns a line of sentences takes at most."""
SHORT_ID_CHARACTERS = 8
"""So many characters of an id are shown; any beginning that fits one of its kind alone names it."""


def print_message(text: str) -> None:
    """Say something to the person, on standard error."""
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - the one place for talk


def print_data(text: str) -> None:
    """Print a line of data on standard output."""
    sys.stdout.write(f"{text}\n")


def print_json(value: object) -> None:
    """Print one object on one line."""
    print_data(json_text(value))


def json_text(value: object) -> str:
    """Return the value as JSON on one line, readable where the encoding allows."""
    line = json.dumps(value, ensure_ascii=False, default=_json_value)
    if not line.isascii():
        try:
            line.encode()
        except UnicodeEncodeError:  # a lone surrogate, which only an escape can carry
            return json.dumps(value, default=_json_value)
    return line


def print_records(
    records: Sequence[Record], *, as_json: bool, empty_message: str = "Nothing to list."
) -> None:
    """Print records that share their keys: one JSON object a line, or a table with a heading.

    On a terminal the table is styled and fitted; elsewhere its columns are aligned and nothing is cut.
    `nothing` is said, not printed, when there is no record.
    """
    if as_json:
        for record in records:
            print_json(record)
    elif not records:
        print_message(empty_message)
    elif terminal.is_interactive(sys.stdout):
        _print_styled_table(records)
    else:
        for line in _aligned_lines(records):
            print_data(line)


@contextmanager
def progress(title: str, *, rate: bool = False) -> Iterator[Progress]:
    """Give a progress to report to; a bar on standard error where somebody looks, silence elsewhere.

    With `rate` the bar says how many are done in a second.
    """
    if not terminal.is_interactive(sys.stderr):
        from service.core.progress import no_progress  # noqa: PLC0415 - not for `--help`

        yield no_progress
        return
    from service.cli.ui.progress_bar import progress_bar  # noqa: PLC0415 - not for `--help`

    with progress_bar(console(sys.stderr), title, rate=rate) as report:
        yield report


def console(stream: TextIO) -> Console:
    """Return rich's view of the stream, without any style where none is wanted."""
    from rich.console import Console  # noqa: PLC0415 - not for `--help`

    return Console(
        file=stream, color_system="auto" if terminal.wants_colour(stream) else None, highlight=False
    )


def as_sentence(text: str, *, capital: bool = True) -> str:
    """Return the text as a sentence: with its stop, and a capital to begin with unless not wanted.

    An address at its beginning stays as it is.
    """
    text = text.strip()
    text = text if text.endswith((".", "?", "!", ":")) else f"{text}."
    begins_with_name = any(sign in text.partition(" ")[0] for sign in ("://", "@", "file:"))
    return text[:1].upper() + text[1:] if capital and not begins_with_name else text


def hanging_paragraph(name: str, text: str) -> str:
    """Return `name: text` in lines of at most 80 columns, those behind the first set in."""
    return textwrap.fill(
        printable(f"{name}: {text}"),
        MAX_SENTENCE_COLUMNS,
        subsequent_indent="  ",
        break_on_hyphens=False,
        break_long_words=False,
    )


def quantity(number: int, noun: str, plural: str = "") -> str:
    """Return a number with its noun: `1 feed`, `2,000 feeds`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def printable(text: str) -> str:
    """Return text from outside without characters that would move the cursor or break a line."""
    return "".join(c if c.isprintable() else " " for c in text)


def local_time(at: datetime | None) -> str:
    """Return an instant for people: local to this machine, to the minute; empty for None."""
    return at.astimezone().strftime("%Y-%m-%d %H:%M") if at else ""


def _print_styled_table(records: Sequence[Record]) -> None:
    from rich.table import Table  # noqa: PLC0415 - not for `--help`
    from rich.text import Text  # noqa: PLC0415 - as above

    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for key, value in records[0].items():
        numeric = isinstance(value, int | float) and not isinstance(value, bool)
        table.add_column(_heading(key), overflow="fold", justify="right" if numeric else "left")
    for record in records:
        table.add_row(*(Text(table_cell(value)) for value in record.values()))
    console(sys.stdout).print(table)


def _aligned_lines(records: Sequence[Record]) -> Iterable[str]:
    rows = [[_heading(key) for key in records[0]], *([table_cell(v) for v in r.values()] for r in records)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _heading(key: str) -> str:
    return key.replace("_", " ")


def table_cell(value: object) -> str:
    """Return a value as a table shows it: instants by this machine's clock, nothing that moves the cursor."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return local_time(value)
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {table_cell(inner)}" for key, inner in value.items())
    if isinstance(value, tuple | list):
        return ", ".join(map(table_cell, value))
    text = value.value if isinstance(value, Enum) else str(value)
    return printable(text)


def _json_value(value: object) -> object:
    """Return what JSON can hold of a value that it does not know."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Enum):
        return value.value
    return str(value)
