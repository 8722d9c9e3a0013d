"""`caveat preview`: what somebody would get, without anybody getting it."""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from service.cli.ui import terminal
from service.cli.ui.help import CommandTyper
from service.cli.ui.output import print_message
from service.core.errors import UsageError

if TYPE_CHECKING:
    from service.app.factories.application import Application
    from service.app.preview import PreviewReader
    from service.core.model import Newsletter

YEARS = range(2000, 2100)

chapter = CommandTyper()


class PreviewFormat(StrEnum):
    """How a preview is shown."""

    SCREEN = "screen"
    HTML = "html"
    TEXT = "text"
    EML = "eml"


@chapter.add(
    "preview",
    """
    caveat preview morning
    caveat preview morning --for amina@example.org
    caveat preview morning --at "2026-12-01 07:00" --as html --out tomorrow.html
    """,
)
def preview(
    newsletter: Annotated[str, typer.Argument(metavar="NEWSLETTER", help="The newsletter's id.")],
    email: Annotated[
        str | None, typer.Option("--for", metavar="ADDRESS", help="As this subscriber would get it.")
    ] = None,
    at: Annotated[
        str | None,
        typer.Option(
            "--at", metavar="TIME", help="At this moment, such as 2026-12-01 07:00 (UTC if it has no zone)."
        ),
    ] = None,
    shape: Annotated[
        PreviewFormat | None,
        typer.Option("--as", metavar="SHAPE", help="screen, html, text or eml (the whole mail)."),
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", metavar="FILE", help="Write it there.")] = None,
) -> None:
    """Show what somebody would get; changes nothing.

    Without --for it is shown as nobody in particular would get it, with the news of the last day.
    """
    from service.app.preview import preview_reader  # noqa: PLC0415 - as above
    from service.cli.ui.lookup import newsletter_named  # noqa: PLC0415 - not for `--help`
    from service.cli.ui.open_app import run_in_app  # noqa: PLC0415 - as above

    moment = _parse_time(at) if at else None
    chosen = shape or (
        PreviewFormat.SCREEN if out is None and terminal.is_interactive(sys.stdout) else PreviewFormat.TEXT
    )

    async def work(house: Application) -> bool:
        found = newsletter_named(house.roster, newsletter)
        at = moment or house.clock()
        reader = await preview_reader(house, found, email, at=at)
        await _print_preview(house, found, reader, at=moment, shape=chosen, out=out)
        return True

    run_in_app(work)


async def _print_preview(
    house: Application,
    newsletter: Newsletter,
    reader: PreviewReader,
    *,
    at: datetime | None,
    shape: PreviewFormat,
    out: Path | None,
) -> None:
    from service.app.preview import next_issue, personalized, rendered_mail  # noqa: PLC0415 - not for `--help`

    found = await next_issue(house, reader, at=at)
    if not found.digest.stories and newsletter.empty == "skip":
        print_message("There is nothing to tell: no new article fits. caveat gather looks for some.")
        return
    if shape is PreviewFormat.SCREEN:
        from service.cli.ui.digest_view import print_digest  # noqa: PLC0415 - as above

        print_digest(found.digest, newsletter.title)
        return
    rendered = await personalized(house, found.issue, reader.subscriber)
    if shape is PreviewFormat.EML:
        body = await rendered_mail(house, found.issue, reader.subscriber)
    else:
        body = (rendered.html if shape is PreviewFormat.HTML else rendered.text).encode("utf-8", "replace")
    if out is None:
        sys.stdout.buffer.write(body)
        return
    await asyncio.to_thread(out.write_bytes, body)
    print_message(f"{out} is written: {rendered.subject}")


def _parse_time(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        moment = None
    if moment is None or moment.year not in YEARS:
        raise UsageError(
            f"--at {text!r} is no moment of these years; "
            "write it like 2026-12-01 07:00 or 2026-12-01T07:00+01:00"
        )
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
