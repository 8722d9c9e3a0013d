"""The terminal: how wide it is, and whether it wants colours."""

from __future__ import annotations

import os
import shutil
import sys
from typing import TextIO

MIN_COLUMNS, MAX_COLUMNS = 40, 100


def width() -> int:
    """Return how many columns text for people may take: those of the terminal, within limits."""
    return max(MIN_COLUMNS, min(shutil.get_terminal_size((80, 24)).columns, MAX_COLUMNS))


def is_interactive(stream: TextIO) -> bool:
    """Tell whether somebody is looking at the stream, rather than a file or a program."""
    try:
        return stream.isatty()
    except ValueError:  # closed already
        return False


def wants_colour(stream: TextIO) -> bool:
    """Tell whether the stream may be given colours: a terminal, not a dumb one, no NO_COLOR."""
    return is_interactive(stream) and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def bold(text: str) -> str:
    """Return the text in bold where standard output wants colours."""
    return _styled(text, "1")


def cyan(text: str) -> str:
    """Return the text in cyan where standard output wants colours."""
    return _styled(text, "36")


def yellow(text: str) -> str:
    """Return the text in yellow where standard output wants colours."""
    return _styled(text, "33")


def _styled(text: str, code: str) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if wants_colour(sys.stdout) else text
