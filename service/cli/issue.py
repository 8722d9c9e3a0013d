"""`caveat issue`: issues that were made, what became of them, and the proof that they are word for word."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from service.cli.ui.help import CommandTyper
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
from service.core.errors import UnknownName, UsageError
from service.core.ids import subscriber_id
from service.core.model import DeliveryState
from service.core.read_models import books_as_dict, issue_as_dict

if TYPE_CHECKING:
    from service.app.factories.application import Application
    from service.core.model import Correction
    from service.core.read_models import DeliveryDetails, IssueDetails

DELIVERIES_PER_PAGE = 5_000
IssuePrefix = Annotated[str, typer.Argument(metavar="ISSUE", help="Its id, or the first characters of it.")]

chapter = CommandTyper(
    """Look at issues that were made, and what became of them.

    For every issue, at any moment, the books close: due = sent + suppressed + refused + uncertain + waiting.
    """,
    name="issue",
)


@chapter.add("list", "caveat issue list\ncaveat issue list morning --limit 50 --json")
def list_issues(
    newsletter: Annotated[str | None, typer.Argument(metavar="NEWSLETTER", help="Only of this one.")] = None,
    *,
    limit: Annotated[
        int, typer.Option("--limit", metavar="N", min=1, show_default=True, help="So many.")
    ] = 20,
    as_json: AsJson = False,
) -> None:
    """List the last issues with their books, newest first."""
    from service.cli.ui.open_app import run_in_app  # noqa: PLC0415 - not for `--help`

    async def work(house: Application) -> bool:
        issues = await house.overview.issues(newsletter, limit=limit)
        if newsletter and not issues and house.roster.newsletter(newsletter) is None:
            raise UnknownName("newsletter", newsletter, [n.id for n in house.roster.newsletters])
        records = [issue_as_dict(issue) if as_json else _issue_row(issue) for issue in issues]
        print_records(records, as_json=as_json, empty_message="No issue was made so far.")
        return True

    run_in_app(work)


@chapter.add("show", "caveat issue show 4a66\ncaveat issue show 4a66 --who --json")
def show(
    issue: IssuePrefix,
    *,
    who: Annotated[
        bool, typer.Option("--who", help="List every reader, and where their mail stands.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show an issue with its books; the exit code is 1 when they do not close."""
    from service.cli.ui.open_app import run_in_app  # noqa: PLC0415 - not for `--help`

    async def work(house: Application) -> bool:
        found = await issue_named(house, issue)
        if not (as_json and who):
            await _print_issue(house, found, as_json=as_json)
        if who:
            await _print_deliveries(house, found, as_json=as_json)
        if not found.books.closed:
            print_message("The books do not close: some deliveries are unaccounted for. Please report this.")
        return found.books.closed

    run_in_app(work)


@chapter.add(
    "resend",
    "caveat issue resend 4a66 --missed\ncaveat issue resend 4a66 --to amina@example.org --yes",
)
def resend(
    issue: IssuePrefix,
    *,
    missed: Annotated[bool, typer.Option("--missed", help="To those who were refused.")] = False,
    uncertain: Annotated[bool, typer.Option("--uncertain", help="To those of whom it is not known.")] = False,
    to: Annotated[
        list[str] | None,
        typer.Option("--to", metavar="ADDRESS", help="To this reader; say it again for another."),
    ] = None,
    dry_run: DryRun = False,
    yes: Yes = False,
) -> None:
    """Send an issue once more, on purpose: the same mail, with the same Message-ID.

    Mail programs show a mail with a Message-ID that they know only once. An address that must not be mailed
    stays so.
    """
    if not (missed or uncertain or to):
        raise UsageError("say to whom: --missed, --uncertain or --to ADDRESS")
    from service.cli.ui.open_app import run_in_app  # noqa: PLC0415 - not for `--help`

    states = [
        *((DeliveryState.REFUSED,) if missed else ()),
        *((DeliveryState.UNCERTAIN,) if uncertain else ()),
    ]

    async def work(house: Application) -> bool:
        found = await issue_named(house, issue)
        return await _resend(house, found, states, to or [], dry_run=dry_run, yes=yes)

    run_in_app(work)


@chapter.add("pause", "caveat issue pause 4a66")
def pause(issue: IssuePrefix) -> None:
    """Stop sending an issue, whichever worker is at it; what is with the mail server already may arrive."""
    from service.app.manual_send import pause  # noqa: PLC0415 - as above
    from service.cli.ui.open_app import run_in_app  # noqa: PLC0415 - not for `--help`

    async def work(house: Application) -> bool:
        found = await issue_named(house, issue)
        await pause(house, [found.id])
        (after,) = await house.overview.issues_by_prefix(found.id)
        print_message(
            f"Paused: {table_cell(books_as_dict(after.books))}. "
            f"caveat issue resume {found.id[:SHORT_ID_CHARACTERS]} goes on."
        )
        return True

    run_in_app(work)


@chapter.add("resume", "caveat issue resume 4a66\ncaveat issue resume --all")
def resume(
    issues: Annotated[
        list[str] | None, typer.Argument(metavar="ISSUE", help="Its id, or the first characters of it.")
    ] = None,
    *,
    every: Annotated[bool, typer.Option("--all", help="Every issue that is paused.")] = False,
) -> None:
    """Go on with issues that were paused or interrupted; nobody gets one twice.

    Where all sending is paused, because the mail server refused our mail as such, it goes on as well.
    Ctrl-C pauses again. The exit code is 1 when somebody did not get it.
    """
    if bool(issues) == every:
        raise UsageError("name an issue, or say --all")
    from service.app.manual_send import resume  # noqa: PLC0415 - as above
    from service.cli.ui.open_app import run_in_app  # noqa: PLC0415 - not for `--help`
    from service.cli.ui.watch_delivery import deliver_with_progress, print_lifted_pauses  # noqa: PLC0415 - as above

    async def work(house: Application) -> bool:
        named = [await issue_named(house, name) for name in issues or ()]
        found = list(dict.fromkeys(line.id for line in named or await house.overview.paused_issues()))
        print_lifted_pauses(await resume(house, found))
        if found:
            await deliver_with_progress(house, found)
        well = True
        for issue_id in found:
            (after,) = await house.overview.issues_by_prefix(issue_id)
            print_message(
                f"Issue {issue_id[:SHORT_ID_CHARACTERS]}: {table_cell(books_as_dict(after.books))}."
            )
            well = well and after.books.sent + after.books.suppressed == after.books.due
        return well

    run_in_app(work)


@chapter.add("verify", "caveat issue verify 4a66\ncaveat issue verify --all")
def verify(
    issue: Annotated[
        str | None, typer.Argument(metavar="ISSUE", help="Its id, or the first characters.")
    ] = None,
    *,
    every: Annotated[bool, typer.Option("--all", help="Every issue there is.")] = False,
    as_json: AsJson = False,
) -> None:
    """Prove that every key point an issue drew on is word for word in its article.

    Each is compared with the stored text at its offsets, and so is each sentence of a correction; the exit
    code is 1 when one differs.
    """
    if bool(issue) == every:
        raise UsageError("name an issue, or say --all")
    from service.cli.ui.open_app import run_in_app  # noqa: PLC0415 - not for `--help`

    async def work(house: Application) -> bool:
        issues = (
            await house.overview.issues(limit=1_000_000) if every else [await issue_named(house, issue or "")]
        )
        whole = True
        for found in issues:
            whole = await _verify(house, found, as_json=as_json) and whole
        return whole

    run_in_app(work)


async def issue_named(house: Application, prefix: str) -> IssueDetails:
    """Return the issue whose id begins so. Raises UsageError when there is none, or more than one."""
    found = await house.overview.issues_by_prefix(prefix.strip().lower())
    if not found:
        raise UsageError(f"there is no issue {prefix!r}; caveat issue list shows the last ones")
    if len(found) > 1:
        ids = ", ".join(issue.id[: len(prefix) + SHORT_ID_CHARACTERS] for issue in found)
        raise UsageError(f"{prefix!r} begins several issues; write more of it: {ids}")
    return found[0]


async def _resend(
    house: Application,
    issue: IssueDetails,
    states: list[DeliveryState],
    addresses: list[str],
    *,
    dry_run: bool,
    yes: bool,
) -> bool:
    from service.app.foreground_delivery import make_due_again  # noqa: PLC0415 - as above
    from service.cli.ui.confirm import require_confirmation  # noqa: PLC0415 - not for `--help`
    from service.cli.ui.watch_delivery import deliver_with_progress  # noqa: PLC0415 - as above

    if issue.paused_at:
        raise UsageError(
            f"the issue is paused; caveat issue resume {issue.id[:SHORT_ID_CHARACTERS]} goes on with it"
        )

    lines = await house.overview.deliveries(issue.id)
    named = {subscriber_id(address): address for address in addresses}
    unknown = [address for key, address in named.items() if key not in {line.subscriber_id for line in lines}]
    if unknown:
        raise UsageError(f"issue {issue.id[:SHORT_ID_CHARACTERS]} was not for {', '.join(unknown)}")
    meant = [line for line in lines if line.state in states or line.subscriber_id in named]
    print_records(
        [_delivery_row(line) for line in meant], as_json=False, empty_message="Nobody is in such a state."
    )
    if dry_run or not meant:
        print_message("Nothing was sent.")
        return True
    require_confirmation(
        f"Send {issue.subject!r} once more to {quantity(len(meant), 'reader')}?", confirmed=yes
    )
    await make_due_again(house, issue.id, [line.subscriber_id for line in meant])
    await deliver_with_progress(house, [issue.id])
    after = await house.overview.deliveries(issue.id, states=[DeliveryState.SENT])
    done = len({line.subscriber_id for line in after} & {line.subscriber_id for line in meant})
    print_message(f"{quantity(done, 'mail')} of {len(meant)} sent.")
    return done == len(meant)


async def _print_issue(house: Application, issue: IssueDetails, *, as_json: bool) -> None:
    from service.app.article_edits import corrections_in, count_edited  # noqa: PLC0415 - not for `--help`

    corrected = [line.correction for line in await corrections_in(house, issue.id)]
    edited = await count_edited(house, issue.article_ids)
    record = {**issue_as_dict(issue), "edited_since": edited}
    if as_json:
        print_json({**record, "corrections": [_correction_record(one) for one in corrected]})
        return
    for key, value in record.items():
        print_data(f"{key.replace('_', ' '):<14} {table_cell(value)}")
    for one in corrected:
        print_data(f"{'corrects':<14} {table_cell(one.article.title)}")
        for change in one.changes:
            print_data(f"{'':<14} - {table_cell(change.sent.text)}")
            print_data(
                f"{'':<14} + "
                f"{table_cell(change.current.text) if change.current else '(the sentence is gone)'}"
            )


def _correction_record(told: Correction) -> dict[str, object]:
    pairs = [{"told": c.sent.text, "now": c.current.text if c.current else None} for c in told.changes]
    return {"article": told.article.id, "title": told.article.title, "changes": pairs}


async def _verify(house: Application, issue: IssueDetails, *, as_json: bool) -> bool:
    from service.app.article_edits import corrections_in  # noqa: PLC0415 - not for `--help`

    points, wrong = 0, []
    articles = await house.overview.articles_by_id(issue.article_ids)
    for line in articles:
        if line.summary is not None:
            points += len(line.summary.key_points) + len(line.summary.context)
            if not line.summary.is_verbatim(line.article.text):
                wrong.append(line.article.id)
    corrected = await corrections_in(house, issue.id)
    for told in corrected:
        points += sum(1 + (change.current is not None) for change in told.correction.changes)
        if not told.is_verbatim:
            wrong.append(told.correction.article.id)
    gone = len(issue.article_ids) - len(articles)
    if as_json:
        print_json(
            {
                "issue": issue.id,
                "articles": len(articles),
                "corrections": len(corrected),
                "gone": gone,
                "lines": points,
                "differ": wrong,
            }
        )
    else:
        verdict = (
            f"{quantity(len(wrong), 'article')} differ: {', '.join(wrong)}" if wrong else "all word for word"
        )
        missing = f"; {quantity(gone, 'article')} not stored any more" if gone else ""
        where = f"{quantity(points, 'line')} of {quantity(len(articles), 'article')}"
        where += f" and {quantity(len(corrected), 'correction')}" if corrected else ""
        print_data(f"{issue.id[:SHORT_ID_CHARACTERS]}  {where}, {verdict}{missing}")
    return not wrong


async def _print_deliveries(house: Application, issue: IssueDetails, *, as_json: bool) -> None:
    after: str | None = None
    while page := await house.overview.deliveries(issue.id, after=after, limit=DELIVERIES_PER_PAGE):
        print_records([_delivery_row(line) for line in page], as_json=as_json)
        after = page[-1].id


def _issue_row(issue: IssueDetails) -> dict[str, object]:
    from service.app.forecast import issue_time  # noqa: PLC0415 - not for `--help`

    books = issue.books
    return {
        "issue": issue.id[:SHORT_ID_CHARACTERS],
        "newsletter": issue.newsletter,
        "for": issue_time(issue),
        "due": books.due,
        "sent": books.sent,
        "waiting": books.waiting,
        "other": books.suppressed + books.refused + books.uncertain,
        "paused": issue.paused_at is not None,
        "subject": issue.subject,
    }


def _delivery_row(line: DeliveryDetails) -> dict[str, object]:
    return {
        "address": line.address,
        "state": line.state,
        "attempts": line.attempts,
        "at": line.at,
        "next": line.due_at,
        "reply": line.reply,
        "delivery": line.id,
    }
