"""Config files as they are saved, for an editors' page: a window of numbered lines, with secrets hidden."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from service.core.errors import UsageError
from service.core.secret import HIDDEN
from service.settings.config_files import CONFIG_FILES
from service.settings.errors import SECRET_KEYS

LINES_PER_PAGE = 200
MAX_LINE_CHARACTERS = 400
FILE_NAMES = tuple(CONFIG_FILES)

_SECRET = re.compile(
    r"""(?ix) (?<![\w-])
    (?P<key> [\w-]{0,100} (?:{keys}|passw|token|secret) [\w-]{0,100} (?<!_file) ["']? \s* : )
    (?P<value> .*)""".replace("{keys}", "|".join(map(re.escape, sorted(SECRET_KEYS))))
)
"""A key whose value is secret, also in a comment. Any key that sounds like one counts, but for files."""

_LOGIN = re.compile(r"(?<=://)[^/\s]+@")
"""User name and password in an address; the password may contain an @."""

_ESCAPED = {"'": re.compile("''"), '"': re.compile(r"\\.")}
"""What does not end a quoted value, by its quote."""

_LINE_END = re.compile(r"\r\n|\r|\n")
"""What ends a line in YAML 1.2. `str.splitlines` also splits inside of a value, whose rest would be shown."""


@dataclass(frozen=True, slots=True)
class ListedLine:
    """A line of a config file, as it may be shown."""

    number: int
    text: str


@dataclass(frozen=True, slots=True)
class FileListing:
    """Some lines of a config file. `previous` and `next` are first lines of the windows around it, or 0."""

    name: str
    lines: tuple[ListedLine, ...]
    total: int
    previous: int
    next: int


async def list_file(folder: Path, name: str, first: int = 1) -> FileListing:
    """Return the lines of a config file from line `first` on. Raises UsageError for another file."""
    if name not in FILE_NAMES:
        raise UsageError(f"there is no config file {name!r}; there are {', '.join(FILE_NAMES)}")
    try:
        data = await asyncio.to_thread((folder / name).read_bytes)
    except OSError as error:
        raise UsageError(f"{name} cannot be read: {error.strerror}") from error
    shown = await asyncio.to_thread(
        lambda: list(without_secrets(_lines(data.decode("utf-8-sig", "replace"))))
    )
    start = max(0, min(first, len(shown)) - 1)
    end = start + LINES_PER_PAGE
    return FileListing(
        name,
        tuple(ListedLine(number, text) for number, text in enumerate(shown[start:end], start + 1)),
        len(shown),
        previous=max(1, start + 1 - LINES_PER_PAGE) if start else 0,
        next=end + 1 if end < len(shown) else 0,
    )


def without_secrets(lines: Iterable[str]) -> Iterator[str]:
    """Yield the lines with each secret value as asterisks, also one that goes on in the next lines.

    The lines are judged by themselves, so that a file with faults can be shown as well.
    """
    hidden_deeper_than: int | None = None
    quote = ""
    for line in lines:
        indent = len(line) - len(line.lstrip(" "))
        is_deeper = hidden_deeper_than is not None and (not line.strip() or indent > hidden_deeper_than)
        if quote or is_deeper:
            yield " " * indent + HIDDEN if line.strip() else ""
            quote = _open_quote(line, quote)
            continue
        hidden_deeper_than = None
        found = _SECRET.search(line)
        if found is None:
            yield _LOGIN.sub(f"{HIDDEN}@", line)[:MAX_LINE_CHARACTERS]
            continue
        value = found["value"].strip()
        hidden_deeper_than, quote = indent, _open_quote(value[1:], value[:1])
        yield line[: found.start("value")] + (f" {HIDDEN}" if value else "")


def _open_quote(text: str, quote: str) -> str:
    """Return the quote if the text does not close it, else "": a quoted value may go on in any column."""
    escaped = _ESCAPED.get(quote)
    return quote if escaped and quote not in escaped.sub("", text) else ""


def _lines(text: str) -> Sequence[str]:
    lines = _LINE_END.split(text)
    return lines if lines[-1] else lines[:-1]
