"""`caveat preview`: the issue that a subscriber would get, without sending it."""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from service.cli.ui import terminal
from service.cli.ui.commands import CommandTyper
from service.cli.ui.lazy_imports import lazy_imports
from service.cli.ui.options import NewsletterName
from service.cli.ui.output import print_data, print_message
from service.core.errors import UsageError
from service.core.model import Issue

with lazy_imports():
    from service.app import preview as previews
    from service.app.factories import application
    from service.cli.issue import browser
    from service.cli.ui import digest_view, lookup, open_app

NO_STORY = "The issue would have no story: no new article matches. caveat gather polls the feeds."
YEARS = range(2000, 2100)  # of --at; other years are typing errors

commands = CommandTyper()


class PreviewFormat(StrEnum):
    """How a preview is shown."""

    SCREEN = "screen"
    HTML = "html"
    TEXT = "text"
    EML = "eml"


@commands.add(
    "preview",
    """
    caveat preview morning
    caveat preview morning --for amina@example.org
    caveat preview morning --open --theme plain
    caveat preview morning --at "2026-12-01 07:00" --as html --out tomorrow.html
    """,
)
def preview(
    newsletter: NewsletterName,
    email: Annotated[
        str | None, typer.Option("--for", metavar="ADDRESS", help="Address of the subscriber.")
    ] = None,
    at: Annotated[
        str | None,
        typer.Option(
            "--at", metavar="TIME", help="Time of the issue, such as 2026-12-01 07:00 (UTC without zone)."
        ),
    ] = None,
    shape: Annotated[
        PreviewFormat | None,
        typer.Option("--as", metavar="FORMAT", help="Format: screen, html, text or eml (the whole mail)."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FILE", help="Output file. Default: standard output."),
    ] = None,
    *,
    in_browser: Annotated[
        bool, typer.Option("--open", help="Open it in the web browser, from a file that only you can read.")
    ] = False,
    theme: Annotated[
        str | None,
        typer.Option("--theme", metavar="NAME", help="Theme. Default: that of the newsletter."),
    ] = None,
) -> None:
    """Show the issue that a subscriber would get; nothing is sent.

    Without --for, it is the issue with the newsletter's default preferences and the articles of the last 24
    hours.
    """
    if in_browser and (shape or out):
        raise UsageError("--open shows the page in the browser; leave out --as and --out")
    time = parse_time(at) if at else None
    screen = out is None and terminal.is_interactive(sys.stdout)
    chosen = shape or (PreviewFormat.SCREEN if screen else PreviewFormat.TEXT)

    async def work(app: application.Application) -> bool:
        found = lookup.newsletter_named(app.roster, newsletter)
        reader = await previews.preview_reader(app, found, email, at=time or app.clock())
        issue = await previews.next_issue(app, reader, at=time, theme=theme)
        if not issue.digest.stories and found.empty == "skip":
            print_message(NO_STORY)
        elif in_browser:
            await _open_preview(app, issue.issue, reader)
            _print_note(previews.page_note(found))
        elif chosen is PreviewFormat.SCREEN:
            digest_view.print_digest(issue.digest, found.title)
        else:
            await _print_preview(app, issue.issue, reader, shape=chosen, out=out)
            _print_note(previews.page_note(found))
        return True

    open_app.run_in_app(work, needs_files=True)


def _print_note(note: str) -> None:
    if note:
        print_message(note)


async def _print_preview(
    app: application.Application,
    issue: Issue,
    reader: previews.PreviewReader,
    *,
    shape: PreviewFormat,
    out: Path | None,
) -> None:
    rendered = await previews.personalized(app, issue, reader.subscriber)
    if shape is PreviewFormat.EML:
        body = await previews.rendered_mail(app, issue, reader.subscriber)
    else:
        body = (rendered.html if shape is PreviewFormat.HTML else rendered.text).encode("utf-8", "replace")
    if out is None:
        sys.stdout.buffer.write(body)
        return
    await asyncio.to_thread(out.write_bytes, body)
    print_message(f"Wrote {out}: {rendered.subject}")


async def _open_preview(app: application.Application, issue: Issue, reader: previews.PreviewReader) -> None:
    """Open the mail in the browser, and print where its file is."""
    rendered = await previews.personalized(app, issue, reader.subscriber)
    if not rendered.html:
        raise UsageError("this edition is plain text; --as text shows it")
    url = await asyncio.to_thread(
        browser.page_file, rendered.html.encode("utf-8", "replace"), "caveat-preview-"
    )
    if not await asyncio.to_thread(browser.open_address, url):
        print_message("There is no display here, or no browser; open the page yourself:")
    print_data(url)


def parse_time(text: str) -> datetime:
    """Return the time in UTC; one without a zone is UTC. Raises UsageError."""
    try:
        time = datetime.fromisoformat(text.strip())
    except ValueError:
        time = None
    if time is None or time.year not in YEARS:
        raise UsageError(
            f"--at {text!r} is not a valid time; write it like 2026-12-01 07:00 or 2026-12-01T07:00+01:00"
        )
    return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)
