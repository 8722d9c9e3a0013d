"""`caveat plan`: the issues that are due in the next hours, by group of subscribers."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from service.cli.ui.commands import CommandTyper
from service.cli.ui.lazy_imports import lazy_imports
from service.cli.ui.options import AsJson
from service.cli.ui.output import SHORT_ID_CHARACTERS, print_message, print_records, quantity

EXPLANATION = (
    "waiting: number of new articles that match so far; more may be published by then. "
    "The other numbers are those of the mail as it would be now."
)

with lazy_imports():
    from service.app import forecast
    from service.app.factories import application
    from service.cli.ui import lookup, open_app
    from service.core.model import Placement

commands = CommandTyper()


@commands.add("plan", "caveat plan\ncaveat plan --hours 168 morning\ncaveat plan --json | jq .readers")
def plan(
    newsletter: Annotated[
        str | None,
        typer.Argument(metavar="NEWSLETTER", help="Id of a newsletter. Default: all newsletters."),
    ] = None,
    *,
    hours: Annotated[
        int,
        typer.Option(
            "--hours", metavar="N", min=1, max=2000, show_default=True, help="Number of hours from now."
        ),
    ] = 24,
    as_json: AsJson = False,
) -> None:
    """List the issues that are due in the next hours.

    Subscribers with the same preferences, who have been sent the same articles so far, get the same issue
    and share one line. An issue without stories, or with fewer than min_stories, is not sent, unless its
    newsletter is configured to.

    note: the draft of the issue with its state. While a draft is held, its subscribers get no later issue.

    The mail of each group is measured as it would be now: stories with key points, lines in short, lines on
    the web page only, minutes of reading, bytes of HTML (Gmail clips more than 102,000) and of the message.
    """

    async def work(app: application.Application) -> bool:
        chosen = [lookup.newsletter_named(app.roster, newsletter)] if newsletter else app.roster.newsletters
        issues = await forecast.forecast(app, chosen, timedelta(hours=hours))
        records = [
            {
                "at": issue.at,
                "local": f"{issue.local} {issue.edition.timezone}",
                "newsletter": issue.edition.newsletter,
                "readers": issue.readers,
                "topics": issue.edition.topics or ("all",),
                "waiting": issue.articles,
                **_expected(issue.expected),
                "note": _note(issue),
            }
            for issue in issues
        ]
        empty_message = f"No issue is due in the next {quantity(hours, 'hour')}."
        print_records(records, as_json=as_json, empty_message=empty_message)
        if issues and not as_json:
            print_message(EXPLANATION)
        if not as_json and (drafts := await forecast.count_drafts(app, newsletter)):
            print_message(f"{quantity(drafts, 'draft')} for an editor: caveat draft list")
        return True

    open_app.run_in_app(work, needs_files=True)


def _note(issue: forecast.ForecastIssue) -> str:
    if (draft := issue.draft) is None:
        return "too few for an issue" if issue.waits else ""
    if draft.due_at == issue.at:
        return f"draft {draft.id[:SHORT_ID_CHARACTERS]}: {draft.state}"
    zone = ZoneInfo(issue.edition.timezone)
    return f"draft {draft.id[:SHORT_ID_CHARACTERS]} of {draft.due_at.astimezone(zone):%H:%M}: {draft.state}"


def _expected(mail: forecast.ExpectedMail | None) -> dict[str, int | None]:
    """Return the columns of the mail as it would be now, empty if it is not known."""
    if mail is None:
        return dict.fromkeys(("stories", "lines", "on_web", "minutes", "html_bytes", "mail_bytes"))
    return {
        "stories": mail.stories[Placement.LEAD] + mail.stories[Placement.STORY],
        "lines": mail.stories[Placement.SHORT],
        "on_web": mail.stories[Placement.WEB],
        "minutes": mail.minutes,
        "html_bytes": mail.html_bytes,
        "mail_bytes": mail.message_bytes,
    }
