"""A help page: plain, aligned text, built without any library so that `caveat --help` is fast."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Iterable, Sequence

from service.cli.ui import terminal

Row = tuple[str, str]
"""The name of an option, argument or command, and its description."""

INDENT = "  "
MAX_NAME_COLUMNS = 26  # a longer name gets a line of its own
HELP_OPTIONS = ("-h", "--help")
GLOBAL_OPTIONS: tuple[Row, ...] = (
    ("--config DIR", "Configuration folder (default: $CAVEAT_CONFIG, else ./config)."),
    ("--debug", "Show debug logs and tracebacks."),
    (", ".join(HELP_OPTIONS), "Show this page."),
)


class HelpPage:
    """A help page under construction; the descriptions of all its lists start in the same column."""

    def __init__(self) -> None:
        self._parts: list[str | tuple[Row, ...]] = []
        self._width = terminal.width()

    def usage(self, path: str, arguments: Sequence[str]) -> None:
        """Add the usage line of the command `path`."""
        usage = " ".join([terminal.bold(path), *arguments, "[OPTIONS]"])
        self._parts += [f"{terminal.bold('Usage:')} {usage}", ""]

    def prose(self, text: str) -> None:
        """Add paragraphs, wrapped to the width of the page."""
        for paragraph in inspect.cleandoc(text).split("\n\n") if text else ():
            self._parts += [*self._wrapped(" ".join(paragraph.split()), INDENT), ""]

    def section(self, title: str, rows: Iterable[Row]) -> None:
        """Add a titled list of names and descriptions; an empty one adds nothing."""
        if found := tuple(rows):
            self._parts += [terminal.bold(title), found, ""]

    def examples(self, lines: Iterable[str]) -> None:
        """Add example commands, unwrapped."""
        if found := [INDENT + line for line in lines]:
            self._parts += [terminal.bold("Examples"), *found, ""]

    def text(self) -> str:
        """Return the page as text."""
        lists = [part for part in self._parts if not isinstance(part, str)]
        widest = max((len(name) for rows in lists for name, _ in rows), default=0)
        column = min(widest, MAX_NAME_COLUMNS, self._width // 2) + len(INDENT) + 2
        lines: list[str] = []
        for part in self._parts:
            lines += [part] if isinstance(part, str) else self._columns(part, column)
        return "\n".join(lines)

    def _columns(self, rows: Iterable[Row], column: int) -> Iterable[str]:
        for name, description in rows:
            lines = self._wrapped(description, " " * column)
            if lines and len(INDENT) + len(name) + 2 <= column:
                yield INDENT + terminal.cyan(name) + lines[0][len(INDENT) + len(name) :]
                yield from lines[1:]
            else:
                yield INDENT + terminal.cyan(name)
                yield from lines

    def _wrapped(self, text: str, indent: str) -> list[str]:
        return textwrap.wrap(
            text, self._width, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False
        )
