"""The mail of a recorded issue: its text and the whole message, for one subscriber or for nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.app.archive.issue_page import public_paragraphs
from service.app.preview import not_subscribed, personalized, rendered_mail
from service.core.errors import CaveatError
from service.core.model import Issue, Subscriber
from service.core.read_models import IssueDetails
from service.store.deliver import SqlDeliverStore

if TYPE_CHECKING:
    from service.app.factories.application import Application


async def mail_text(app: Application, issue: IssueDetails, to: str | None) -> str:
    """Return the plain text of the issue's mail.

    `to` is a subscriber's address; with None, the lines that hold a recipient's own values are left out.
    Raises UsageError for an address that does not get the newsletter.
    """
    stored = await _stored(app, issue)
    if to:
        return (await personalized(app, stored, await _subscriber(app, issue, to))).text
    paragraphs = public_paragraphs(stored.rendered.text)
    lines = ("\n".join("".join(piece.text for piece in line) for line in one) for one in paragraphs)
    return "\n\n".join(lines) + "\n"


async def mail_html(app: Application, issue: IssueDetails) -> str:
    """Return the HTML of the issue's mail as an example's: its personal links lead to no subscription."""
    return (await personalized(app, await _stored(app, issue), None)).html


async def whole_mail(app: Application, issue: IssueDetails, to: str | None) -> bytes:
    """Return the message with its headers, as it is built for the subscriber at the address `to`.

    With None it is addressed to an example, and its personal links lead to no subscription. Raises UsageError
    for an address that does not get the newsletter.
    """
    return await rendered_mail(app, await _stored(app, issue), await _subscriber(app, issue, to))


async def _stored(app: Application, issue: IssueDetails) -> Issue:
    stored = await SqlDeliverStore(app.database).issue(issue.id)
    if stored is None:
        raise CaveatError(f"the issue {issue.id} is not stored any more")
    return stored


async def _subscriber(app: Application, issue: IssueDetails, to: str | None) -> Subscriber | None:
    if to is None:
        return None
    for membership in await app.subscribers.memberships(newsletter=issue.newsletter, email=to):
        return membership.subscriber
    raise not_subscribed(to, issue.newsletter, (entry.subscriber.email for entry in app.roster.subscribers))
