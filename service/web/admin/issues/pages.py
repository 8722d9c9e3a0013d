"""Pages of issues: the list, one issue with its mail, and its deliveries."""

from __future__ import annotations

from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.responses import Response

from service.app import issues
from service.app.archive.mail import mail_html, mail_text
from service.app.articles.edits import corrections_in, count_edited
from service.core.archive_links import NONE
from service.core.model import DeliveryState
from service.core.read_models import IssueDetails
from service.web.admin.context import AdminContext
from service.web.admin.issues.rows import issue_row, issue_rows
from service.web.admin.mail_frame import framed_mail

ISSUES_PER_PAGE = 30
MAX_EDITIONS = 50  # of the same time, that a page names
FORMS = ("desktop", "phone", "text")

FILTERS: dict[str, tuple[DeliveryState, ...]] = {
    "sent": (DeliveryState.SENT,),
    "planned": (DeliveryState.PLANNED,),
    "attempting": (DeliveryState.ATTEMPTING,),
    "deferred": (DeliveryState.DEFERRED,),
    "refused": (DeliveryState.REFUSED,),
    "uncertain": (DeliveryState.UNCERTAIN,),
    "suppressed": (DeliveryState.SUPPRESSED,),
    "cancelled": (DeliveryState.CANCELLED,),
}
"""The filters of the list of deliveries, by their name in the address."""


async def issue_of(context: AdminContext, *, for_page: bool = True) -> IssueDetails:
    """Return the issue in the path. Raises HTTPException 404 if there is none with this whole id."""
    found = await context.app.queries.issues_by_prefix(context.path("id"), for_page=for_page)
    if len(found) != 1 or found[0].id != context.path("id"):
        raise HTTPException(404, "There is no such issue.")
    return found[0]


async def show_list(context: AdminContext) -> Response:
    """Show the issues of one newsletter or of all, newest first."""
    newsletter, before = context.query("newsletter"), context.query("before")
    found = await context.app.queries.issues(
        newsletter or None, limit=ISSUES_PER_PAGE + 1, before=before or None, for_page=True
    )
    shown, following = found[:ISSUES_PER_PAGE], ""
    if len(found) > ISSUES_PER_PAGE:
        following = urlencode({"newsletter": newsletter, "before": shown[-1].id})
    return context.page(
        "issues/list.html",
        rows=issue_rows(context, shown),
        newsletters=context.app.roster.newsletters,
        newsletter=newsletter,
        before=before,
        following=following,
    )


async def show_issue(context: AdminContext) -> Response:
    """Show the issue: numbers, its mail in one form, corrections, and the editions of the same time."""
    issue, app = await issue_of(context), context.app
    form = context.query("form") if context.query("form") in FORMS else FORMS[0]
    archived = await app.archive.own_issue(issue.id)
    has_page = archived is not None and archived.newsletter.archive != NONE
    return context.page(
        "issues/issue.html",
        row=issue_row(context, issue),
        form=form,
        forms=FORMS,
        text=await mail_text(app, issue, None) if form == "text" else "",
        page=archived.links.page if archived and has_page else "",
        corrections=[sent.correction for sent in await corrections_in(app, issue.id)],
        edited=await count_edited(app, issue.article_ids),
        editions=issue_rows(
            context, await app.queries.issues_of_same_time(issue, limit=MAX_EDITIONS, for_page=True)
        ),
        max_editions=MAX_EDITIONS,
    )


async def show_mail(context: AdminContext) -> Response:
    """Show the mail's HTML, for the frame; an example's address and links stand for a subscriber's."""
    return framed_mail(await mail_html(context.app, await issue_of(context)))


async def show_deliveries(context: AdminContext) -> Response:
    """Show to whom the issue went, with the replies of the mail servers."""
    issue, app = await issue_of(context), context.app
    address, name = context.query("q"), context.query("state")
    states = FILTERS.get(name)
    if address:
        one = await issues.delivery_to(app, issue, address)
        ledger = issues.LedgerPage([one] if one else [], "")
    elif states and not _may_have(issue, states[0]):
        ledger = issues.LedgerPage([], "")  # without reading the whole ledger for nothing
    else:
        ledger = await issues.ledger(app, issue, states, after=context.query("after"))
    state = name if states and not address else ""
    return context.page(
        "issues/deliveries.html",
        row=issue_row(context, issue),
        ledger=ledger,
        address=address,
        state=state,
        filters=tuple(FILTERS),
        after=context.query("after"),
        following=urlencode({"state": state, "after": ledger.next}) if ledger.next else "",
    )


def _may_have(issue: IssueDetails, state: DeliveryState) -> bool:
    return bool(getattr(issue.books, state.value, issue.books.waiting))
