"""Tables: people as other programs write them, CSV or JSON Lines, row by row and never all at once.

A row knows its line. A row that cannot be read is a Refusal and costs no other row.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, NamedTuple

from service.core.errors import UsageError

LONGEST_LINE = 1024 * 1024
ALSO = {
    "e-mail": "email",
    "email address": "email",
    "address": "email",
    "mail": "email",
    "full name": "name",
    "time zone": "timezone",
    "time_zone": "timezone",
    "tz": "timezone",
    "newsletter": "newsletters",
    "lists": "newsletters",
}
"""What other programs call our columns."""

_FORMULA = frozenset("=+-@\t\r\n")
"""What a spreadsheet takes for a formula when a cell begins with it (OWASP, CSV Injection)."""

_GUARDED = _FORMULA | {"'"}
_MARK = b"\xef\xbb\xbf"


class Row(NamedTuple):
    """One person's row: the line that it begins in, from 1, and what it says; empty where it says nothing."""

    line: int
    email: str = ""
    name: str = ""
    timezone: str = ""
    newsletters: str = ""
    schedule: str = ""


COLUMNS = Row._fields[1:]


@dataclass(frozen=True, slots=True)
class Refusal:
    """A row that cannot be taken over, and why, as a sentence."""

    line: int
    reason: str


def read_rows(source: BinaryIO, name: str) -> Iterator[Row | Refusal]:
    """Yield the rows of a file: JSON Lines when its name or its first character says so, else CSV.

    Raises UsageError for a CSV file without a column for the address.
    """
    named = name.lower().endswith((".jsonl", ".ndjson", ".json"))
    first = source.peek(4)[:4] if isinstance(source, io.BufferedReader) else b""
    return _json_rows(source) if named or first.lstrip(_MARK).startswith(b"{") else _csv_rows(source)


def guard(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula; `unguard` gives it back."""
    asked = cell[:1] in _FORMULA or (cell[:1] == "'" and cell[1:2] in _GUARDED)
    return f"'{cell}" if asked else cell


def unguard(cell: str) -> str:
    """Return a cell without the apostrophe that guards it."""
    return cell[1:] if cell[:1] == "'" and cell[1:2] in _GUARDED else cell


def _csv_rows(source: BinaryIO) -> Iterator[Row | Refusal]:
    # Broken bytes become surrogates, which no address may hold: the row is refused, not the file.
    text = io.TextIOWrapper(source, encoding="utf-8-sig", errors="surrogateescape", newline="")
    try:
        head = text.readline(LONGEST_LINE)
        delimiter = max(",;\t", key=head.count)
        names = _columns(next(csv.reader([head], delimiter=delimiter), []))
        places, width = [names.index(c) if c in names else len(names) for c in COLUMNS], len(names)
        reader = csv.reader(text, delimiter=delimiter)
        line = 2
        while True:
            try:
                cells = next(reader, None)
            except csv.Error as error:
                yield Refusal(line, f"{error}; is a quotation mark not closed?")
                line = reader.line_num + 2
                continue
            if cells is None:
                return
            if cells:
                yield _csv_row(line, places, width, cells)
            line = reader.line_num + 2
    finally:
        text.detach()


def _csv_row(line: int, places: list[int], width: int, cells: list[str]) -> Row | Refusal:
    if len(cells) > width and any(cell.strip() for cell in cells[width:]):
        return Refusal(line, f"{len(cells)} cells where {width} columns are named")
    cells += [""] * (width + 1 - len(cells))  # a column that is not there is the one behind the last
    return Row(line, *[unguard(cells[place].strip()) for place in places])


def _columns(cells: list[str]) -> list[str]:
    """Return our names of the columns; a column that we do not know is nameless. Raises UsageError."""
    found = [ALSO.get(name, name) for name in (cell.strip().casefold() for cell in cells)]
    names = [name if name in COLUMNS else "" for name in found]
    if "email" not in names:
        listed = ", ".join(cell.strip() for cell in cells if cell.strip())[:200] or "nothing"
        raise UsageError(
            f"the first line names no column `email`: it says {listed!r}; expected {','.join(COLUMNS)}"
        )
    twice = [name for name in COLUMNS if names.count(name) > 1]
    if twice:
        raise UsageError(f"the first line names the column `{twice[0]}` twice")
    return names


def _json_rows(source: BinaryIO) -> Iterator[Row | Refusal]:
    line = 0
    while data := source.readline(LONGEST_LINE):
        line += 1
        if len(data) == LONGEST_LINE and not data.endswith(b"\n"):
            yield Refusal(line, "the line is longer than 1 MB")
            while (data := source.readline(LONGEST_LINE)) and not data.endswith(b"\n"):
                pass
            continue
        if data.strip(_MARK + b" \t\r\n"):
            yield _json_row(line, data)


def _json_row(line: int, data: bytes) -> Row | Refusal:
    try:
        found = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        return Refusal(line, f"the line is no JSON: {error}")
    if not isinstance(found, dict):
        return Refusal(line, 'the line is no object such as {"email": ...}')
    values: dict[str, str] = {}
    for key, value in found.items():
        name = ALSO.get(key.casefold(), key.casefold())
        if name not in COLUMNS or value is None:
            continue
        if name == "newsletters" and isinstance(value, list):
            value = " ".join(map(str, value))  # noqa: PLW2901 - a list is how JSON says it
        if not isinstance(value, str):
            return Refusal(line, f"`{key}` is {json.dumps(value)[:40]}, expected text")
        values[name] = value.strip()
    return Row(line, **values)
