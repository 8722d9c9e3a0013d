"""`caveat demo`: the four stages once, with a bundled sample over real HTTP and into real mail files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from service.cli.ui.commands import CommandTyper
from service.cli.ui.lazy_imports import lazy_imports

with lazy_imports():
    from service.cli.demo import walkthrough

DEFAULT_FOLDER = Path("caveat-demo")

commands = CommandTyper()


@commands.add("demo", "caveat demo\ncaveat demo --out /tmp/caveat\ncaveat demo --fresh")
def demo(
    *,
    out: Annotated[
        Path,
        typer.Option("--out", "-o", metavar="DIR", show_default=True, help="Folder of the demo's files."),
    ] = DEFAULT_FOLDER,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="New start: delete the files of an earlier demo in the folder.")
    ] = False,
) -> None:
    """Run the whole service once on a sample, without network.

    A small web server on this machine serves ten articles of two invented publishers. The demo polls them
    over HTTP, condenses them, composes an issue for each of three subscribers at their own time, and writes
    the mails to .eml files, which any mail program opens. Then it shows one of the issues.

    The clock of the demo runs through the last 24 hours in a few seconds. A second demo in the same folder
    finds no new article and sends no mail.
    """
    walkthrough.run_demo(out, fresh=fresh)
