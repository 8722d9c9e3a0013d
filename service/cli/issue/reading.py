"""`caveat issue list`, `show`, `open` and `links`: what was sent, in any of its forms."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import typer

from service.cli.issue import browser
from service.cli.issue.group import IssueForm, IssuePrefix, commands
from service.cli.ui.lazy_imports import lazy_imports
from service.cli.ui.options import AsJson
from service.cli.ui.output import (
    SHORT_ID_CHARACTERS,
    print_data,
    print_json,
    print_message,
    print_records,
    table_cell,
)
from service.core.archive_links import NONE
from service.core.errors import CaveatError, UsageError
from service.core.model import Correction
from service.core.read_models import DeliveryDetails, IssueDetails, issue_as_dict

with lazy_imports():
    from service.app import forecast, issues
    from service.app.articles import edits as article_edits
    from service.app.factories import application
    from service.cli.issue import forms
    from service.cli.ui import lookup, open_app

DELIVERIES_PER_PAGE = 5_000  # read and printed at once


PERSONAL_FORMS = (IssueForm.TEXT, IssueForm.EML)
"""Forms of the mail, which has a recipient."""


@commands.add("list", "caveat issue list\ncaveat issue list morning --limit 50 --json")
def list_issues(
    newsletter: Annotated[
        str | None,
        typer.Argument(metavar="NEWSLETTER", help="Id of a newsletter. Default: all newsletters."),
    ] = None,
    *,
    limit: Annotated[
        int, typer.Option("--limit", metavar="N", min=1, show_default=True, help="Maximum number of issues.")
    ] = 20,
    as_json: AsJson = False,
) -> None:
    """List the latest issues with the states of their deliveries, newest first."""

    async def work(app: application.Application) -> bool:
        found = await app.queries.issues(newsletter, limit=limit)
        if newsletter and not found:
            lookup.newsletter_named(app.roster, newsletter)
        records = [issue_as_dict(issue) if as_json else _issue_row(issue) for issue in found]
        print_records(records, as_json=as_json, empty_message="There is no issue yet.")
        return True

    open_app.run_in_app(work)


@commands.add(
    "show",
    "caveat issue show 4a66\n"
    "caveat issue show 4a66 --who --json\n"
    "caveat issue show 4a66 --as epub -o issue.epub\n"
    "caveat issue show 4a66 --as eml --to amina@example.org",
)
def show(
    issue: IssuePrefix,
    *,
    who: Annotated[
        bool, typer.Option("--who", help="List every recipient with the state of the delivery.")
    ] = False,
    form: Annotated[
        IssueForm | None,
        typer.Option(
            "--as",
            metavar="FORM",
            help="The issue itself: html (its web page), text, eml (the whole mail), markdown, epub or json.",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FILE", help="Output file of --as. Default: standard output."),
    ] = None,
    to: Annotated[
        str | None,
        typer.Option(
            "--to",
            metavar="ADDRESS",
            help="Address of the subscriber whose mail it is, for text and eml. Default: nobody's.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show an issue with the states of its deliveries, or with --as the issue itself.

    If the numbers of deliveries do not add up, the exit code is 1.
    """
    if form is None and (out or to):
        raise UsageError("--out and --to belong to a form of the issue: --as html, --as eml and so on")
    if form is not None and (who or as_json):
        raise UsageError("--as shows the issue itself; --who and --json show its deliveries")
    if to and form not in PERSONAL_FORMS:
        raise UsageError("only --as text and --as eml have a recipient; the other forms have none")

    async def work(app: application.Application) -> bool:
        found = await issues.issue_named(app, issue)
        if form is not None:
            body = await forms.written(app, found, form, to)
            await write_bytes(body, out)
            return True
        if not (as_json and who):
            await _print_issue(app, found, as_json=as_json)
        if who:
            await _print_deliveries(app, found, as_json=as_json)
        if not found.books.closed:
            print_message("The deliveries of this issue do not add up. Please report this as a bug.")
        return found.books.closed

    open_app.run_in_app(work)


@commands.add("open", "caveat issue open 4a66\ncaveat issue open 4a66 --file")
def open_issue(
    issue: IssuePrefix,
    *,
    file: Annotated[
        bool, typer.Option("--file", help="A temporary file instead of the page on the web.")
    ] = False,
) -> None:
    """Open an issue in the browser, and print its address.

    That is its web page, or a temporary file if the newsletter has no web pages.
    """

    async def work(app: application.Application) -> bool:
        found = await issues.issue_named(app, issue)
        archived = await app.archive.own_issue(found.id)
        if archived is None:
            raise CaveatError(f"the newsletter {found.newsletter!r} is not in the configuration any more")
        if file or archived.newsletter.archive == NONE:
            body = await forms.written(app, found, IssueForm.HTML, None)
            name = f"caveat-{found.id[:SHORT_ID_CHARACTERS]}-"
            url = await asyncio.to_thread(browser.page_file, body, name)
        else:
            url = archived.links.page
        print_data(url)
        if not await asyncio.to_thread(browser.open_address, url):
            print_message("There is no display here: open the address in a browser.")
        return True

    open_app.run_in_app(work)


@commands.add("links", "caveat issue links\ncaveat issue links evening --json")
def links(
    newsletter: Annotated[
        str | None,
        typer.Argument(metavar="NEWSLETTER", help="Id of a newsletter. Default: all newsletters."),
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """List the addresses of the issues of a newsletter: its web page, its RSS feed and its JSON Feed.

    Those of a newsletter with `archive: signed` have a key: give them to whom you wish to read it.
    """

    async def work(app: application.Application) -> bool:
        if newsletter and lookup.newsletter_named(app.roster, newsletter).archive == NONE:
            raise UsageError(f"the newsletter {newsletter!r} has no web pages: its archive is none")
        records = [
            {"newsletter": one.newsletter.id, "form": form, "address": address}
            for one in await app.archive.own_newsletters()
            if newsletter in (None, one.newsletter.id)
            for form, address in (("page", one.links.page), ("rss", one.links.rss), ("json", one.links.json))
        ]
        print_records(records, as_json=as_json, empty_message="No newsletter has web pages.")
        return True

    open_app.run_in_app(work)


async def write_bytes(body: bytes, out: Path | None) -> None:
    """Write the bytes to the file, or to standard output."""
    if out is None:
        sys.stdout.buffer.write(body)
        return
    await asyncio.to_thread(out.write_bytes, body)
    print_message(f"Wrote {out}.")


async def _print_issue(app: application.Application, issue: IssueDetails, *, as_json: bool) -> None:
    corrections = [sent.correction for sent in await article_edits.corrections_in(app, issue.id)]
    edited = await article_edits.count_edited(app, issue.article_ids)
    record = {**issue_as_dict(issue), "edited_since": edited}
    if as_json:
        print_json({**record, "corrections": [_correction_record(one) for one in corrections]})
        return
    for key, value in record.items():
        print_data(f"{key.replace('_', ' '):<14} {table_cell(value)}")
    for correction in corrections:
        print_data(f"{'corrects':<14} {table_cell(correction.article.title)}")
        for change in correction.changes:
            current = table_cell(change.current.text) if change.current else "(the sentence was deleted)"
            print_data(f"{'':<14} - {table_cell(change.sent.text)}")
            print_data(f"{'':<14} + {current}")


async def _print_deliveries(app: application.Application, issue: IssueDetails, *, as_json: bool) -> None:
    after: str | None = None
    while page := await app.queries.deliveries(issue.id, after=after, limit=DELIVERIES_PER_PAGE):
        print_records([delivery_row(delivery) for delivery in page], as_json=as_json)
        after = page[-1].id


def _correction_record(correction: Correction) -> dict[str, object]:
    changes = [
        {"told": change.sent.text, "now": change.current.text if change.current else None}
        for change in correction.changes
    ]
    return {"article": correction.article.id, "title": correction.article.title, "changes": changes}


def _issue_row(issue: IssueDetails) -> dict[str, object]:
    books = issue.books
    return {
        "issue": issue.id[:SHORT_ID_CHARACTERS],
        "newsletter": issue.newsletter,
        "for": forecast.issue_time(issue),
        "due": books.due,
        "sent": books.sent,
        "waiting": books.waiting,
        "other": books.suppressed + books.refused + books.uncertain + books.cancelled,
        "paused": issue.paused_at is not None and issue.cancelled_at is None,
        "cancelled": issue.cancelled_at is not None,
        "subject": issue.subject,
    }


def delivery_row(delivery: DeliveryDetails) -> dict[str, object]:
    """Return what a list of deliveries shows of one."""
    return {
        "address": delivery.address,
        "state": delivery.state,
        "attempts": delivery.attempts,
        "at": delivery.at,
        "next": delivery.due_at,
        "reply": delivery.reply,
        "delivery": delivery.id,
    }
