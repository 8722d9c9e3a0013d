"""Options that several commands share."""

from __future__ import annotations

from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="JSON output, one object per line.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="No confirmation prompt.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show the result without changing anything.")]
NewsletterName = Annotated[str, typer.Argument(metavar="NEWSLETTER", help="Id of the newsletter.")]
