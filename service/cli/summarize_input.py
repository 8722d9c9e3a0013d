"""What `caveat summarize` does with its input: read, condense and write, one article at a time."""

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

from service.app.process_pool.pool import ProcessPool, processors
from service.app.summarize import (
    ExplainedSentence,
    detect_language,
    explain_sentences,
    finds_caveats,
    page_text,
    primary_language,
    summarizer_named,
)
from service.cli.ui.output import json_text, print_data, print_message, printable
from service.cli.ui.summary_view import reason_lines, summary_text
from service.core.errors import CaveatError, UsageError
from service.core.model import Summary

MIN_PARALLEL_BYTES = 4 * 1024 * 1024
"""From how many bytes on a file of articles is shared out among the processors."""
LINES_PER_TASK = 8
SNIFFED_BYTES = 4096
TASK_TIMEOUT_SECONDS = 120
MAX_LINE_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class SummarizeOptions:
    """What the command was asked for."""

    points: int
    method: str | None
    language: str | None
    as_json: bool
    explain: bool


@dataclass(frozen=True, slots=True)
class InputArticle:
    """What there is to condense; `id` is whatever the input calls it, `language` what it says it is in."""

    id: object
    title: str
    text: str
    language: str = ""


@dataclass(frozen=True, slots=True)
class SummarizeResult:
    """What came of an article: what to print, or what is wrong with it.

    `without_cues` is its language where that has no words by which caveats are found.
    """

    number: int
    output: str = ""
    problem: str = ""
    language_without_cues: str = ""


NumberedLine = tuple[int, bytes]
"""A line's number, from 1, and its bytes; empty when it was too long to be read."""


def summarize_one(body: bytes, asked: SummarizeOptions, *, name: str | None, html: bool) -> None:
    """Condense one text or page and print its key points. Raises CaveatError when that cannot be done."""
    title, text = page_text(body) if html else ("", _text_of(body, name or "standard input"))
    answer = _summarize(1, InputArticle(name, title, text), asked)
    if answer.language_without_cues:
        _warn_without_cues(answer.language_without_cues)
    print_data(answer.output)


def _text_of(body: bytes, name: str) -> str:
    """Return the text of a file: UTF-8, or UTF-16 where it says so itself. Raises UsageError for no text."""
    if body.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return body.decode("utf-16", "replace")
    if b"\0" in body[:SNIFFED_BYTES]:
        raise UsageError(f"{name} is no text; it looks like a program or a picture")
    return body.decode("utf-8-sig", "replace")


def summarize_lines(stream: BinaryIO, asked: SummarizeOptions) -> bool:
    """Condense articles line by line, printing as it goes; return whether every line could be used."""
    summarizer_named(asked.method)  # an unknown name is told once, not with every line
    answers = _in_parallel if _is_large_file(stream) else _in_sequence
    whole, said = True, {""}
    for answer in answers(_numbered_lines(stream), asked):
        if answer.language_without_cues not in said:
            said.add(answer.language_without_cues)
            _warn_without_cues(answer.language_without_cues)
        if answer.problem:
            whole = False
            print_message(f"line {answer.number}: {answer.problem}; skipped")
        else:
            print_data(answer.output)
            sys.stdout.flush()
    return whole


def _in_sequence(lines: Iterator[NumberedLine], asked: SummarizeOptions) -> Iterator[SummarizeResult]:
    for line in lines:
        yield _summarize_line(line, asked)


def _in_parallel(lines: Iterator[NumberedLine], asked: SummarizeOptions) -> Iterator[SummarizeResult]:
    """Let several processes work, a few turns ahead of what is printed, and keep the order."""
    workers = processors()
    with ProcessPool(workers, seconds=TASK_TIMEOUT_SECONDS) as pool:
        ahead: deque[tuple[list[NumberedLine], Future[list[SummarizeResult]]]] = deque()
        while True:
            turn = list(islice(lines, LINES_PER_TASK))
            if turn:
                ahead.append((turn, pool.submit(_summarize_batch, turn, asked)))
            if ahead and (len(ahead) > 2 * workers or not turn):
                yield from _batch_results(*ahead.popleft())
            elif not turn:
                return


def _summarize_batch(lines: Sequence[NumberedLine], asked: SummarizeOptions) -> list[SummarizeResult]:
    return [_summarize_line(line, asked) for line in lines]


def _batch_results(
    lines: Sequence[NumberedLine], future: Future[list[SummarizeResult]]
) -> list[SummarizeResult]:
    try:
        return future.result()
    except (TimeoutError, MemoryError, BrokenExecutor):
        problem = "this line or one beside it takes more time or memory than there is"
        return [SummarizeResult(number, problem=problem) for number, _ in lines]


def _summarize_line(line: NumberedLine, asked: SummarizeOptions) -> SummarizeResult:
    number, raw = line
    try:
        return _summarize(number, _parse_line(raw), asked)
    except CaveatError as error:
        return SummarizeResult(number, problem=str(error))


def _parse_line(raw: bytes) -> InputArticle:
    """Return the article that a line holds. Raises CaveatError for one that holds none."""
    if not raw:
        raise CaveatError(f"it is longer than {MAX_LINE_BYTES >> 20} MB")
    try:
        found = json.loads(raw)
    except UnicodeDecodeError:
        raise CaveatError("it is not UTF-8") from None
    except (ValueError, RecursionError) as error:
        raise CaveatError(f"it is no JSON ({error})") from None
    if not isinstance(found, dict):
        raise CaveatError('it is no object; expected {"id": ..., "text": ...}')
    text, title = found.get("text"), found.get("title") or ""
    if not isinstance(text, str) or not isinstance(title, str):
        raise CaveatError(
            'it has no "text" that is a string' if not isinstance(text, str) else "its title is no string"
        )
    language = found.get("lang") or found.get("language") or ""
    return InputArticle(
        found.get("id"), title, text, primary_language(language) if isinstance(language, str) else ""
    )


def _summarize(number: int, article: InputArticle, asked: SummarizeOptions) -> SummarizeResult:
    """Return the article's key points as they are printed."""
    method = summarizer_named(asked.method)
    language = asked.language or article.language or detect_language(article.text)
    summary = method.summarize(article.text, title=article.title, language=language, points=asked.points)
    why: Sequence[ExplainedSentence] = ()
    if asked.explain:
        why = explain_sentences(
            method, article.text, title=article.title, language=language, points=asked.points
        )
    if asked.as_json:
        answer = summary_record(article.id, summary)
        printed = json_text(
            {**answer, "sentences": [reason_record(reason) for reason in why]} if why else answer
        )
    else:
        printed = "\n".join([summary_text(summary, title=article.title), *reason_lines(why)])
    return SummarizeResult(
        number, printed, language_without_cues="" if finds_caveats(method, language) else language
    )


def _warn_without_cues(language: str) -> None:
    print_message(f"no caveat cues for {printable(language)}: key points only")


def summary_record(article_id: object, summary: Summary) -> dict[str, object]:
    """Return a summary in the shape that --json promises."""
    return {
        "id": article_id,
        "method": summary.method,
        "key_points": [
            {
                "text": point.text,
                "start": point.start,
                "end": point.end,
                "role": point.role.value,
                "qualifies": point.qualifies,
            }
            for point in summary.key_points
        ],
        "context": [
            {"text": line.text, "start": line.start, "end": line.end, "qualifies": line.qualifies}
            for line in summary.context
        ],
    }


def reason_record(reason: ExplainedSentence) -> dict[str, object]:
    """Return a sentence's reasons as --json --explain prints them."""
    return {
        "text": reason.text,
        "role": reason.role,
        "pick": round(reason.pick, 4),
        "order": round(reason.order, 4),
        "parts": dict(reason.parts),
        "qualifies": reason.qualifies or None,
        "probability": round(reason.probability, 4),
        "reasons": dict(reason.reasons),
    }


def _numbered_lines(stream: BinaryIO) -> Iterator[NumberedLine]:
    """Yield the lines that hold something, with their numbers, never more than one in memory."""
    number = 0
    while line := stream.readline(MAX_LINE_BYTES):
        number += 1
        too_long = len(line) == MAX_LINE_BYTES and not line.endswith(b"\n")
        while too_long and (rest := stream.readline(MAX_LINE_BYTES)) and not rest.endswith(b"\n"):
            pass
        if line.strip():
            yield number, b"" if too_long else line


def _is_large_file(stream: BinaryIO) -> bool:
    """Tell whether the input lies there whole; whoever writes line by line waits for answers line by line."""
    try:
        status = os.fstat(stream.fileno())
    except (OSError, ValueError):
        return False
    return stat.S_ISREG(status.st_mode) and status.st_size > MIN_PARALLEL_BYTES and processors() > 1
