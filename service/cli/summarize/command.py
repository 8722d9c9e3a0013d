"""`caveat summarize`: the key points of a text, a page, or a stream of articles of any length."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from service.cli.ui.commands import CommandTyper
from service.cli.ui.input import STDIN, open_input
from service.cli.ui.lazy_imports import lazy_imports

with lazy_imports():
    from service.cli.summarize import articles

SNIFFED_BYTES = 4096  # of the input, to detect its kind
OUTPUT_PANEL = "Output"

commands = CommandTyper()


class InputKind(StrEnum):
    """The kind of the input."""

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


@commands.add(
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
            metavar="FILE", help="Text, page (.html) or articles (.jsonl). Default: standard input."
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
            help="Maximum number of key points, caveats included.",
        ),
    ] = 6,
    method: Annotated[
        str | None,
        typer.Option("--method", "-m", metavar="NAME", help="Method; an unknown NAME lists all methods."),
    ] = None,
    kind: Annotated[
        InputKind | None,
        typer.Option("--input", metavar="KIND", help="Kind of the input: text, html or jsonl."),
    ] = None,
    language: Annotated[
        str | None,
        typer.Option("--language", metavar="CODE", help="Language, such as en or de. Default: detected."),
    ] = None,
    as_json: Annotated[
        bool,
        typer.Option("--json", rich_help_panel=OUTPUT_PANEL, help="JSON output, one object per article."),
    ] = False,
    explain: Annotated[
        bool,
        typer.Option(
            "--explain",
            rich_help_panel=OUTPUT_PANEL,
            help="Features and score of each sentence, and the reasons for each caveat.",
        ),
    ] = False,
) -> None:
    """Extract the key points of a text, page or file.

    A key point is a sentence, list item or table row of the text, word for word. A caveat is a sentence that
    denies, limits or conditions a key point, below which it is shown; one that limits the title comes first.
    What introduces a list or quotation, and the question before an answer, is shown above the key point.

    JSONL has one article per line: {"id": ..., "title": ..., "text": ..., "lang": ...}; only the text is
    required. Each line is answered by one line. An invalid line is reported by its number on standard error
    and skipped; the exit code is then 1.

    With --json an answer is {"id", "method", "key_points": [{"text", "start", "end", "role", "qualifies",
    "introduction", "quoted", "grade", "kind", "hint"}], "context": []}. start and end count characters of the
    text. grade is that of a caveat: tied (qualifies is the index of a key point, null for the title), story
    or context (qualifies is null). introduction and hint, the name that "he" stands for, are null or
    {"text", "start", "end"}; quoted is true for a quotation without marks; context is always empty.
    """
    options = articles.SummarizeOptions(points, method, language, as_json=as_json, explain=explain)
    with open_input(file) as stream:
        detected = kind or _kind_of(file, stream)
        if detected is InputKind.JSONL:
            all_valid = articles.summarize_lines(stream, options)
            raise typer.Exit(0 if all_valid else 1)
        name = None if file == STDIN else str(file)
        articles.summarize_one(stream.read(), options, name=name, html=detected is InputKind.HTML)


def _kind_of(file: Path, stream: BinaryIO) -> InputKind:
    """Return the kind of the input, by the suffix of the file, else by its first bytes."""
    by_suffix = KIND_OF_SUFFIX.get(file.suffix.lower())
    if by_suffix is not None:
        return by_suffix
    peek = getattr(stream, "peek", None)
    head = (peek(SNIFFED_BYTES) if peek else b"").lstrip(b"\xef\xbb\xbf \t\r\n")[:SNIFFED_BYTES].lower()
    if head.startswith(b"{"):
        return InputKind.JSONL
    if head.startswith(b"<") and (b"<html" in head or b"<!doctype" in head or b"<p" in head):
        return InputKind.HTML
    return InputKind.TEXT
