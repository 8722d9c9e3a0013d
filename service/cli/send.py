"""`caveat send`: send a newsletter now, to some of its subscribers or to all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Annotated

import typer

from service.cli.ui.commands import CommandTyper
from service.cli.ui.input import require_confirmation
from service.cli.ui.lazy_imports import lazy_imports
from service.cli.ui.options import AsJson, DryRun, NewsletterName, Yes
from service.cli.ui.output import SHORT_ID_CHARACTERS, print_message, print_records, progress, quantity
from service.core.errors import UsageError
from service.core.model import DeliveryState, ManualSend, Membership
from service.core.progress import Progress, no_progress
from service.core.read_models import DeliveryDetails
from service.core.send_request import SendRequest

with lazy_imports():
    from service.app.accounts import audit
    from service.app.factories import application
    from service.app.sending import manual_send
    from service.cli import send_test
    from service.cli.ui import delivery_progress, open_app

RECIPIENT_PANEL = "Who gets it"
MAX_LISTED_SUBSCRIBERS = 20  # of more, only the deliveries that were not sent are summarized
DELIVERIES_PER_PAGE = 5_000  # read at once
MAX_SHOWN_REASONS = 5  # lines of the summary
MAX_REASONS = 1_000  # counted separately; a server that words each reply differently must not fill the memory
MAX_NAMED_ADDRESSES = 3  # of each reason
MAX_NAMED_ISSUES = 3  # below the summary

commands = CommandTyper()


@commands.add(
    "send",
    """
    caveat send morning --to amina@example.org
    caveat send morning --to amina@example.org --to ben@example.org --dry-run
    caveat send morning --all
    caveat send morning --to amina@example.org --again
    caveat send morning --test editor@example.org --for amina@example.org
    """,
)
def send(
    newsletter: NewsletterName,
    to: Annotated[
        list[str] | None,
        typer.Option(
            "--to",
            metavar="ADDRESS",
            rich_help_panel=RECIPIENT_PANEL,
            help="Address of a subscriber; may be repeated.",
        ),
    ] = None,
    *,
    test: Annotated[
        str | None,
        typer.Option(
            "--test",
            metavar="ADDRESS",
            rich_help_panel=RECIPIENT_PANEL,
            help="Any address, for a test that is marked [Test] and recorded nowhere.",
        ),
    ] = None,
    edition_of: Annotated[
        str | None,
        typer.Option(
            "--for",
            metavar="ADDRESS",
            help="With --test: the subscriber whose issue it is. Default: the newsletter's own preferences.",
        ),
    ] = None,
    at: Annotated[
        str | None,
        typer.Option("--at", metavar="TIME", help="With --test: the time of the issue, as in preview."),
    ] = None,
    everybody: Annotated[
        bool,
        typer.Option("--all", rich_help_panel=RECIPIENT_PANEL, help="All subscribers of the newsletter."),
    ] = False,
    again: Annotated[
        bool,
        typer.Option("--again", help="Articles of each subscriber's last issue once more, with what is new."),
    ] = False,
    key: Annotated[
        str,
        typer.Option("--key", metavar="WORD", help="Idempotency key: one WORD is sent once, ever."),
    ] = "",
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Send a newsletter now, to some of its subscribers or to all.

    Each subscriber gets the articles that they have not been sent yet, with their own preferences. The time
    of their next scheduled issue does not change. --again sends the articles of the last issue once more,
    together with those that came since. Sending to more than one subscriber asks for confirmation.

    The same command within a minute continues the first one, and nothing is sent twice. With --key that holds
    for ever: a script that was interrupted can safely run the same command again.

    --test sends the issue that a subscriber (--for), or the newsletter's own edition, would get now to any
    address that is not suppressed. It uses up nobody's news, its links change no subscription, and its web
    page does not exist. The mail server's reply is shown.

    Ctrl-C pauses the send, and caveat issue resume continues it. Mails that the mail server defers wait in
    the outbox for caveat deliver or a running service. If any subscriber did not get the mail, the exit code
    is 1.
    """
    if test is not None:
        if to or everybody or again or key:
            raise UsageError("--test sends to one address alone, without --to, --all, --again and --key")
        send_test.run_test(newsletter, test, edition_of, at, dry_run=dry_run, as_json=as_json)
        return
    if edition_of or at:
        raise UsageError("--for and --at belong to --test ADDRESS")
    if bool(to) == everybody:
        raise UsageError("name the recipients: --to ADDRESS (may be repeated), --all or --test ADDRESS")
    request = SendRequest(newsletter, None if everybody else tuple(to or ()), again, key)

    async def work(app: application.Application) -> bool:
        if dry_run:
            return await _dry_run(app, request, as_json=as_json)
        planned = await _plan(app, request, yes=yes)
        return await _deliver(app, planned, as_json=as_json)

    open_app.run_in_app(work, apply_roster=not dry_run, needs_files=True)


async def _plan(app: application.Application, request: SendRequest, *, yes: bool) -> ManualSend:
    """Plan the send after confirmation, or find the earlier send that this command repeats."""
    with ExitStack() as stack:
        move_bar: Progress = no_progress

        def confirm(recipients: manual_send.Recipients) -> None:
            nonlocal move_bar
            _print_left_out(request, recipients.left_out)
            if recipients.count > 1:
                subscribers = quantity(recipients.count, "subscriber")
                require_confirmation(f"Send {recipients.newsletter.title} to {subscribers}?", confirmed=yes)
            move_bar = stack.enter_context(progress("Composing"))  # not before: it would hide the question

        def report(what: str, done: int, total: int) -> None:
            move_bar(what, done, total)  # the one that `confirm` has set

        result = await manual_send.send(app, request, confirm=confirm, progress=report)
    if result.is_new:
        planned = result.planned
        about = {"newsletter": request.newsletter, "deliveries": planned.deliveries}
        await audit.record_command(app, "send_planned", planned.id, **about)
        return planned
    ago = quantity(round((app.clock() - result.planned.at).total_seconds()), "second")
    more = "--again sends it once more; --key with a WORD of its own sends what is new since"
    if request.key or request.repeat:
        more = "--key with another WORD sends it once more"
    print_message(f"This was sent {ago} ago, and nothing is sent twice. {more}.")
    return result.planned


async def _deliver(app: application.Application, planned: ManualSend, *, as_json: bool) -> bool:
    """Deliver the send and print the outcome; return whether every recipient was sent the mail."""
    _print_problems(planned.problems, planned.nothing_new)
    complete = not (planned.problems or planned.left_out)
    if not planned.deliveries:
        if not planned.nothing_new:
            print_message("0 subscribers: no mail to send.")
        return complete
    done = await delivery_progress.deliver_with_progress(app, planned.issues)
    await _print_deliveries(app, planned, done.states, as_json=as_json)
    counts = ", ".join(f"{number:,} {state.value}" for state, number in sorted(done.states.items()))
    print_message(f"{quantity(done.states.total(), 'subscriber')}: {counts}.")
    return complete and set(done.states) <= {DeliveryState.SENT}


async def _dry_run(app: application.Application, request: SendRequest, *, as_json: bool) -> bool:
    """Print who would get which issue; record nothing."""
    found = await manual_send.dry_run(app, request)
    recipients, report = found.recipients, found.report
    _print_left_out(request, recipients.left_out)
    _print_problems(report.problems, report.nothing_new)
    # A repeat begins at an earlier position than its subscribers have now; only the edition matches.
    by_group = {(p.issue.edition_key, p.issue.served_from): p for p in report.planned}
    by_edition = {p.issue.edition_key: p for p in report.planned}
    members: Sequence[Membership] = recipients.chosen or ()
    if recipients.chosen is None and report.planned:
        members = await app.subscribers.memberships(newsletter=recipients.newsletter.id)
    records = []
    for member in members:
        key = member.subscription.edition_key
        planned = by_group.get((key, member.subscription.served_through)) or (
            request.repeat and by_edition.get(key)
        )
        if planned and member.subscription.status == "active" and not member.suppressed:
            records.append(
                {
                    "address": member.subscriber.email,
                    "stories": planned.stories,
                    "subject": planned.issue.rendered.subject,
                }
            )
    print_records(records, as_json=as_json, empty_message="No subscriber would get a mail.")
    print_message(f"{quantity(len(records), 'subscriber')} would get it; nothing was sent or recorded.")
    return not report.problems and not recipients.left_out


async def _print_deliveries(
    app: application.Application, planned: ManualSend, states: Counter[DeliveryState], *, as_json: bool
) -> None:
    """List every delivery for programs or if there are few; else summarize those that were not sent."""
    few = as_json or states.total() <= MAX_LISTED_SUBSCRIBERS
    unsent = None if few else [state for state in states if state is not DeliveryState.SENT]
    failures, failed_issues = FailureSummary(), []
    for issue in planned.issues if unsent is None or unsent else ():
        after: str | None = None
        while page := await app.queries.deliveries(
            issue, states=unsent, after=after, limit=DELIVERIES_PER_PAGE
        ):
            if few:
                print_records([_delivery_record(delivery) for delivery in page], as_json=as_json)
            for delivery in () if few else page:
                failures.add(delivery.state, delivery.reply, delivery.address)
            after = page[-1].id
        if after is not None and not few:
            failed_issues.append(issue)
    for sentence in failures.sentences():
        print_message(sentence)
    for issue in failed_issues[:MAX_NAMED_ISSUES]:
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
        """Return a line for each of the most frequent reasons, and one for all others."""
        lines = []
        for (state, reason), number in self._counts.most_common(MAX_SHOWN_REASONS):
            first = self._first[state, reason]
            more = ", ..." if number > len(first) else ""
            because = f" ({reason})" if reason else ""
            lines.append(f"{number:,} {state}{because}: {', '.join(first)}{more}")
        if rest := self._counts.total() - sum(n for _, n in self._counts.most_common(MAX_SHOWN_REASONS)):
            lines.append(f"{rest:,} more for other reasons.")
        return lines


def _delivery_record(delivery: DeliveryDetails) -> dict[str, object]:
    return {
        "address": delivery.address,
        "state": delivery.state,
        "reply": delivery.reply,
        "issue": delivery.issue_id,
        "delivery": delivery.id,
    }


def _print_problems(problems: tuple[str, ...], nothing_new: int) -> None:
    for problem in problems:
        print_message(problem)
    if nothing_new:
        verb = "was" if nothing_new == 1 else "were"
        print_message(
            f"Nothing new for {quantity(nothing_new, 'subscriber')}, who {verb} sent every article already. "
            "--again repeats their last issue."
        )


def _print_left_out(request: SendRequest, reasons: dict[str, str]) -> None:
    for address, reason in request.left_out(reasons):
        print_message(f"{address} {reason}")
