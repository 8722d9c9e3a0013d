"""The manual: every command and group of commands explains itself on a page."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar

import typer
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

from service.cli.ui.help_page import GLOBAL_OPTIONS, HELP_OPTIONS, HelpPage, Row
from service.cli.ui.output import print_data
from service.core.errors import UnknownName

Function = TypeVar("Function", bound=Callable[..., Any])

NUMBER_RANGE = re.compile(r"(\d+)<=x<=(\d+)")
HELP_OPTION_NAMES = {"help_option_names": list(HELP_OPTIONS)}


class HelpWriter(Protocol):
    """What a page is written on (typer keeps its own classes for it to itself)."""

    def write(self, string: str) -> None:
        """Add text."""


class HelpPageCommand(TyperCommand):
    """A command whose help is a page of the manual; its `epilog` holds examples, one a line."""

    def format_help(self, ctx: Any, formatter: HelpWriter) -> None:  # noqa: ANN401 - as Sheet
        """Write the page: usage, what it does, arguments, options by panel, examples."""
        page = HelpPage()
        page.usage(ctx.command_path, [_name_of(p) for p in self.params if isinstance(p, TyperArgument)])
        page.prose(self.help or "")
        for title, rows in _panels(ctx, self.params).items():
            page.section(title, rows)
        page.section("Everywhere", GLOBAL_OPTIONS)
        page.examples((self.epilog or "").splitlines())
        formatter.write(page.text())


class HelpPageGroup(TyperGroup):
    """A command that only holds others; a name that it does not hold gets a suggestion."""

    def format_help(self, ctx: Any, formatter: HelpWriter) -> None:  # noqa: ANN401 - as Sheet
        """Write the page: usage, what it is for, what it holds."""
        page = HelpPage()
        page.usage(ctx.command_path, ["COMMAND"])
        page.prose(self.help or "")
        page.section("Commands", [(name, self.summary(name)) for name in self.list_commands(ctx)])
        page.section("Everywhere", GLOBAL_OPTIONS)
        page.prose(f"{ctx.command_path} COMMAND --help tells everything about one of them.")
        formatter.write(page.text())

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 - as Sheet
        """Show the page when that is asked for.

        Not by an option: typer loads pydantic for each option of a group, whatever is asked of the group.
        """
        if args and args[0] in HELP_OPTIONS:
            print_data(ctx.get_help())
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


class CommandTyper(typer.Typer):
    """A typer app whose commands and groups explain themselves as pages of this manual."""

    def __init__(self, help_text: str = "", name: str | None = None) -> None:
        super().__init__(
            name=name,
            cls=HelpPageGroup,
            help=help_text,
            no_args_is_help=True,
            add_help_option=False,
            add_completion=False,
            rich_markup_mode=None,
            pretty_exceptions_enable=False,
            context_settings=HELP_OPTION_NAMES,
        )

    def add(self, name: str, examples: str = "") -> Callable[[Function], Function]:
        """Register a function as the command `name`, with examples for the end of its page."""
        return self.command(
            name, cls=HelpPageCommand, epilog=inspect.cleandoc(examples), context_settings=HELP_OPTION_NAMES
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
            record = record[0], NUMBER_RANGE.sub(r"\1 to \2", record[1])
            (panels.setdefault(parameter.rich_help_panel, []) if parameter.rich_help_panel else plain).append(
                record
            )
    return {**panels, "Options": plain}
