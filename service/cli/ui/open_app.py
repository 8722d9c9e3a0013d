"""How a command gets the application: load the configuration, open the database, set the exit code."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import typer

from service.app.factories.application import Application, open_application
from service.cli.ui import context
from service.runtime.logging import configure_logs
from service.runtime.signals import run

AppTask = Callable[[Application], Awaitable[bool]]
"""The work of a command; returns whether all of it succeeded."""


def run_in_app(task: AppTask, *, apply_roster: bool = False) -> None:
    """Run the task in the configured application; exit with 1 if some of it failed.

    `apply_roster` first applies the feeds, newsletters and subscribers of the configuration files.
    """
    configure_logs("debug" if context.options().debug else "critical")
    loaded = context.load_config(tolerant=True)
    context.print_warnings(loaded)

    async def run_task() -> bool:
        async with open_application(loaded.settings, loaded.roster) as app:
            if apply_roster:
                await app.apply_roster()
            return await task(app)

    if not run(run_task()):
        raise typer.Exit(1)
