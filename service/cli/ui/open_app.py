"""How a command enters the house: configuration loaded, database open, one exit code at the end."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import typer

from service.app.factories.application import Application, open_application
from service.cli.ui import context as session
from service.runtime.logging import configure_logs
from service.runtime.signals import run

AppTask = Callable[[Application], Awaitable[bool]]
"""What a command does inside; whether all of it went well."""


def run_in_app(task: AppTask, *, apply_roster: bool = False) -> None:
    """Do the work in the house that the configuration describes; leave with 1 when some of it failed.

    With `applying` the roster is applied first, so that what was just written into a file counts.
    """
    configure_logs("debug" if session.options().debug else "critical")
    loaded = session.load_config(tolerant=True)
    session.print_warnings(loaded)

    async def inside() -> bool:
        async with open_application(loaded.settings, loaded.roster) as house:
            if apply_roster:
                await house.apply_roster()
            return await task(house)

    if not run(inside()):
        raise typer.Exit(1)
