"""`caveat template`: check the themes of issues before subscribers get them."""

from __future__ import annotations

from typing import Annotated

import typer

from service.cli.ui import context
from service.cli.ui.commands import CommandTyper
from service.cli.ui.lazy_imports import lazy_imports
from service.cli.ui.options import AsJson
from service.cli.ui.output import fault_record, print_json, print_message, quantity
from service.core.errors import ConfigError, UnknownName

with lazy_imports():
    from service.app.doctor import theme_check

commands = CommandTyper("""Check the themes of issues.""", name="template")


@commands.add(
    "check", "caveat template check\ncaveat template check mine\ncaveat template check --json | jq .what"
)
def check(
    theme: Annotated[
        str | None, typer.Argument(metavar="THEME", help="Name of a theme. Default: all themes.")
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Render themes with a hostile sample in every language, and list what is wrong with them.

    A theme is refused, with exit code 2, if a template fails, if a part has no unsubscribe link or no postal
    address, if a caveat is missing below its point, if the text lacks a link of the page, or if the page
    breaks a rule of accessibility: language and direction, one first heading, texts for pictures and links.
    """
    checker = theme_check.ThemeChecker(context.load_for_database().settings)
    known = checker.themes()
    if theme is not None and theme not in known:
        raise UnknownName("theme", theme, known)
    checked = known if theme is None else (theme,)
    faults = [fault for name in checked for fault in checker.faults(name)]
    if as_json:
        for fault in faults:
            print_json(fault_record(fault, "fault"))
    elif faults:
        raise ConfigError(faults)
    if faults:
        raise typer.Exit(2)
    if not as_json:
        print_message(f"{quantity(len(checked), 'theme')} checked, no faults: {', '.join(checked)}.")
