"""Test send: an issue to any address, by the real channel; nothing is recorded and no news is used up."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from service.app import preview as previews
from service.core import ids as identity
from service.core.errors import CaveatError, UsageError
from service.core.model import Delivery, Issue, Newsletter, Outcome
from service.core.validators import read_email
from service.deliver.single_message import send_one
from service.subscribers.links import TEST_RECIPIENT

if TYPE_CHECKING:
    from service.app.factories.application import Application

SUBJECT_MARK = "[Test] "


@dataclass(frozen=True, slots=True)
class PreparedTest:
    """The issue of a test send to `address`, with the number of its `stories`."""

    issue: Issue
    address: str
    stories: int


async def prepare_test(
    app: Application,
    newsletter: Newsletter,
    address: str,
    *,
    edition_of: str | None = None,
    at: datetime | None = None,
) -> PreparedTest:
    """Return the issue, marked in its subject, that an edition would get at a time, by default now.

    The edition is that of the subscriber `edition_of`, or the newsletter's own. Raises UsageError for an
    invalid or suppressed address and for one that does not get the newsletter, CaveatError for an issue
    without stories.
    """
    recipient = read_email(address)
    if suppression := await app.subscribers.suppression(recipient):
        raise UsageError(f"{recipient} must not be mailed, not even for a test: {suppression.reason}")
    reader = await previews.preview_reader(app, newsletter, edition_of, at=at or app.clock())
    found = await previews.next_issue(app, reader, at=at)
    if not found.digest.stories and newsletter.empty == "skip":
        raise CaveatError(
            "the issue would have no story, so there is nothing to test; caveat gather polls the feeds"
        )
    rendered = replace(found.issue.rendered, subject=SUBJECT_MARK + found.issue.rendered.subject)
    return PreparedTest(replace(found.issue, rendered=rendered), recipient, len(found.digest.stories))


async def send_test(app: Application, test: PreparedTest) -> Outcome:
    """Send the issue now; return the outcome with the server's reply.

    Its links to the subscriber's pages belong to nobody, so following them changes nothing. Raises
    ChannelUnavailable.
    """
    channel = (await app.deliverer()).channel
    number = identity.content_id("test", test.issue.id, test.address, app.clock().isoformat())
    delivery = Delivery(number, test.issue.id, TEST_RECIPIENT, channel.name, test.address, "")
    return await send_one(channel, test.issue, delivery)
