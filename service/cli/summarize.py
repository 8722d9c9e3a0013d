"""`caveat summarize`: key points of a text, a page, or a stream of articles, however long it is."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from service.cli.ui.help import CommandTyper
from service.core.errors import UsageError

STDIN = Path("-")
SNIFFED_BYTES = 4096
OUTPUT_PANEL = "What comes out"

chapter = CommandTyper()


class InputKind(StrEnum):
    """What the input is."""

    TEXT = "text"
    HTML = "html"
    JSONL = "jsonl"


KIND_OF_SUFFIX = {
    ".html": InputKind.HTML,
    ".htm": InputKind.HTML,
    ".xhtml": InputKind.HTML,
    ".jsonl": InputKind.JSONL,
    ".ndjson": InputKind.JSONL,
    ".txt": InputKind.TEXT,
}


@chapter.add(
    "summarize",
    """
    caveat summarize article.txt
    caveat summarize --points 3 page.html
    curl -s https://news.example.org/a.html | caveat summarize
    caveat summarize --json articles.jsonl > points.jsonl
    caveat summarize --method lexrank --explain article.txt
    """,
)
def summarize(
    *,
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", help="A text, a page (.html) or articles (.jsonl). Without it: standard input."
        ),
    ] = STDIN,
    points: Annotated[
        int,
        typer.Option(
            "--points",
            "-n",
            metavar="N",
            min=1,
            max=50,
            show_default=True,
            help="How many key points at most.",
        ),
    ] = 5,
    method: Annotated[
        str | None,
        typer.Option("--method", "-m", metavar="NAME", help="The method; an unknown name lists them all."),
    ] = None,
    kind: Annotated[
        InputKind | None,
        typer.Option("--input", metavar="KIND", help="text, html or jsonl, where the input does not tell."),
    ] = None,
    language: Annotated[
        str | None,
        typer.Option(
            "--language", metavar="CODE", help="Its language, such as en or de; else it is found out."
        ),
    ] = None,
    as_json: Annotated[
        bool,
        typer.Option(
            "--json", rich_help_panel=OUTPUT_PANEL, help="One JSON object for each article, on one line."
        ),
    ] = False,
    explain: Annotated[
        bool,
        typer.Option(
            "--explain",
            rich_help_panel=OUTPUT_PANEL,
            help="Also say why: each sentence's features and score, and why each caveat was tied.",
        ),
    ] = False,
) -> None:
    """Make key points of any text, page or file of articles.

    A key point is a sentence of the text, word for word. A caveat is one that denies, limits or conditions
    another; it is shown below the point that it qualifies.

    JSONL is read line by line: {"id": ..., "title": ..., "text": ..., "lang": ...}; all but the text may be
    left out. One line comes out for each line
    that goes in; a line that cannot be used is named by number on standard error and skipped, and the exit
    code is 1 in the end.

    With --json the answer to each article is {"id", "method", "key_points": [{"text", "start", "end",
    "role", "qualifies"}], "context": [{"text", "start", "end", "qualifies"}]}. start and end count
    characters of the text; qualifies is the index of a key point.
    """
    from service.cli.summarize_input import SummarizeOptions, summarize_lines, summarize_one  # noqa: PLC0415 - not for `--help`

    asked = SummarizeOptions(points, method, language, as_json=as_json, explain=explain)
    with open_input(file) as stream:
        found = kind or _kind_of(file, stream)
        if found is InputKind.JSONL:
            whole = summarize_lines(stream, asked)
            raise typer.Exit(0 if whole else 1)
        name = None if file == STDIN else str(file)
        summarize_one(stream.read(), asked, name=name, html=found is InputKind.HTML)


@contextmanager
def open_input(file: Path) -> Iterator[BinaryIO]:
    """Open the file, or take standard input for `-`. Raises UsageError for what cannot be read."""
    if file == STDIN:
        yield sys.stdin.buffer
        return
    if file.is_dir():
        raise UsageError(f"{file} is a folder; name a file in it")
    try:
        stream = file.open("rb")
    except FileNotFoundError:
        raise UsageError(f"there is no file {file}") from None
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}") from error
    with stream:
        yield stream


def _kind_of(file: Path, stream: BinaryIO) -> InputKind:
    """Return what the input is, by the file's ending, else by how it begins."""
    told = KIND_OF_SUFFIX.get(file.suffix.lower())
    if told is not None:
        return told
    peek = getattr(stream, "peek", None)
    head = (peek(SNIFFED_BYTES) if peek else b"").lstrip(b"\xef\xbb\xbf \t\r\n")[:SNIFFED_BYTES].lower()
    if head.startswith(b"{"):
        return InputKind.JSONL
    if head.startswith(b"<") and (b"<html" in head or b"<!doctype" in head or b"<p" in head):
        return InputKind.HTML
    return InputKind.TEXT
