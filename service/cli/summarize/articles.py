"""Articles of `caveat summarize`: read, summarized and printed one at a time."""

from __future__ import annotations

import codecs
import json
import os
import stat
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import BrokenExecutor, Future
from dataclasses import dataclass
from itertools import islice
from typing import BinaryIO

from service.app.process_pool.pool import ProcessPool
from service.app.process_pool.processors import processors
from service.app.summarize import (
    ArticlePage,
    ExplainedSentence,
    detect_language,
    explain_sentences,
    finds_caveats,
    page_text,
    primary_language,
    summarizer_named,
    summary_record,
)
from service.cli.summarize.summary_view import reason_lines, summary_text
from service.cli.ui.output import json_text, print_data, print_message, printable
from service.core.errors import CaveatError, UsageError
from service.core.model import Block

MIN_PARALLEL_BYTES = 4 * 1024 * 1024  # of a file; for a smaller one, starting processes takes longer
LINES_PER_TASK = 8
TASK_TIMEOUT_SECONDS = 120
MAX_LINE_BYTES = 64 * 1024 * 1024  # of an article in JSONL; a longer line is an error in the input
SNIFFED_BYTES = 4096  # a NUL byte among them means that the file is not text


@dataclass(frozen=True, slots=True)
class SummarizeOptions:
    """The options of the command."""

    points: int
    method: str | None
    language: str | None
    as_json: bool
    explain: bool


@dataclass(frozen=True, slots=True)
class InputArticle:
    """An article of the input, with its own `id` (any JSON value) and `language` (empty: unknown).

    `blocks` are those of a page; of plain text they are found when it is summarized.
    """

    id: object
    title: str
    text: str
    language: str = ""
    blocks: Sequence[Block] = ()


@dataclass(frozen=True, slots=True)
class SummarizeResult:
    """The output for an article, or the problem with it.

    `language_without_cues` is its language if we have no cue words for caveats in that language.
    """

    number: int
    output: str = ""
    problem: str = ""
    language_without_cues: str = ""


NumberedLine = tuple[int, bytes]
"""A line's number, from 1, and its bytes; empty bytes for a line that is too long."""


def summarize_one(body: bytes, options: SummarizeOptions, *, name: str | None, html: bool) -> None:
    """Summarize one text or page and print its key points. Raises CaveatError if that is impossible."""
    page = page_text(body) if html else ArticlePage("", _text_of(body, name or "standard input"), ())
    result = _summarize(1, InputArticle(name, page.title, page.text, blocks=page.blocks), options)
    if result.language_without_cues:
        _warn_without_cues(result.language_without_cues)
    print_data(result.output)


def _text_of(body: bytes, name: str) -> str:
    """Decode UTF-8, or UTF-16 with a byte order mark. Raises UsageError for binary data."""
    if body.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return body.decode("utf-16", "replace")
    if b"\0" in body[:SNIFFED_BYTES]:
        raise UsageError(f"{name} is not a text file")
    return body.decode("utf-8-sig", "replace")


def summarize_lines(stream: BinaryIO, options: SummarizeOptions) -> bool:
    """Summarize articles line by line and print each answer at once; return whether every line was valid."""
    summarizer_named(options.method)  # report an unknown name once, not for every line
    results = _in_parallel if _is_large_file(stream) else _in_sequence
    all_valid, warned = True, {""}
    for result in results(_numbered_lines(stream), options):
        if result.language_without_cues not in warned:
            warned.add(result.language_without_cues)
            _warn_without_cues(result.language_without_cues)
        if result.problem:
            all_valid = False
            print_message(f"line {result.number}: {result.problem}; skipped")
        else:
            print_data(result.output)
            sys.stdout.flush()
    return all_valid


def _in_sequence(lines: Iterator[NumberedLine], options: SummarizeOptions) -> Iterator[SummarizeResult]:
    for line in lines:
        yield _summarize_line(line, options)


def _in_parallel(lines: Iterator[NumberedLine], options: SummarizeOptions) -> Iterator[SummarizeResult]:
    """Summarize in several processes, a few batches ahead of the output, in the order of the input."""
    workers = processors()
    with ProcessPool(workers, seconds=TASK_TIMEOUT_SECONDS) as pool:
        ahead: deque[tuple[list[NumberedLine], Future[list[SummarizeResult]]]] = deque()
        while True:
            batch = list(islice(lines, LINES_PER_TASK))
            if batch:
                ahead.append((batch, pool.submit(_summarize_batch, batch, options)))
            if ahead and (len(ahead) > 2 * workers or not batch):
                yield from _batch_results(*ahead.popleft())
            elif not batch:
                return


def _summarize_batch(lines: Sequence[NumberedLine], options: SummarizeOptions) -> list[SummarizeResult]:
    return [_summarize_line(line, options) for line in lines]


def _batch_results(
    lines: Sequence[NumberedLine], future: Future[list[SummarizeResult]]
) -> list[SummarizeResult]:
    try:
        return future.result()
    except (TimeoutError, MemoryError, BrokenExecutor):
        problem = "this line or a neighbouring one exceeds the limit of time or memory"
        return [SummarizeResult(number, problem=problem) for number, _ in lines]


def _summarize_line(line: NumberedLine, options: SummarizeOptions) -> SummarizeResult:
    number, raw = line
    try:
        return _summarize(number, _parse_line(raw), options)
    except CaveatError as error:
        return SummarizeResult(number, problem=str(error))


def _parse_line(raw: bytes) -> InputArticle:
    """Parse an article from a line of JSON. Raises CaveatError for an invalid line."""
    if not raw:
        raise CaveatError(f"it is longer than {MAX_LINE_BYTES >> 20} MB")
    try:
        found = json.loads(raw)
    except UnicodeDecodeError:
        raise CaveatError("it is not UTF-8") from None
    except (ValueError, RecursionError) as error:
        raise CaveatError(f"it is not JSON ({error})") from None
    if not isinstance(found, dict):
        raise CaveatError('it is not an object; expected {"id": ..., "text": ...}')
    text, title = found.get("text"), found.get("title") or ""
    if not isinstance(text, str) or not isinstance(title, str):
        raise CaveatError(
            'it has no "text" that is a string' if not isinstance(text, str) else "its title is not a string"
        )
    language = found.get("lang") or found.get("language") or ""
    return InputArticle(
        found.get("id"), title, text, primary_language(language) if isinstance(language, str) else ""
    )


def _summarize(number: int, article: InputArticle, options: SummarizeOptions) -> SummarizeResult:
    """Summarize the article and format its key points."""
    method = summarizer_named(options.method)
    language = options.language or article.language or detect_language(article.text)
    summary = method.summarize(
        article.text,
        blocks=article.blocks,
        title=article.title,
        language=language,
        points=options.points,
    )
    explained: Sequence[ExplainedSentence] = ()
    if options.explain:
        explained = explain_sentences(
            method,
            article.text,
            blocks=article.blocks,
            title=article.title,
            language=language,
            points=options.points,
        )
    if options.as_json:
        record = summary_record(article.id, summary, article.text)
        output = json_text(
            {**record, "sentences": list(map(reason_record, explained))} if explained else record
        )
    else:
        lines = [summary_text(summary, article.text, title=article.title), *reason_lines(explained)]
        output = "\n".join(lines)
    return SummarizeResult(
        number, output, language_without_cues="" if finds_caveats(method, language) else language
    )


def _warn_without_cues(language: str) -> None:
    print_message(f"no caveat cues for {printable(language)}: key points only")


def reason_record(reason: ExplainedSentence) -> dict[str, object]:
    """Return an explained sentence as --json --explain prints it."""
    return {
        "text": reason.text,
        "role": reason.role,
        "pick": round(reason.pick, 4),
        "order": round(reason.order, 4),
        "caveat": round(reason.caveat, 4),
        "parts": dict(reason.parts),
        "qualifies": reason.qualifies or None,
        "probability": round(reason.probability, 4),
        "reasons": dict(reason.reasons),
    }


def _numbered_lines(stream: BinaryIO) -> Iterator[NumberedLine]:
    """Yield the lines that are not blank, with their numbers; only one is in memory at a time."""
    number = 0
    while line := stream.readline(MAX_LINE_BYTES):
        number += 1
        too_long = len(line) == MAX_LINE_BYTES and not line.endswith(b"\n")
        while too_long and (rest := stream.readline(MAX_LINE_BYTES)) and not rest.endswith(b"\n"):
            pass
        if line.strip():
            yield number, b"" if too_long else line


def _is_large_file(stream: BinaryIO) -> bool:
    """Return whether the input is a large file. A pipe is not: its writer may wait for each answer."""
    try:
        status = os.fstat(stream.fileno())
    except (OSError, ValueError):
        return False
    return stat.S_ISREG(status.st_mode) and status.st_size > MIN_PARALLEL_BYTES and processors() > 1
