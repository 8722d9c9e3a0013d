"""`caveat issue`: issues and their deliveries, verified, paused, resumed, resent and cancelled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

import typer

from service.cli.issue.cancel import cancel_sentences
from service.cli.issue.group import ID_HELP, IssuePrefix, commands
from service.cli.issue.reading import delivery_row
from service.cli.ui.input import require_confirmation
from service.cli.ui.lazy_imports import lazy_imports
from service.cli.ui.options import AsJson, DryRun, Yes
from service.cli.ui.output import (
    SHORT_ID_CHARACTERS,
    print_data,
    print_json,
    print_message,
    print_records,
    quantity,
    table_cell,
)
from service.core.errors import UsageError
from service.core.model import DeliveryState
from service.core.read_models import DeliveryDetails, IssueDetails, books_as_dict

with lazy_imports():
    from service.app import issues
    from service.app.factories import application
    from service.app.sending import pausing
    from service.cli.issue.record import record_issue
    from service.cli.ui import delivery_progress, open_app

MAX_ISSUES = 1_000_000  # of `verify --all`


@commands.add(
    "resend",
    "caveat issue resend 4a66 --missed\ncaveat issue resend 4a66 --to amina@example.org --yes",
)
def resend(
    issue: IssuePrefix,
    *,
    missed: Annotated[bool, typer.Option("--missed", help="Recipients whose delivery was refused.")] = False,
    uncertain: Annotated[
        bool, typer.Option("--uncertain", help="Recipients whose delivery has an unknown outcome.")
    ] = False,
    to: Annotated[
        list[str] | None,
        typer.Option("--to", metavar="ADDRESS", help="Address of a recipient; may be repeated."),
    ] = None,
    dry_run: DryRun = False,
    yes: Yes = False,
) -> None:
    """Send the same mails of an issue again, with the same Message-ID.

    Mail programs show mails with the same Message-ID once. A suppressed address is not mailed.
    """
    if not (missed or uncertain or to):
        raise UsageError("name the recipients: --missed, --uncertain or --to ADDRESS")
    states = [
        *((DeliveryState.REFUSED,) if missed else ()),
        *((DeliveryState.UNCERTAIN,) if uncertain else ()),
    ]

    async def work(app: application.Application) -> bool:
        found = await issues.issue_named(app, issue)
        chosen = await issues.deliveries_to_resend(app, found, states, to or [])
        rows = [delivery_row(delivery) for delivery in chosen]
        print_records(rows, as_json=False, empty_message="No delivery is in such a state.")
        if dry_run or not chosen:
            print_message("Nothing was sent.")
            return True
        question = f"Send {found.subject!r} again to {quantity(len(chosen), 'subscriber')}?"
        require_confirmation(question, confirmed=yes)
        return await _resend(app, found, chosen)

    open_app.run_in_app(work)


@commands.add("pause", "caveat issue pause 4a66")
def pause(issue: IssuePrefix) -> None:
    """Pause an issue for every worker; mails in transfer may still arrive."""

    async def work(app: application.Application) -> bool:
        found = await issues.issue_named(app, issue)
        await pausing.pause(app, [found.id])
        await record_issue(app, "issue_paused", found)
        (paused,) = await app.queries.issues_by_prefix(found.id)
        print_message(
            f"Paused: {table_cell(books_as_dict(paused.books))}. "
            f"To continue: caveat issue resume {found.id[:SHORT_ID_CHARACTERS]}"
        )
        return True

    open_app.run_in_app(work)


@commands.add("cancel", "caveat issue cancel 4a66 --dry-run\ncaveat issue cancel 4a66 --yes")
def cancel(issue: IssuePrefix, *, dry_run: DryRun = False, yes: Yes = False, as_json: AsJson = False) -> None:
    """Cancel an issue for those who did not get it yet; they get its stories with their next issue.

    Mails that were sent stay sent, and mails in transfer may still arrive. Nobody gets a story twice:
    a subscriber who has a later issue already does not get the stories of this one. The issue cannot be
    resumed. More than one mail asks for confirmation.
    """

    async def work(app: application.Application) -> bool:
        found = await issues.issue_named(app, issue)
        planned = await issues.cancel(app, found, dry_run=True)
        if not dry_run and planned.cancelled > 1:
            question = f"Cancel {found.subject!r} for {quantity(planned.cancelled, 'subscriber')}?"
            require_confirmation(question, confirmed=yes)
        done = planned if dry_run else await issues.cancel(app, found)
        if not dry_run:
            counts = {"cancelled": done.cancelled, "in_transfer": done.in_transfer}
            await record_issue(app, "issue_cancelled", found, **counts)
        record = {"issue": found.id, "cancelled": done.cancelled, **asdict(done), "dry_run": dry_run}
        if as_json:
            print_json(record)
        else:
            print_message("\n".join(cancel_sentences(found, done, dry_run=dry_run)))
        return True

    open_app.run_in_app(work)


@commands.add("resume", "caveat issue resume 4a66\ncaveat issue resume --all")
def resume(
    prefixes: Annotated[
        list[str] | None, typer.Argument(metavar="ISSUE", help="Ids of issues, or their first characters.")
    ] = None,
    *,
    every: Annotated[bool, typer.Option("--all", help="All paused issues.")] = False,
) -> None:
    """Resume issues that were paused or interrupted; no subscriber gets one twice.

    This also ends the pause of all sending that begins when the mail server refuses all our mail.
    Ctrl-C pauses the issues again. If any subscriber does not get an issue, the exit code is 1.
    """
    if bool(prefixes) == every:
        raise UsageError("name an issue, or use --all")

    async def work(app: application.Application) -> bool:
        named = [await issues.issue_named(app, prefix) for prefix in prefixes or ()]
        for issue in named:
            issues.require_not_cancelled(issue)
        paused = {issue.id: issue for issue in named or await app.queries.paused_issues()}
        found = list(paused)
        resumed = await pausing.resume(app, found)
        for issue in paused.values():
            await record_issue(app, "issue_resumed", issue, deliveries=resumed.deliveries.get(issue.id, 0))
        delivery_progress.print_lifted_pauses(resumed)
        if found:
            await delivery_progress.deliver_with_progress(app, found)
        all_sent = True
        for issue_id in found:
            books = (await app.queries.issues_by_prefix(issue_id))[0].books
            print_message(f"Issue {issue_id[:SHORT_ID_CHARACTERS]}: {table_cell(books_as_dict(books))}.")
            all_sent = all_sent and books.sent + books.suppressed == books.due
        return all_sent

    open_app.run_in_app(work)


@commands.add("verify", "caveat issue verify 4a66\ncaveat issue verify --all")
def verify(
    issue: Annotated[str | None, typer.Argument(metavar="ISSUE", help=ID_HELP)] = None,
    *,
    every: Annotated[bool, typer.Option("--all", help="All issues.")] = False,
    as_json: AsJson = False,
) -> None:
    """Verify that every key point of an issue is word for word in its article.

    Each key point, context and corrected sentence is compared with the stored text at its offsets. If one
    differs, the exit code is 1.
    """
    if bool(issue) == every:
        raise UsageError("name an issue, or use --all")

    async def work(app: application.Application) -> bool:
        found = (
            [await issues.issue_named(app, issue)] if issue else await app.queries.issues(limit=MAX_ISSUES)
        )
        results = [_print_verification(one, await issues.verify(app, one), as_json=as_json) for one in found]
        return all(results)

    open_app.run_in_app(work)


async def _resend(
    app: application.Application, issue: IssueDetails, chosen: Sequence[DeliveryDetails]
) -> bool:
    """Deliver the issue again to these recipients; return whether all of them were sent it."""
    await issues.resend(app, issue, chosen)
    await record_issue(app, "issue_resent", issue, deliveries=len(chosen))
    subscribers = {delivery.subscriber_id for delivery in chosen}
    await delivery_progress.deliver_with_progress(app, [issue.id])
    sent = await app.queries.deliveries(issue.id, states=[DeliveryState.SENT])
    count = len({delivery.subscriber_id for delivery in sent} & subscribers)
    print_message(f"{quantity(count, 'mail')} of {len(subscribers)} sent.")
    return count == len(subscribers)


def _print_verification(issue: IssueDetails, result: issues.Verification, *, as_json: bool) -> bool:
    """Print the result; return whether nothing differs."""
    if as_json:
        print_json(
            {
                "issue": issue.id,
                "articles": result.articles,
                "corrections": result.corrections,
                "gone": result.deleted,
                "lines": result.texts,
                "differ": result.altered,
            }
        )
        return not result.altered
    scope = f"{quantity(result.texts, 'sentence')} of {quantity(result.articles, 'article')}"
    scope += f" and {quantity(result.corrections, 'correction')}" if result.corrections else ""
    differing = f"{quantity(len(result.altered), 'article')} differ: {', '.join(result.altered)}"
    outcome = differing if result.altered else "all word for word"
    deleted = f"; {quantity(result.deleted, 'article')} no longer stored" if result.deleted else ""
    print_data(f"{issue.id[:SHORT_ID_CHARACTERS]}  {scope}, {outcome}{deleted}")
    return not result.altered
