"""Input: files and standard input (`-`), and the confirmation before an action that cannot be undone."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from service.cli.ui import terminal
from service.core.errors import UsageError

STDIN = Path("-")


@contextmanager
def open_input(file: Path) -> Iterator[BinaryIO]:
    """Open the file, or standard input for `-`. Raises UsageError if it cannot be read."""
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


def require_confirmation(question: str, *, confirmed: bool) -> None:
    """Return if `confirmed` (the option --yes) or if a person answers yes. Raises UsageError otherwise."""
    if confirmed:
        return
    if not terminal.is_interactive(sys.stdin):
        raise UsageError(f"{question} Standard input is not a terminal; use --yes to confirm.")
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)  # noqa: T201 - a question is talk
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise UsageError("nothing was done")
