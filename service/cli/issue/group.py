"""The group `caveat issue`, to which the modules of this folder add their commands."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from service.cli.ui.commands import CommandTyper


class IssueForm(StrEnum):
    """A form of an issue."""

    HTML = "html"
    TEXT = "text"
    EML = "eml"
    MARKDOWN = "markdown"
    EPUB = "epub"
    JSON = "json"


ID_HELP = "Id of the issue, or its first characters."
IssuePrefix = Annotated[str, typer.Argument(metavar="ISSUE", help=ID_HELP)]

commands = CommandTyper(
    """List, verify, pause, resume, resend and cancel issues.

    The deliveries of an issue always add up: due = sent + suppressed + refused + uncertain + cancelled +
    waiting.
    """,
    name="issue",
)
