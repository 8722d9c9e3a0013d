"""The command tree: a lazy group that imports the module of a command by name, and our help pages."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any, Protocol, TypeVar

import typer
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

from service.cli.ui.help_page import GLOBAL_OPTIONS, HELP_OPTIONS, HelpPage, Row
from service.cli.ui.output import as_sentence, print_data, print_message
from service.cli.ui.root_help import COMMANDS
from service.core.errors import UnknownName

Function = TypeVar("Function", bound=Callable[..., Any])
ClickObject = Any  # click's Context, Command or Parameter: typer bundles click and does not export them

EXIT_DONE, EXIT_MISUSED, EXIT_INTERRUPTED = 0, 2, 130
NUMBER_RANGE = re.compile(r"(\d+)<=x<=(\d+)")
CONTEXT_SETTINGS = {"help_option_names": list(HELP_OPTIONS)}


class HelpWriter(Protocol):
    """The part of click's HelpFormatter that a page is written to."""

    def write(self, string: str) -> None:
        """Append the text to the output."""


class HelpPageCommand(TyperCommand):
    """A command with our help page; its `epilog` contains the examples, one per line."""

    def format_help(self, ctx: ClickObject, formatter: HelpWriter) -> None:
        """Write usage, description, arguments, options by panel, and examples."""
        page = HelpPage()
        page.usage(ctx.command_path, [_argument_name(p) for p in self.params if isinstance(p, TyperArgument)])
        page.prose(self.help or "")
        for title, rows in _panels(ctx, self.params).items():
            page.section(title, rows)
        page.section("Everywhere", GLOBAL_OPTIONS)
        page.examples((self.epilog or "").splitlines())
        formatter.write(page.text())


class HelpPageGroup(TyperGroup):
    """A group of commands with our help page; for an unknown command it suggests a known one."""

    def format_help(self, ctx: ClickObject, formatter: HelpWriter) -> None:
        """Write usage, description and the commands."""
        page = HelpPage()
        page.usage(ctx.command_path, ["COMMAND"])
        page.prose(self.help or "")
        page.section("Commands", [(name, self.summary(name)) for name in self.list_commands(ctx)])
        page.section("Everywhere", GLOBAL_OPTIONS)
        page.prose(f"{ctx.command_path} COMMAND --help describes a command.")
        formatter.write(page.text())

    def parse_args(self, ctx: ClickObject, args: list[str]) -> list[str]:
        """Show the page for -h and --help.

        They are not declared as an option: typer would import pydantic for any option of a group.
        """
        if args and args[0] in HELP_OPTIONS:
            print_data(ctx.get_help())
            raise typer.Exit
        return super().parse_args(ctx, args)

    def summary(self, name: str) -> str:
        """Return the first line of a command's help."""
        return (self.commands[name].help or "").partition("\n")[0]

    def resolve_command(self, ctx: ClickObject, args: list[str]) -> ClickObject:
        """Return the command that the first argument names. Raises UnknownName."""
        if not args[0].startswith("-") and self.get_command(ctx, args[0]) is None:
            raise UnknownName("command", args[0], self.list_commands(ctx))
        return super().resolve_command(ctx, args)


class RootGroup(HelpPageGroup):
    """The group `caveat`: it imports the module of a command when that command is looked up."""

    def list_commands(self, ctx: ClickObject) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the names of the commands, in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: ClickObject, cmd_name: str) -> ClickObject:  # noqa: ARG002 - click's signature
        """Return the command or group of that name, None if there is none."""
        found = COMMANDS.get(cmd_name)
        if found is None:
            return None
        group = typer.main.get_group(import_module(f"service.cli.{found.module}").commands)
        return group.commands.get(found.name, group)


class CommandTyper(typer.Typer):
    """The commands of a module, with our help pages. A `name` makes them a group; else they stand alone."""

    def __init__(
        self, help_text: str = "", name: str | None = None, group: type[TyperGroup] = HelpPageGroup
    ) -> None:
        super().__init__(
            name=name,
            cls=group,
            help=help_text,
            no_args_is_help=True,
            add_help_option=False,
            add_completion=False,
            rich_markup_mode=None,
            pretty_exceptions_enable=False,
            context_settings=CONTEXT_SETTINGS,
        )

    def add(self, name: str, examples: str = "") -> Callable[[Function], Function]:
        """Register a function as the command `name`, with examples for its help page."""
        return self.command(
            name, cls=HelpPageCommand, epilog=inspect.cleandoc(examples), context_settings=CONTEXT_SETTINGS
        )


ROOT = typer.main.get_group(CommandTyper(group=RootGroup))


def invoke(words: list[str]) -> int:
    """Run the command that the words name and return its exit code; report wrong usage on stderr."""
    try:
        with ROOT.make_context("caveat", words) as context:
            ROOT.invoke(context)
    except typer.Exit as leaving:
        return leaving.exit_code
    except typer.Abort:
        return EXIT_INTERRUPTED
    except typer.TyperException as error:
        return _report_misuse(error)
    return EXIT_DONE


def _report_misuse(error: typer.TyperException) -> int:
    context = getattr(error, "ctx", None)
    if type(error).__name__ == "NoArgsIsHelpError":  # typer does not export the class
        print_data(error.format_message())
        return EXIT_MISUSED
    path = context.command_path if context else "caveat"
    print_message(f"{path}: {as_sentence(error.format_message(), capital=False)} See {path} --help.")
    return error.exit_code


def _argument_name(argument: TyperArgument) -> str:
    name = argument.metavar or argument.name.upper()
    dots = "..." if argument.nargs != 1 else ""
    return f"{name}{dots}" if argument.required else f"[{name}{dots}]"


def _panels(ctx: ClickObject, parameters: Sequence[ClickObject]) -> dict[str, list[Row]]:
    """Return the parameters by panel: arguments first, options without a panel last."""
    panels: dict[str, list[Row]] = {"Arguments": []}
    plain: list[Row] = []
    for parameter in parameters:
        row = parameter.get_help_record(ctx)
        if isinstance(parameter, TyperArgument) and parameter.help:
            panels["Arguments"].append((_argument_name(parameter), parameter.help))
        elif isinstance(parameter, TyperOption) and row is not None:
            panel = panels.setdefault(parameter.rich_help_panel, []) if parameter.rich_help_panel else plain
            panel.append((row[0], NUMBER_RANGE.sub(r"\1 to \2", row[1]).replace("x>=", "at least ")))
    return {**panels, "Options": plain}
