"""Output: data on standard output, messages on standard error; output for programs is never styled."""

from __future__ import annotations

import json
import sys
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from enum import Enum

from service.cli.ui import terminal
from service.cli.ui.lazy_imports import lazy_imports
from service.core.errors import Fault
from service.core.progress import Progress, no_progress

with lazy_imports():
    from service.cli.ui import progress_bar, rich_output

Record = Mapping[str, object]

MAX_SENTENCE_COLUMNS = 80  # of a line of prose below a table
SHORT_ID_CHARACTERS = 8  # of an id in text for people; any unambiguous prefix names it


def caveat_label(grade: str, kind: str | None) -> str:
    """Return what is printed before a caveat of a Grade and CaveatKind: `denied`, `story caveat, limited`."""
    plain = {"tied": "caveat", "story": "story caveat"}.get(grade, grade)
    if kind is None:
        return plain
    return str(kind) if grade == "tied" else f"{plain}, {kind}"


def print_message(text: str) -> None:
    """Print a message for the person on standard error."""
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - the one place for messages


def print_data(text: str) -> None:
    """Print a line of data on standard output."""
    sys.stdout.write(f"{text}\n")


def print_json(value: object) -> None:
    """Print one object on one line."""
    print_data(json_text(value))


def json_text(value: object) -> str:
    """Return the value as JSON on one line, not escaped beyond what the encoding of stdout requires."""
    line = json.dumps(value, ensure_ascii=False, default=_json_value)
    if not line.isascii():
        try:
            line.encode()
        except UnicodeEncodeError:  # a lone surrogate has no UTF-8; it can only be escaped
            return json.dumps(value, default=_json_value)
    return line


def print_records(
    records: Sequence[Record], *, as_json: bool, empty_message: str = "Nothing to list."
) -> None:
    """Print records with the same keys: one JSON object per line, or a table with a heading.

    On a terminal the table is styled and fitted; elsewhere its columns are aligned and nothing is cut.
    Without records, `empty_message` goes to standard error, unless `as_json`.
    """
    if as_json:
        for record in records:
            print_json(record)
    elif not records:
        print_message(empty_message)
    elif terminal.is_interactive(sys.stdout):
        rich_output.print_table(records)
    else:
        for line in _aligned_lines(records):
            print_data(line)


@contextmanager
def progress(title: str, *, rate: bool = False) -> Iterator[Progress]:
    """Yield a progress callback: a bar on standard error if that is a terminal, else no output.

    `rate` adds the items per second to the bar.
    """
    if not terminal.is_interactive(sys.stderr):
        yield no_progress
        return
    with progress_bar.progress_bar(title, rate=rate) as report:
        yield report


def as_sentence(text: str, *, capital: bool = True) -> str:
    """Return the text with a full stop, and with an initial capital if `capital`.

    An address at its beginning keeps its case.
    """
    text = text.strip()
    text = text if text.endswith((".", "?", "!", ":")) else f"{text}."
    begins_with_name = any(sign in text.partition(" ")[0] for sign in ("://", "@", "file:"))
    return text[:1].upper() + text[1:] if capital and not begins_with_name else text


def hanging_paragraph(name: str, text: str) -> str:
    """Return `name: text`, wrapped at 80 columns, with all lines but the first indented."""
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
    """Return text from outside with each control character (cursor, line break) replaced by a space."""
    return "".join(c if c.isprintable() else " " for c in text)


def local_time(at: datetime | None) -> str:
    """Return a time for people: in the zone of this machine, to the minute; empty for None."""
    return at.astimezone().strftime("%Y-%m-%d %H:%M") if at else ""


def heading(key: str) -> str:
    """Return the column heading for a record's key."""
    return key.replace("_", " ")


def table_cell(value: object) -> str:
    """Return a value as text for a table: times in the zone of this machine, no control characters."""
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
    return printable(value.value if isinstance(value, Enum) else str(value))


def _aligned_lines(records: Sequence[Record]) -> Iterable[str]:
    rows = [[heading(key) for key in records[0]], *([table_cell(v) for v in r.values()] for r in records)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _json_value(value: object) -> object:
    """Return the JSON form of a value that json does not know: times in ISO 8601, else text."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Enum):
        return value.value
    return str(value)


def fault_record(fault: Fault, level: str) -> dict[str, object]:
    """Return a fault of a configuration file as `--json` prints it; `level` is `fault` or `warning`."""
    return {
        "level": level,
        "file": fault.file,
        "line": fault.line,
        "column": fault.column,
        "what": fault.message,
        "expected": fault.expected,
    }
