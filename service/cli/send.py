"""`caveat send`: mail a newsletter now, to some of its readers or to all."""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack
from typing import TYPE_CHECKING, Annotated

import typer

from service.cli.ui.help import CommandTyper
from service.cli.ui.options import AsJson, DryRun, Yes
from service.cli.ui.output import SHORT_ID_CHARACTERS, print_message, print_records, progress, quantity
from service.core.errors import UsageError
from service.core.model import DeliveryState
from service.core.progress import Progress, no_progress

if TYPE_CHECKING:
    from service.app.factories.application import Application
    from service.app.manual_send import ManualSendReport, Recipients
    from service.core.model import ManualSend
    from service.core.read_models import DeliveryDetails
    from service.core.send_request import SendRequest

RECIPIENT_PANEL = "Who gets it"
MAX_LISTED_SUBSCRIBERS = 20  # readers listed one by one; of more, only those not mailed are summarised
DELIVERIES_PER_PAGE = 5_000  # deliveries read at once
MAX_SHOWN_REASONS = 5  # lines of the summary
MAX_REASONS = 1_000  # reasons told apart; a server that words each reply differently must not fill the memory
MAX_NAMED_ADDRESSES = 3  # addresses of each reason, and issues in the command that lists them all

chapter = CommandTyper()


@chapter.add(
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
            "--to",
            metavar="ADDRESS",
            rich_help_panel=RECIPIENT_PANEL,
            help="This reader; say it again for another.",
        ),
    ] = None,
    *,
    everybody: Annotated[
        bool,
        typer.Option("--all", rich_help_panel=RECIPIENT_PANEL, help="Everybody who gets this newsletter."),
    ] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Tell once more, on purpose, what they were told last.")
    ] = False,
    key: Annotated[
        str,
        typer.Option("--key", metavar="WORD", help="The same word is the same send, however often asked."),
    ] = "",
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Mail a newsletter now, to some of its readers or to all.

    It takes the same road as a scheduled issue: each reader is told what they were not told so far, in their
    own length and language, and the hour of their next issue stays as it is. So sending twice by mistake
    finds nothing new; --again repeats the last issue on purpose. More than one person are mailed only after
    a yes.

    The same command within a minute is taken for a slip: it goes on with the first one and sends nothing
    twice. So does --key with the same WORD, for good: a script that does not know how far it came may run
    the command again.

    Ctrl-C pauses; caveat issue resume goes on. What the mail server puts off waits in the outbox: caveat
    deliver goes on. The exit code is 1 when somebody did not get it.
    """
    if bool(to) == everybody:
        raise UsageError("say who gets it: --to ADDRESS, once for each reader, or --all")
    from service.cli.ui.open_app import run_in_app  # noqa: PLC0415 - not for `--help`
    from service.core.send_request import SendRequest  # noqa: PLC0415 - as above

    wanted = SendRequest(newsletter, None if everybody else tuple(to or ()), again, key)

    async def work(house: Application) -> bool:
        if dry_run:
            return await _dry_run(house, wanted, as_json=as_json)
        planned = await _plan_or_find(house, wanted, yes=yes)
        return await _deliver(house, planned, as_json=as_json)

    run_in_app(work, apply_roster=not dry_run)


async def _plan_or_find(app: Application, wanted: SendRequest, *, yes: bool) -> ManualSend:
    """Return the send, planned now after a confirmation, or found to be planned already."""
    from service.app.manual_send import send as plan  # noqa: PLC0415 - not for `--help`
    from service.cli.ui.confirm import require_confirmation  # noqa: PLC0415 - not for `--help`

    with ExitStack() as stack:
        composing: Progress = no_progress

        def confirm(recipients: Recipients) -> None:
            nonlocal composing
            _print_left_out(wanted, recipients.left_out)
            if recipients.count > 1:
                readers = quantity(recipients.count, "reader")
                require_confirmation(f"Mail {recipients.newsletter.title} to {readers}?", confirmed=yes)
            composing = stack.enter_context(progress("Composing"))

        def report(what: str, done: int, total: int) -> None:
            composing(what, done, total)

        result = await plan(app, wanted, confirm=confirm, progress=report)
    if result.is_new:
        return result.planned
    ago = quantity(round((app.clock() - result.planned.at).total_seconds()), "second")
    more = "--again sends it once more; --key with a WORD of its own sends what is new since"
    if wanted.key or wanted.repeat:
        more = "--key with another WORD sends it once more"
    print_message(f"This was sent {ago} ago, and nothing is sent twice. {more}.")
    return result.planned


async def _deliver(house: Application, planned: ManualSend, *, as_json: bool) -> bool:
    """Deliver what was planned and say what came of it; return whether everybody who was meant got it."""
    from service.cli.ui.watch_delivery import deliver_with_progress  # noqa: PLC0415 - not for `--help`

    _print_problems(planned)
    well = not (planned.problems or planned.left_out)
    if not planned.deliveries:
        if not planned.nothing_new:
            print_message("0 readers: nobody to send to.")
        return well
    done = await deliver_with_progress(house, planned.issues)
    await _print_deliveries(house, planned, done.states, as_json=as_json)
    counted = ", ".join(f"{number:,} {state.value}" for state, number in sorted(done.states.items()))
    print_message(f"{quantity(done.states.total(), 'reader')}: {counted}.")
    return well and set(done.states) <= {DeliveryState.SENT}


async def _dry_run(app: Application, wanted: SendRequest, *, as_json: bool) -> bool:
    from service.app.manual_send import dry_run  # noqa: PLC0415 - not for `--help`

    found = await dry_run(app, wanted)
    _print_left_out(wanted, found.recipients.left_out)
    return await _print_plan(app, found.recipients, found.report, again=wanted.repeat, as_json=as_json)


async def _print_plan(
    house: Application, recipients: Recipients, report: ManualSendReport, *, again: bool, as_json: bool
) -> bool:
    """Say who would get what; nothing was recorded."""
    _print_problems(report)
    # A repeat begins where its readers stood before, so that one goes by the edition alone.
    by_group = {(p.issue.edition_key, p.issue.served_from): p for p in report.planned}
    by_edition = {p.issue.edition_key: p for p in report.planned}
    members = recipients.chosen or await house.subscribers.memberships(newsletter=recipients.newsletter.id)
    records = []
    for member in members:
        key = member.subscription.edition_key
        planned = by_group.get((key, member.subscription.served_through)) or (again and by_edition.get(key))
        if planned and member.subscription.status == "active" and not member.suppressed:
            records.append(
                {
                    "address": member.subscriber.email,
                    "stories": planned.stories,
                    "subject": planned.issue.rendered.subject,
                }
            )
    print_records(records, as_json=as_json, empty_message="Nobody would get anything.")
    print_message(f"{quantity(len(records), 'reader')} would get it; nothing was sent and nothing recorded.")
    return not report.problems and not recipients.left_out


async def _print_deliveries(
    house: Application, planned: ManualSend, states: Counter[DeliveryState], *, as_json: bool
) -> None:
    """List the readers one by one for programs and when they are few; else summarise those not mailed."""
    few = as_json or states.total() <= MAX_LISTED_SUBSCRIBERS
    others = None if few else [state for state in states if state is not DeliveryState.SENT]
    reasons, concerned = FailureSummary(), []
    for issue in planned.issues if others is None or others else ():
        after: str | None = None
        while page := await house.overview.deliveries(
            issue, states=others, after=after, limit=DELIVERIES_PER_PAGE
        ):
            if few:
                print_records([_delivery_record(line) for line in page], as_json=as_json)
            for line in () if few else page:
                reasons.add(line.state, line.reply, line.address)
            after = page[-1].id
        if after is not None and not few:
            concerned.append(issue)
    for sentence in reasons.sentences():
        print_message(sentence)
    for issue in concerned[:MAX_NAMED_ADDRESSES]:
        print_message(f"caveat issue show {issue[:SHORT_ID_CHARACTERS]} --who lists them all.")


class FailureSummary:
    """Deliveries that were not sent, counted by state and reason, with the first addresses of each."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str]] = Counter()
        self._first: dict[tuple[str, str], list[str]] = {}

    def add(self, state: str, reply: str, address: str) -> None:
        """Count a delivery. Replies that differ only in an address are one reason."""
        reason = " ".join("..." if "@" in word else word for word in reply.split())
        key = (state, reason)
        if key not in self._counts and len(self._counts) >= MAX_REASONS:
            key = (state, "other reasons")
        self._counts[key] += 1
        first = self._first.setdefault(key, [])
        if len(first) < MAX_NAMED_ADDRESSES:
            first.append(address)

    def sentences(self) -> list[str]:
        """Return a line for each of the most frequent reasons, and one for the rest."""
        lines = []
        for (state, reason), number in self._counts.most_common(MAX_SHOWN_REASONS):
            first = self._first[state, reason]
            more = ", ..." if number > len(first) else ""
            because = f" ({reason})" if reason else ""
            lines.append(f"{number:,} {state}{because}: {', '.join(first)}{more}")
        if rest := self._counts.total() - sum(n for _, n in self._counts.most_common(MAX_SHOWN_REASONS)):
            lines.append(f"{rest:,} more for other reasons.")
        return lines


def _delivery_record(line: DeliveryDetails) -> dict[str, object]:
    return {
        "address": line.address,
        "state": line.state,
        "reply": line.reply,
        "issue": line.issue_id,
        "delivery": line.id,
    }


def _print_problems(report: ManualSendReport | ManualSend) -> None:
    for problem in report.problems:
        print_message(problem)
    if report.nothing_new:
        print_message(
            f"Nothing new for {quantity(report.nothing_new, 'reader')}: they were told everything. "
            "--again repeats their last issue."
        )


def _print_left_out(wanted: SendRequest, reasons: dict[str, str]) -> None:
    for address, why in wanted.left_out(reasons):
        print_message(f"{address} {why}")
