"""The terminal: its width, whether a person uses it, and its colours."""

from __future__ import annotations

import os
import shutil
import sys
from typing import TextIO

MIN_COLUMNS, MAX_COLUMNS = 40, 100


def width() -> int:
    """Return the columns of a line of text: those of the terminal, within the limits above."""
    return max(MIN_COLUMNS, min(shutil.get_terminal_size((80, 24)).columns, MAX_COLUMNS))


def is_interactive(stream: TextIO) -> bool:
    """Return whether the stream is a terminal, not a file or a pipe."""
    try:
        return stream.isatty()
    except ValueError:  # the stream is closed
        return False


def wants_colour(stream: TextIO) -> bool:
    """Return whether to colour the stream: a terminal that is not dumb, and no NO_COLOR."""
    return is_interactive(stream) and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def bold(text: str) -> str:
    """Return the text in bold if standard output takes colours."""
    return _styled(text, "1")


def dim(text: str) -> str:
    """Return quieter text, if standard output shows colours."""
    return _styled(text, "2")


def cyan(text: str) -> str:
    """Return the text in cyan if standard output takes colours."""
    return _styled(text, "36")


def yellow(text: str) -> str:
    """Return the text in yellow if standard output takes colours."""
    return _styled(text, "33")


def _styled(text: str, code: str) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if wants_colour(sys.stdout) else text
