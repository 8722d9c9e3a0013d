"""The crash log: tracebacks of unexpected errors, in a private file of the user."""

from __future__ import annotations

import os
import sys
import tempfile
import traceback
from pathlib import Path

MAX_KEPT_CHARACTERS = 200_000  # of earlier crashes; older text is dropped


def write_crash_log(error: BaseException) -> Path:
    """Append the traceback to the user's crash log and return its path."""
    path = _state_folder() / "trouble.log"
    text = "".join(traceback.format_exception(error))
    earlier = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
    with os.fdopen(os.open(path, flags, 0o600), "w", encoding="utf-8", errors="replace") as file:
        os.fchmod(file.fileno(), 0o600)  # an earlier version created it readable by everyone
        file.write(f"{earlier[-MAX_KEPT_CHARACTERS:]}caveat {' '.join(sys.argv[1:])}\n{text}\n")
    return path


def print_traceback(error: BaseException) -> None:
    """Print the traceback on standard error."""
    traceback.print_exception(error, file=sys.stderr)


def _state_folder() -> Path:
    """Return the folder for state of the program (XDG base directory specification)."""
    home = Path(os.environ.get("XDG_STATE_HOME") or Path("~/.local/state").expanduser()) / "caveat"
    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        if os.access(home, os.W_OK):
            return home
    except OSError:
        pass  # a read-only home: use a temporary folder
    return Path(tempfile.mkdtemp(prefix="caveat-"))
