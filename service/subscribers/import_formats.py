"""Import formats: rows of a CSV or JSON Lines file, read one by one in constant memory.

Each row has its line number. An unreadable row becomes a RefusedRow, and reading continues.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO, NamedTuple

from service.subscribers.import_headings import FIRST_NAME, LAST_NAME, STATUS, column_of, columns_of
from service.subscribers.import_text import open_text, read_head

MAX_LINE_BYTES = 1024 * 1024  # of JSON Lines; longer lines would fill the memory
DELIMITERS = ",;\t|"
_FORMULA = frozenset("=+-@\t\r\n")
"""First characters by which spreadsheets recognise a formula (OWASP, CSV Injection)."""

_GUARDED = _FORMULA | {"'"}
_MARK = b"\xef\xbb\xbf"
_SEPARATOR = re.compile('"?sep=(.)"?[,;\t]*')
"""A first line that gives Excel the delimiter."""

_INVISIBLE = dict.fromkeys(
    map(ord, "\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufeff\u202a\u202b\u202c\u202d\u202e")
)
"""Invisible characters that mail programs and web pages add to addresses."""


NOT_SUBSCRIBED = {
    *("unsubscribed", "unsubscribe", "opted-out", "optout", "inactive", "disabled"),
    *("bounced", "bounce", "cleaned", "complained", "complaint", "spam"),
    *("blocklisted", "blocked", "blacklisted", "suppressed", "deleted", "removed", "archived"),
    *("pending", "unconfirmed"),
}
"""Status values of other programs for people who unsubscribed, are unreachable, or never confirmed."""


class ImportRow(NamedTuple):
    """The row of one person. `line` is its first line, from 1; a value that is not given is empty.

    `preferences_by_newsletter` is a JSON object of Caveat's own export: see preferences_json.py.
    """

    line: int
    email: str = ""
    name: str = ""
    timezone: str = ""
    newsletters: str = ""
    schedule: str = ""
    languages: str = ""
    follow: str = ""
    mute: str = ""
    minutes: str = ""
    preferences_by_newsletter: str = ""

    @property
    def choice(self) -> tuple[str, ...]:
        """The values that do not name the person."""
        return self[3:]


COLUMNS = ImportRow._fields[1:]
LISTS = {"newsletters": " ", "languages": " ", "follow": "; ", "mute": "; "}
"""Columns with several values in a cell, each with what stands between them."""

NOTHING = "-"
"""An empty list in a cell: all languages, no words. An empty cell is the newsletter's own value."""


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """A row that is not imported. `reason` is a sentence for the operator."""

    line: int
    reason: str


def read_rows(
    source: BinaryIO, name: str, on_note: Callable[[str], None] = lambda _note: None
) -> Iterator[ImportRow | RefusedRow]:
    """Yield the rows of a file: JSON Lines by its name or its first character, else CSV.

    Empty rows are left out. `on_note` gets a sentence when the encoding of the file is a guess. Raises
    UsageError for another kind of file and for a table without a column for the address.
    """
    head, source = read_head(source)
    if name.lower().endswith((".jsonl", ".ndjson", ".json")) or head.lstrip(_MARK).startswith(b"{"):
        return _json_rows(source)
    return _csv_rows(open_text(head, source, name, on_note))


def escape_formula(cell: str) -> str:
    """Return a cell that no spreadsheet treats as a formula; `unescape_formula` is the inverse."""
    is_risky = cell[:1] in _FORMULA or (cell[:1] == "'" and cell[1:2] in _GUARDED)
    return f"'{cell}" if is_risky else cell


def unescape_formula(cell: str) -> str:
    """Return the cell without the apostrophe that `escape_formula` added."""
    return cell[1:] if cell[:1] == "'" and cell[1:2] in _GUARDED else cell


def _csv_rows(text: io.TextIOWrapper) -> Iterator[ImportRow | RefusedRow]:
    try:
        delimiter, names, before = _head(text)
        places = {name: place for place, name in enumerate(names) if name}
        reader = csv.reader(text, delimiter=delimiter)
        line = before + 1
        while True:
            try:
                cells = next(reader, None)
            except csv.Error as error:
                yield RefusedRow(line, f"{error}; is a quotation mark not closed?")
                line = before + reader.line_num + 1
                continue
            if cells is None:
                return
            if any(cell.strip() for cell in cells):
                yield _csv_row(line, places, len(names), cells)
            line = before + reader.line_num + 1
    finally:
        text.detach()


def _head(text: io.TextIOWrapper) -> tuple[str, list[str], int]:
    """Return the delimiter, the column names, and the number of lines read. Raises UsageError."""
    given, before = "", 0
    while line := text.readline(MAX_LINE_BYTES):
        before += 1
        separator = _SEPARATOR.fullmatch(line.strip("\r\n"))
        if separator and before == 1:
            given = separator[1]
        elif line.strip(f'\r\n \xa0"{given or DELIMITERS}'):
            break
    heads = {
        delimiter: next(csv.reader([line], delimiter=delimiter), []) for delimiter in given or DELIMITERS
    }
    # A heading can contain another delimiter in quotes. The right one gives the most known headings.
    best = max(heads, key=lambda mark: (sum(map(bool, map(column_of, heads[mark]))), len(heads[mark])))
    return best, columns_of(heads[best], COLUMNS), before


def _csv_row(line: int, places: Mapping[str, int], width: int, cells: list[str]) -> ImportRow | RefusedRow:
    if len(cells) > width and any(cell.strip() for cell in cells[width:]):
        return RefusedRow(line, f"{len(cells)} cells where {width} columns are named")
    found = {
        name: unescape_formula(cells[place].strip()) for name, place in places.items() if place < len(cells)
    }
    return _row(line, found)


def _row(line: int, found: dict[str, str]) -> ImportRow | RefusedRow:
    """Return the row of these values. Keys are COLUMNS, FIRST_NAME, LAST_NAME and STATUS."""
    name = found.get("name", "") or f"{found.get(FIRST_NAME, '')} {found.get(LAST_NAME, '')}".strip()
    email = found.get("email", "")
    if not email.isascii():
        email = email.translate(_INVISIBLE).strip()
    if email.endswith(">") and "<" in email:  # Amina Example <amina@example.org>
        display_name, _, email = email[:-1].rpartition("<")
        name = name or display_name.strip(" \"'")
    status = found.get(STATUS, "")
    if status and "-".join(re.split(r"[\s_-]+", status.casefold().strip())) in NOT_SUBSCRIBED:
        return RefusedRow(
            line, f"their status in the file is {status[:40]!r}; only subscribed people are imported"
        )
    rest = [found.get(column, "") for column in COLUMNS[2:]]
    return ImportRow(line, email.strip().removeprefix("mailto:"), name, *rest)


def _json_rows(source: BinaryIO) -> Iterator[ImportRow | RefusedRow]:
    line = 0
    while data := source.readline(MAX_LINE_BYTES):
        line += 1
        if len(data) == MAX_LINE_BYTES and not data.endswith(b"\n"):
            yield RefusedRow(line, "the line is longer than 1 MB")
            while (data := source.readline(MAX_LINE_BYTES)) and not data.endswith(b"\n"):
                pass
            continue
        if data.strip(_MARK + b" \t\r\n"):
            yield _json_row(line, data)


def _json_row(line: int, data: bytes) -> ImportRow | RefusedRow:
    try:
        found = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        return RefusedRow(line, f"the line is not JSON: {error}")
    if not isinstance(found, dict):
        return RefusedRow(line, 'the line is not an object such as {"email": ...}')
    values: dict[str, str] = {}
    for key, value in found.items():
        name = column_of(key)
        if not name or value is None:
            continue
        if isinstance(value, list) and name in LISTS:
            # CSV has the same as a text.
            empty = "" if name == "newsletters" else NOTHING
            value = LISTS[name].join(map(str, value)) or empty  # noqa: PLW2901
        elif name == "preferences_by_newsletter" and isinstance(value, dict):
            value = json.dumps(value)  # noqa: PLW2901 - as above
        elif name == "minutes" and isinstance(value, int):
            value = str(value)  # noqa: PLW2901 - as above
        if not isinstance(value, str):
            return RefusedRow(line, f"`{key}` is {json.dumps(value)[:40]}, expected text")
        values[name] = value.strip()
    return _row(line, values)
