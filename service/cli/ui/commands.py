"""The command line: finds the module that holds a command, and imports nothing before that."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import typer

from service.cli.ui.command_list import COMMANDS
from service.cli.ui.help import HELP_OPTION_NAMES, HelpPageGroup
from service.cli.ui.output import as_sentence, print_data, print_message

EXIT_DONE, EXIT_MISUSED, EXIT_INTERRUPTED = 0, 2, 130


class RootGroup(HelpPageGroup):
    """The root of the command line, which finds its commands in the table of contents."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ANN401, ARG002 - typer keeps click's types to itself
        """Return the names of the commands, in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ANN401, ARG002 - as above
        """Return the command of that name, from the module that holds it; None when there is none."""
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        chapter = typer.main.get_group(import_module(f"service.cli.{entry.module}").chapter)
        return chapter.commands.get(entry.name, chapter)


app = typer.Typer(
    cls=RootGroup,
    no_args_is_help=True,
    add_help_option=False,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings=HELP_OPTION_NAMES,
)


@app.callback()
def caveat() -> None:
    """Hold the commands; the options that hold for every one of them are taken by main."""


def invoke(words: list[str]) -> int:
    """Run the command that the words name and return its exit code; say how one was used wrongly."""
    command = typer.main.get_command(app)
    try:
        with command.make_context("caveat", words) as context:
            command.invoke(context)
    except typer.Exit as leaving:
        return leaving.exit_code
    except typer.Abort:
        return EXIT_INTERRUPTED
    except typer.TyperException as error:
        return _report_misuse(error)
    return EXIT_DONE


def _report_misuse(error: typer.TyperException) -> int:
    context = getattr(error, "ctx", None)
    if type(error).__name__ == "NoArgsIsHelpError":
        print_data(error.format_message())  # whoever asks for nothing gets the manual
        return EXIT_MISUSED
    path = context.command_path if context else "caveat"
    print_message(f"{path}: {as_sentence(error.format_message(), capital=False)} See {path} --help.")
    return error.exit_code
