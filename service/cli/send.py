"""`caveat send`: mail a newsletter now, to some of its readers or to all."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Annotated

import typer

from service.cli.manual import Chapter
from service.cli.options import AsJson, DryRun, Yes
from service.cli.output import count, interrupted_kindly, json_line, listing, progress, say
from service.core.errors import UsageError
from service.core.model import DeliveryState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from service.core.listings import DeliveryLine
    from service.wiring.house import House
    from service.wiring.sending import ManualReport, Recipients

WHO = "Who gets it"
WAITING = (DeliveryState.PLANNED, DeliveryState.ATTEMPTING, DeliveryState.DEFERRED)
SHOWN = 20
"""So many people are listed one by one; of more, those to whom it did not go well."""

chapter = Chapter()


@chapter.page(
    "send",
    """
    caveat send morning --to amina@example.org
    caveat send morning --to amina@example.org --to ben@example.org --dry-run
    caveat send morning --all
    caveat send morning --to amina@example.org --again
    """,
)
def send(
    newsletter: Annotated[str, typer.Argument(metavar="NEWSLETTER", help="The newsletter's id.")],
    to: Annotated[
        list[str] | None,
        typer.Option(
            "--to", metavar="ADDRESS", rich_help_panel=WHO, help="This reader; say it again for another."
        ),
    ] = None,
    *,
    everybody: Annotated[
        bool, typer.Option("--all", rich_help_panel=WHO, help="Everybody who gets this newsletter.")
    ] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Tell once more, on purpose, what they were told last.")
    ] = False,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Mail a newsletter now, to some of its readers or to all.

    It takes the same road as a scheduled issue: each reader is told what they were not told so far, in their
    own length and language, and the hour of their next issue stays as it is. So sending twice by mistake
    finds nothing new; --again repeats the last issue on purpose. More than one person are mailed only after
    a yes.

    What the mail server puts off, and what Ctrl-C interrupts, waits in the outbox: caveat deliver goes on.
    The exit code is 1 when somebody did not get it.
    """
    if bool(to) == everybody:
        raise UsageError("say who gets it: --to ADDRESS, once for each reader, or --all")
    from service.cli.asking import require_yes  # noqa: PLC0415 - not for `--help`
    from service.cli.finding import newsletter_named  # noqa: PLC0415 - as above
    from service.cli.house import in_house  # noqa: PLC0415 - as above
    from service.wiring.sending import make_issues, recipients_of  # noqa: PLC0415 - as above

    async def work(house: House) -> bool:
        found = newsletter_named(house.roster, newsletter)
        recipients = await recipients_of(house, found, to)
        for sentence in recipients.left_out:
            say(sentence)
        if dry_run:
            report = await make_issues(house, recipients, again=again, dry_run=True)
            return await _say_plan(house, recipients, report, again=again, as_json=as_json)
        if recipients.count > 1:
            require_yes(f"Mail {found.title} to {count(recipients.count, 'reader')}?", said=yes)
        with progress("Composing") as composing:
            report = await make_issues(house, recipients, again=again, dry_run=False, progress=composing)
        return await _deliver(house, report, as_json=as_json) and not recipients.left_out

    in_house(work, applying=not dry_run)


async def _deliver(house: House, report: ManualReport, *, as_json: bool) -> bool:
    from service.wiring.sending import Delivered, deliver_these  # noqa: PLC0415 - not for `--help`

    done = Delivered()
    _say_trouble(report)
    if report.deliveries:
        with interrupted_kindly(), progress("Sending") as sending:
            done = await deliver_these(
                house, [planned.issue.id for planned in report.planned], progress=sending
            )
        _list(done.lines, as_json=as_json)
    for problem in done.problems:
        say(problem)
    states = Counter(line.state for line in done.lines)
    if done.lines or not report.nothing_new:
        counted = ", ".join(f"{number} {state.value}" for state, number in sorted(states.items()))
        say(f"{count(len(done.lines), 'reader')}: {counted or 'nobody to send to'}.")
    if any(line.state in WAITING for line in done.lines):
        say("What is not sent waits in the outbox; caveat deliver, or a running service, tries again.")
    return not report.problems and set(states) <= {DeliveryState.SENT}


async def _say_plan(
    house: House, recipients: Recipients, report: ManualReport, *, again: bool, as_json: bool
) -> bool:
    """Say who would get what; nothing was recorded."""
    _say_trouble(report)
    # A repeat begins where its readers stood before, so that one goes by the edition alone.
    by_group = {(p.issue.edition_key, p.issue.told_from): p for p in report.planned}
    by_edition = {p.issue.edition_key: p for p in report.planned}
    members = recipients.chosen or await house.people.memberships(newsletter=recipients.newsletter.id)
    records = []
    for member in members:
        key = member.subscription.edition_key
        planned = by_group.get((key, member.subscription.told_through)) or (again and by_edition.get(key))
        if planned and member.subscription.status == "active" and not member.suppressed:
            records.append(
                {
                    "address": member.subscriber.email,
                    "stories": planned.stories,
                    "subject": planned.issue.rendered.subject,
                }
            )
    listing(records, as_json=as_json, nothing="Nobody would get anything.")
    say(f"{count(len(records), 'reader')} would get it; nothing was sent and nothing recorded.")
    return not report.problems and not recipients.left_out


def _list(lines: Sequence[DeliveryLine], *, as_json: bool) -> None:
    if as_json:
        for line in lines:
            json_line(_record(line))
        return
    shown = lines if len(lines) <= SHOWN else [line for line in lines if line.state is not DeliveryState.SENT]
    if shown:
        listing([_record(line) for line in shown], as_json=False)


def _record(line: DeliveryLine) -> dict[str, object]:
    return {
        "address": line.address,
        "state": line.state,
        "reply": line.reply,
        "issue": line.issue_id,
        "delivery": line.id,
    }


def _say_trouble(report: ManualReport) -> None:
    for problem in report.problems:
        say(problem)
    if report.nothing_new:
        say(
            f"Nothing new for {count(report.nothing_new, 'reader')}: they were told everything. "
            "--again repeats their last issue."
        )
