"""`caveat demo`: the whole road once, on a bundled sample, over real HTTP and into real mail files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from service.cli.ui.help import CommandTyper

FOLDER = Path("caveat-demo")

chapter = CommandTyper()


@chapter.add("demo", "caveat demo\ncaveat demo --out /tmp/caveat\ncaveat demo --fresh")
def demo(
    *,
    out: Annotated[
        Path, typer.Option("--out", "-o", metavar="DIR", show_default=True, help="Where everything is put.")
    ] = FOLDER,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Begin anew, and forget what an earlier demo did there.")
    ] = False,
) -> None:
    """Walk the whole road once, with a bundled sample and no network.

    Ten articles of two invented publishers are served by a small web server on this machine, gathered over
    HTTP, condensed, composed into an issue for each of three readers at their own hour, and delivered as
    .eml files, which any mail program opens. Then one of the issues is shown here.

    The demo's clock runs through the last 24 hours in a few seconds. A second demo in the same folder finds
    nothing new, and mails nobody again.
    """
    from service.cli.demo_road import run_demo  # noqa: PLC0415 - not for `--help`

    run_demo(out, fresh=fresh)
