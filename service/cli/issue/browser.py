"""The browser of the person at the terminal: opens an address, or a page that is written to a file."""

from __future__ import annotations

import os
import sys
import tempfile
import webbrowser
from pathlib import Path


def open_address(url: str) -> bool:
    """Open the address in the browser; return whether there is a display and a browser for it."""
    return has_display() and webbrowser.open(url)


def has_display() -> bool:
    """Return whether a browser could be shown: a text browser in the terminal would hide the output."""
    if sys.platform in {"darwin", "win32"}:
        return True
    return any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))


def page_file(html: bytes, prefix: str) -> str:
    """Write the page to a new temporary file that only this user can read; return its address.

    It stays, because the browser reads it later.
    """
    with tempfile.NamedTemporaryFile(prefix=prefix, suffix=".html", delete=False) as file:
        file.write(html)
    return Path(file.name).as_uri()
