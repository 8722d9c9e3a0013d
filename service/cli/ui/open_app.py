"""How a command gets the application: load the configuration, open the database, set the exit code."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

import typer

from service.app.config.in_force import apply_if_changed, roster_in_force
from service.app.factories.application import Application, open_application
from service.app.factories.config_folder import LoadedConfig
from service.cli.ui import context
from service.cli.ui.output import as_sentence, print_message
from service.core.errors import ChangeHeld
from service.runtime.event_loop import run

AppTask = Callable[[Application], Awaitable[bool]]
"""The work of a command; returns whether all of it succeeded."""


def run_in_app(task: AppTask, *, apply_roster: bool = False, needs_files: bool = False) -> None:
    """Run the task in the configured application; exit with 1 if some of it failed.

    `apply_roster` first applies the feeds, newsletters and subscribers of the configuration files. With
    `needs_files` a broken roster file is an error, and so is a change that the guard holds back; other
    commands then work with what was applied last.
    """
    if context.options().debug:
        from service.runtime.logging import configure_logs  # noqa: PLC0415 - structlog takes a tenth of a second

        configure_logs("debug")
    else:
        _silence_logs()
    loaded = context.load_config(tolerant=True) if needs_files else context.load_for_database()
    context.print_warnings(loaded)

    async def run_task() -> bool:
        async with open_application(loaded.settings, loaded.roster) as app:
            await _set_roster(app, loaded, apply_roster=apply_roster, needs_files=needs_files)
            return await task(app)

    if not run(run_task()):
        raise typer.Exit(1)


async def _set_roster(
    app: Application, loaded: LoadedConfig, *, apply_roster: bool, needs_files: bool
) -> None:
    """Apply the roster of the files, or take the last one. Raises ChangeHeld with `needs_files`."""
    if loaded.faults:
        app.roster = await roster_in_force(app)
    elif apply_roster:
        try:
            await apply_if_changed(app)
        except ChangeHeld as held:
            if needs_files:
                raise
            print_message(as_sentence(str(held)))
            app.roster = await roster_in_force(app, loaded.roster)


def _silence_logs() -> None:
    """Write only critical lines to standard error: the command prints its own result."""
    root = logging.getLogger()
    root.handlers[:] = [logging.StreamHandler()]
    root.setLevel(logging.CRITICAL)
