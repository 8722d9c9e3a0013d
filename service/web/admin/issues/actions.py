"""What an editor does with an issue: pause, resume, cancel, send again. Each is recorded in the audit."""

from __future__ import annotations

from starlette.responses import Response

from service.app import issues
from service.app.sending import pausing
from service.core.errors import UsageError
from service.core.model import DeliveryState
from service.core.read_models import DeliveryDetails, IssueDetails
from service.web.admin.context import AdminContext
from service.web.admin.issues.pages import issue_of
from service.web.admin.issues.rows import issue_row

TYPED_ABOVE = 100  # mails, from which their number is typed to confirm a resend
SAMPLE = 10  # of the recipients of a resend
RESENT_STATES = {"missed": DeliveryState.REFUSED, "uncertain": DeliveryState.UNCERTAIN}
"""Whom a resend is for, by the name of the choice: those whose mail was refused, or has no known outcome."""


async def pause(context: AdminContext) -> Response:
    """Pause the deliveries of the issue."""
    issue = await issue_of(context)
    issues.require_not_cancelled(issue)
    await pausing.pause(context.app, [issue.id])
    await _record(context, "issue_paused", issue)
    return context.redirect(f"/issues/{issue.id}", done="paused")


async def resume(context: AdminContext) -> Response:
    """Resume the issue; that also ends the pause of all sending, as on the command line."""
    issue = await issue_of(context)
    issues.require_not_cancelled(issue)
    resumed = await pausing.resume(context.app, [issue.id])
    await _record(context, "issue_resumed", issue, deliveries=resumed.deliveries.get(issue.id, 0))
    return context.redirect(f"/issues/{issue.id}", done="resumed_all" if resumed.sending_pause else "resumed")


async def show_cancel(context: AdminContext) -> Response:
    """Show what a cancellation would do."""
    return await _cancel_page(context, await issue_of(context))


async def cancel(context: AdminContext) -> Response:
    """Cancel the issue for those who did not get it."""
    issue = await issue_of(context)
    done = await issues.cancel(context.app, issue)
    await _record(context, "issue_cancelled", issue, cancelled=done.cancelled, in_transfer=done.in_transfer)
    return context.redirect(f"/issues/{issue.id}", done="cancelled")


async def show_resend(context: AdminContext) -> Response:
    """Show to how many the issue would be sent again, and the first of them."""
    return await _resend_page(context, await issue_of(context))


async def resend(context: AdminContext) -> Response:
    """Send the issue again to those who missed it, or show the page again with the problem."""
    issue = await issue_of(context, for_page=False)
    chosen = _chosen(context.fields.get("to", []))
    if not chosen:
        return await _resend_page(context, issue, problem="Choose who gets the mail again.")
    number = _number(issue, chosen)
    if context.value("known") != str(number):
        problem = f"The number has changed meanwhile: it is {number:,} now."
        return await _resend_page(context, issue, problem=problem)
    if number > TYPED_ABOVE and context.value("number").replace(",", "") != str(number):
        return await _resend_page(context, issue, typed=f"Type the number of mails: {number:,}.")
    states = [RESENT_STATES[name] for name in chosen]
    found = await issues.deliveries_to_resend(context.app, issue, states, [])
    due = await issues.resend(context.app, issue, found)
    await _record(context, "issue_resent", issue, deliveries=due, to=list(chosen))
    return context.redirect(f"/issues/{issue.id}", done="resent")


async def _cancel_page(context: AdminContext, issue: IssueDetails) -> Response:
    counts = await issues.cancel(context.app, issue, dry_run=True)
    return context.page("issues/cancel.html", row=issue_row(context, issue), counts=counts)


async def _resend_page(
    context: AdminContext, issue: IssueDetails, *, problem: str = "", typed: str = ""
) -> Response:
    if context.request.method == "POST":
        names = context.fields.get("to", [])
    else:
        names = context.request.query_params.getlist("to") or ["missed"]
    chosen = _chosen(names)
    sample: list[DeliveryDetails] = []
    try:
        issues.require_resendable(issue)
    except UsageError as error:
        chosen, problem = (), error.sentence
    for name in chosen:
        more = await context.app.queries.deliveries(issue.id, states=[RESENT_STATES[name]], limit=SAMPLE)
        sample += more
    return context.page(
        "issues/resend.html",
        status=422 if problem or typed else 200,
        row=issue_row(context, issue),
        chosen=chosen,
        total=_number(issue, chosen),
        sample=sample[:SAMPLE],
        typed_above=TYPED_ABOVE,
        number=context.value("number"),
        problem=problem,
        typed=typed,
    )


def _chosen(names: list[str]) -> tuple[str, ...]:
    return tuple(name for name in RESENT_STATES if name in names)


def _number(issue: IssueDetails, chosen: tuple[str, ...]) -> int:
    return sum(getattr(issue.books, RESENT_STATES[name].value) for name in chosen)


async def _record(context: AdminContext, action: str, issue: IssueDetails, **details: object) -> None:
    row = issue_row(context, issue)
    await context.record(
        action, issue.id, newsletter=row.title, headline=row.subject, due=row.occurrence, **details
    )
