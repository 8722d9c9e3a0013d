"""The command line: finds the module that holds a command, and imports nothing before that."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import typer

from service.cli.ui.command_list import ENTRIES
from service.cli.ui.help import HELP_NAMES, Group
from service.cli.ui.output import data, say, sentence

DONE, WRONG, INTERRUPTED = 0, 2, 130


class Contents(Group):
    """The root of the command line, which finds its commands in the table of contents."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ANN401, ARG002 - typer keeps click's types to itself
        """Return the names of the commands, in the order of the table."""
        return list(ENTRIES)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ANN401, ARG002 - as above
        """Return the command of that name, from the module that holds it; None when there is none."""
        entry = ENTRIES.get(cmd_name)
        if entry is None:
            return None
        chapter = typer.main.get_group(import_module(f"service.cli.{entry.module}").chapter)
        return chapter.commands.get(entry.name, chapter)


app = typer.Typer(
    cls=Contents,
    no_args_is_help=True,
    add_help_option=False,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings=HELP_NAMES,
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
        return INTERRUPTED
    except typer.TyperException as error:
        return _misused(error)
    return DONE


def _misused(error: typer.TyperException) -> int:
    context = getattr(error, "ctx", None)
    if type(error).__name__ == "NoArgsIsHelpError":
        data(error.format_message())  # whoever asks for nothing gets the manual
        return WRONG
    path = context.command_path if context else "caveat"
    say(f"{path}: {sentence(error.format_message(), capital=False)} See {path} --help.")
    return error.exit_code
