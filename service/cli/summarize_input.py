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

from service.app.process_pool.pool import Pool, processors
from service.app.summarize import (
    Reason,
    finds_caveats,
    language_of,
    method_named,
    page_text,
    primary,
    reasons,
)
from service.cli.ui.output import clean, data, json_text, say
from service.cli.ui.summary_view import reasons_of, summary_of
from service.core.errors import CaveatError, UsageError
from service.core.model import Summary

WORTH_SHARING = 4 * 1024 * 1024
"""From how many bytes on a file of articles is shared out among the processors."""
LINES_A_TURN = 8
SNIFFED = 4096
SECONDS_A_TURN = 120
LONGEST_LINE = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command was asked for."""

    points: int
    method: str | None
    language: str | None
    as_json: bool
    explain: bool


@dataclass(frozen=True, slots=True)
class Article:
    """What there is to condense; `id` is whatever the input calls it, `language` what it says it is in."""

    id: object
    title: str
    text: str
    language: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of an article: what to print, or what is wrong with it.

    `without_cues` is its language where that has no words by which caveats are found.
    """

    number: int
    printed: str = ""
    problem: str = ""
    without_cues: str = ""


Line = tuple[int, bytes]
"""A line's number, from 1, and its bytes; empty when it was too long to be read."""


def summarize_one(body: bytes, asked: Asked, *, name: str | None, html: bool) -> None:
    """Condense one text or page and print its key points. Raises CaveatError when that cannot be done."""
    title, text = page_text(body) if html else ("", _text_of(body, name or "standard input"))
    answer = _condensed(1, Article(name, title, text), asked)
    if answer.without_cues:
        _say_without_cues(answer.without_cues)
    data(answer.printed)


def _text_of(body: bytes, name: str) -> str:
    """Return the text of a file: UTF-8, or UTF-16 where it says so itself. Raises UsageError for no text."""
    if body.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return body.decode("utf-16", "replace")
    if b"\0" in body[:SNIFFED]:
        raise UsageError(f"{name} is no text; it looks like a program or a picture")
    return body.decode("utf-8-sig", "replace")


def summarize_lines(stream: BinaryIO, asked: Asked) -> bool:
    """Condense articles line by line, printing as it goes; return whether every line could be used."""
    method_named(asked.method)  # an unknown name is told once, not with every line
    answers = _shared_out if _is_large_file(stream) else _one_by_one
    whole, said = True, {""}
    for answer in answers(_numbered(stream), asked):
        if answer.without_cues not in said:
            said.add(answer.without_cues)
            _say_without_cues(answer.without_cues)
        if answer.problem:
            whole = False
            say(f"line {answer.number}: {answer.problem}; skipped")
        else:
            data(answer.printed)
            sys.stdout.flush()
    return whole


def _one_by_one(lines: Iterator[Line], asked: Asked) -> Iterator[Answer]:
    for line in lines:
        yield _answered(line, asked)


def _shared_out(lines: Iterator[Line], asked: Asked) -> Iterator[Answer]:
    """Let several processes work, a few turns ahead of what is printed, and keep the order."""
    workers = processors()
    with Pool(workers, seconds=SECONDS_A_TURN) as pool:
        ahead: deque[tuple[list[Line], Future[list[Answer]]]] = deque()
        while True:
            turn = list(islice(lines, LINES_A_TURN))
            if turn:
                ahead.append((turn, pool.submit(_turn, turn, asked)))
            if ahead and (len(ahead) > 2 * workers or not turn):
                yield from _result(*ahead.popleft())
            elif not turn:
                return


def _turn(lines: Sequence[Line], asked: Asked) -> list[Answer]:
    return [_answered(line, asked) for line in lines]


def _result(lines: Sequence[Line], future: Future[list[Answer]]) -> list[Answer]:
    try:
        return future.result()
    except (TimeoutError, MemoryError, BrokenExecutor):
        problem = "this line or one beside it takes more time or memory than there is"
        return [Answer(number, problem=problem) for number, _ in lines]


def _answered(line: Line, asked: Asked) -> Answer:
    number, raw = line
    try:
        return _condensed(number, _read(raw), asked)
    except CaveatError as error:
        return Answer(number, problem=str(error))


def _read(raw: bytes) -> Article:
    """Return the article that a line holds. Raises CaveatError for one that holds none."""
    if not raw:
        raise CaveatError(f"it is longer than {LONGEST_LINE >> 20} MB")
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
    return Article(found.get("id"), title, text, primary(language) if isinstance(language, str) else "")


def _condensed(number: int, article: Article, asked: Asked) -> Answer:
    """Return the article's key points as they are printed."""
    method = method_named(asked.method)
    language = asked.language or article.language or language_of(article.text)
    summary = method.summarize(article.text, title=article.title, language=language, points=asked.points)
    why: Sequence[Reason] = ()
    if asked.explain:
        why = reasons(method, article.text, title=article.title, language=language, points=asked.points)
    if asked.as_json:
        answer = answer_of(article.id, summary)
        printed = json_text({**answer, "sentences": [reason_of(reason) for reason in why]} if why else answer)
    else:
        printed = "\n".join([summary_of(summary, title=article.title), *reasons_of(why)])
    return Answer(number, printed, without_cues="" if finds_caveats(method, language) else language)


def _say_without_cues(language: str) -> None:
    say(f"no caveat cues for {clean(language)}: key points only")


def answer_of(article_id: object, summary: Summary) -> dict[str, object]:
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


def reason_of(reason: Reason) -> dict[str, object]:
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


def _numbered(stream: BinaryIO) -> Iterator[Line]:
    """Yield the lines that hold something, with their numbers, never more than one in memory."""
    number = 0
    while line := stream.readline(LONGEST_LINE):
        number += 1
        too_long = len(line) == LONGEST_LINE and not line.endswith(b"\n")
        while too_long and (rest := stream.readline(LONGEST_LINE)) and not rest.endswith(b"\n"):
            pass
        if line.strip():
            yield number, b"" if too_long else line


def _is_large_file(stream: BinaryIO) -> bool:
    """Tell whether the input lies there whole; whoever writes line by line waits for answers line by line."""
    try:
        status = os.fstat(stream.fileno())
    except (OSError, ValueError):
        return False
    return stat.S_ISREG(status.st_mode) and status.st_size > WORTH_SHARING and processors() > 1
