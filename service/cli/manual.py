"""The manual: help pages as plain, aligned text, made without loading any library for it."""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol, TypeVar

import typer
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

from service.cli import terminal
from service.cli.output import data
from service.core.errors import UnknownName

Function = TypeVar("Function", bound=Callable[..., Any])

Row = tuple[str, str]
"""A name and what it means."""

MARGIN = "  "
WIDEST_NAME = 26
EVERYWHERE: tuple[Row, ...] = (
    ("--config DIR", "The folder of configuration (or set CAVEAT_CONFIG; without either: ./config)."),
    ("--debug", "Show what happens inside, with tracebacks."),
    ("-h, --help", "Show this page."),
)
RANGE = re.compile(r"(\d+)<=x<=(\d+)")
HELP_NAMES = {"help_option_names": ["-h", "--help"]}


class Sheet(Protocol):
    """What a page is written on (typer keeps its own classes for it to itself)."""

    def write(self, string: str) -> None:
        """Add text."""


class Command(TyperCommand):
    """A command whose help is a page of the manual; its `epilog` holds examples, one a line."""

    def format_help(self, ctx: Any, formatter: Sheet) -> None:  # noqa: ANN401 - as Sheet
        """Write the page: usage, what it does, arguments, options by panel, examples."""
        page = Page()
        page.usage(ctx.command_path, [_name_of(p) for p in self.params if isinstance(p, TyperArgument)])
        page.prose(self.help or "")
        for title, rows in _panels(ctx, self.params).items():
            page.section(title, rows)
        page.section("Everywhere", EVERYWHERE)
        page.examples((self.epilog or "").splitlines())
        formatter.write(page.text())


class Group(TyperGroup):
    """A command that only holds others; a name that it does not hold gets a suggestion."""

    def format_help(self, ctx: Any, formatter: Sheet) -> None:  # noqa: ANN401 - as Sheet
        """Write the page: usage, what it is for, what it holds."""
        page = Page()
        page.usage(ctx.command_path, ["COMMAND"])
        page.prose(self.help or "")
        page.section("Commands", [(name, self.summary(name)) for name in self.list_commands(ctx)])
        page.section("Everywhere", EVERYWHERE)
        page.prose(f"{ctx.command_path} COMMAND --help tells everything about one of them.")
        formatter.write(page.text())

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 - as Sheet
        """Show the page when that is asked for.

        Not by an option: typer loads pydantic for each option of a group, whatever is asked of the group.
        """
        if args and args[0] in HELP_NAMES["help_option_names"]:
            data(ctx.get_help())
            raise typer.Exit
        return super().parse_args(ctx, args)

    def summary(self, name: str) -> str:
        """Return the first sentence of a command's help."""
        return (self.commands[name].help or "").partition("\n")[0]

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:  # noqa: ANN401 - as Sheet
        """Return the command that the first argument names. Raises UnknownName."""
        if not args[0].startswith("-") and self.get_command(ctx, args[0]) is None:
            raise UnknownName("command", args[0], self.list_commands(ctx))
        return super().resolve_command(ctx, args)


class Chapter(typer.Typer):
    """A typer app whose commands and groups explain themselves as pages of this manual."""

    def __init__(self, about: str = "", name: str | None = None) -> None:
        super().__init__(
            name=name,
            cls=Group,
            help=about,
            no_args_is_help=True,
            add_help_option=False,
            add_completion=False,
            rich_markup_mode=None,
            pretty_exceptions_enable=False,
            context_settings=HELP_NAMES,
        )

    def page(self, name: str, examples: str = "") -> Callable[[Function], Function]:
        """Register a function as the command `name`, with examples for the end of its page."""
        return self.command(name, cls=Command, epilog=inspect.cleandoc(examples), context_settings=HELP_NAMES)


class Page:
    """A help page under construction; the meanings in all its lists begin in one column."""

    def __init__(self) -> None:
        self._parts: list[str | tuple[Row, ...]] = []
        self._width = terminal.width()

    def usage(self, path: str, arguments: Sequence[str]) -> None:
        """Begin with how the command is written."""
        written = " ".join([terminal.bold(path), *arguments, "[OPTIONS]"])
        self._parts += [f"{terminal.bold('Usage:')} {written}", ""]

    def prose(self, text: str) -> None:
        """Add paragraphs, wrapped; indented ones stay as they are."""
        for paragraph in inspect.cleandoc(text).split("\n\n") if text else ():
            kept = paragraph.startswith("    ")
            self._parts += [paragraph] if kept else self._wrapped(" ".join(paragraph.split()), MARGIN)
            self._parts.append("")

    def section(self, title: str, rows: Iterable[Row]) -> None:
        """Add a titled list of names and meanings."""
        if found := tuple(rows):
            self._parts += [terminal.bold(title), found, ""]

    def examples(self, lines: Iterable[str]) -> None:
        """Add example commands, word for word."""
        if found := [MARGIN + line for line in lines]:
            self._parts += [terminal.bold("Examples"), *found, ""]

    def text(self) -> str:
        """Return the page."""
        lists = [part for part in self._parts if not isinstance(part, str)]
        widest = max((len(name) for rows in lists for name, _ in rows), default=0)
        column = min(widest, WIDEST_NAME, self._width // 2) + len(MARGIN) + 2
        lines: list[str] = []
        for part in self._parts:
            lines += [part] if isinstance(part, str) else self._columns(part, column)
        return "\n".join(lines)

    def _columns(self, rows: Iterable[Row], column: int) -> Iterable[str]:
        for name, meaning in rows:
            lines = self._wrapped(meaning, " " * column)
            if lines and len(MARGIN) + len(name) + 2 <= column:
                yield MARGIN + terminal.cyan(name) + lines[0][len(MARGIN) + len(name) :]
                yield from lines[1:]
            else:
                yield MARGIN + terminal.cyan(name)
                yield from lines

    def _wrapped(self, text: str, indent: str) -> list[str]:
        return textwrap.wrap(
            text, self._width, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False
        )


def _name_of(argument: TyperArgument) -> str:
    name = argument.metavar or argument.name.upper()
    dots = "..." if argument.nargs != 1 else ""
    return f"{name}{dots}" if argument.required else f"[{name}{dots}]"


def _panels(ctx: Any, parameters: Sequence[Any]) -> dict[str, list[Row]]:  # noqa: ANN401 - as Sheet
    """Return the parameters by the panel that they name; arguments come first, plain options last."""
    panels: dict[str, list[Row]] = {"Arguments": []}
    plain: list[Row] = []
    for parameter in parameters:
        record = parameter.get_help_record(ctx)
        if isinstance(parameter, TyperArgument) and parameter.help:
            panels["Arguments"].append((_name_of(parameter), parameter.help))
        elif isinstance(parameter, TyperOption) and record is not None:
            record = record[0], RANGE.sub(r"\1 to \2", record[1])
            (panels.setdefault(parameter.rich_help_panel, []) if parameter.rich_help_panel else plain).append(
                record
            )
    return {**panels, "Options": plain}
