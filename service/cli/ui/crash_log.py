"""Trouble that nobody foresaw: kept in a file for whoever mends it, shown only when asked for."""

from __future__ import annotations

import os
import sys
import tempfile
import traceback
from pathlib import Path

MAX_KEPT_CHARACTERS = 200_000


def write_crash_log(error: BaseException) -> Path:
    """Append the traceback to the user's trouble file and return its path."""
    path = _state_folder() / "trouble.log"
    text = "".join(traceback.format_exception(error))
    before = (
        path.read_text(encoding="utf-8", errors="replace")[-MAX_KEPT_CHARACTERS:] if path.exists() else ""
    )
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
    with os.fdopen(os.open(path, flags, 0o600), "w", encoding="utf-8", errors="replace") as file:
        os.fchmod(file.fileno(), 0o600)  # an earlier version left it open to everybody
        file.write(f"{before}caveat {' '.join(sys.argv[1:])}\n{text}\n")
    return path


def print_traceback(error: BaseException) -> None:
    """Print the traceback, for whoever said --debug."""
    traceback.print_exception(error, file=sys.stderr)


def _state_folder() -> Path:
    """Return the folder for what a program keeps of its runs (XDG base directory specification)."""
    home = Path(os.environ.get("XDG_STATE_HOME") or Path("~/.local/state").expanduser()) / "caveat"
    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        if os.access(home, os.W_OK):
            return home
    except OSError:
        pass  # a read-only home: the temporary folder will do
    return Path(tempfile.mkdtemp(prefix="caveat-"))
