"""Preview: the next issue of a subscriber, rendered as it would be mailed; nothing is recorded."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from difflib import get_close_matches
from html import escape
from typing import TYPE_CHECKING

from service.compose import stage
from service.core import ids as identity
from service.core.archive_links import NONE, issue_links
from service.core.content_ids import standalone_html
from service.core.errors import UsageError
from service.core.model import Delivery, Edition, Issue, Newsletter, Preferences, RenderedMail, Subscriber
from service.core.placeholders import Placeholder, fill
from service.store.compose import SqlComposeStore
from service.subscribers.links import subscriber_links
from service.subscribers.preferences import edition_for

if TYPE_CHECKING:
    from service.app.factories.application import Application

PREVIEW_LOOKBACK = timedelta(days=1)
"""Age of the oldest article in the preview of an edition that was never served."""

EXAMPLE_SUBSCRIBER = Subscriber(identity.subscriber_id("reader@example.org"), "reader@example.org")
"""Recipient of a preview without a subscriber; the links in it lead to no subscription."""


@dataclass(frozen=True, slots=True)
class PreviewReader:
    """An edition with its cursor, as a preview begins from it. `subscriber` is None without a real one."""

    edition: Edition
    served_through: int
    subscriber: Subscriber | None = None


async def preview_reader(
    app: Application, newsletter: Newsletter, email: str | None, *, at: datetime
) -> PreviewReader:
    """Return the subscriber at this address, or with None the newsletter's own edition.

    A subscriber in the configuration that was not applied yet counts too. An edition without a cursor begins
    one day before `at`. Raises UsageError for an address that does not get the newsletter.
    """
    position = await SqlComposeStore(app.database).release_position(at - PREVIEW_LOOKBACK)
    if email is None:
        return PreviewReader(edition_for(newsletter, Preferences(), None), position)
    for membership in await app.subscribers.memberships(newsletter=newsletter.id, email=email):
        cursor = membership.subscription.served_through
        return PreviewReader(membership.edition, cursor, membership.subscriber)
    entry = app.roster.subscriber(identity.subscriber_id(email))
    for name, preferences in entry.newsletters if entry else ():
        if entry and name == newsletter.id:
            edition = edition_for(newsletter, preferences, entry.subscriber.timezone)
            return PreviewReader(edition, position, entry.subscriber)
    raise not_subscribed(email, newsletter.id, (entry.subscriber.email for entry in app.roster.subscribers))


async def next_issue(
    app: Application, reader: PreviewReader, *, at: datetime | None = None, theme: str | None = None
) -> stage.Preview:
    """Return the issue that the reader would get at a moment, by default now; `theme` is another theme.

    Raises UnknownName for an unknown theme.
    """
    moment, composer = at or app.clock(), app.composer
    if theme is not None:
        themed = {key: replace(newsletter, theme=theme) for key, newsletter in composer.newsletters.items()}
        composer = replace(composer, newsletters=themed)
    return await stage.preview(composer, reader.edition, served_through=reader.served_through, now=moment)


def page_note(newsletter: Newsletter) -> str:
    """Return that the links to the issue's web pages lead nowhere before it is sent; "" if it has none."""
    if newsletter.archive == NONE:
        return ""
    return "The links to the web page of the issue lead nowhere: an issue has its page when it is sent."


def not_subscribed(email: str, newsletter: str, known: Iterable[str]) -> UsageError:
    """Return the error for an address that does not get the newsletter, with the most similar known one."""
    near = get_close_matches(email, list(known), n=1, cutoff=0.7)
    hint = f" Did you mean {near[0]}?" if near else ""
    return UsageError(f"nobody at {email!r} gets {newsletter}.{hint}")


async def personalized(app: Application, issue: Issue, subscriber: Subscriber | None) -> RenderedMail:
    """Return the rendered issue with its placeholders filled in for the subscriber.

    Its picture is within the HTML, so that a browser shows it.
    """
    recipient = subscriber or EXAMPLE_SUBSCRIBER
    key, site_url = await app.subscribers.signing_key(), app.settings.site.url
    links = subscriber_links(key, site_url, recipient.id, issue.newsletter)
    newsletter = app.roster.newsletter(issue.newsletter)
    archive = newsletter.archive if newsletter else NONE

    def page_of(issue_id: str) -> str:
        return issue_links(key, site_url, issue_id, archive).page

    pages = issue_links(key, site_url, issue.id, archive)
    values: dict[str, str] = {
        Placeholder.NAME: recipient.name,
        Placeholder.ADDRESS: recipient.email,
        Placeholder.UNSUBSCRIBE_URL: links.unsubscribe,
        Placeholder.PREFERENCES_URL: links.preferences,
        Placeholder.ISSUE_URL: pages.page,
        Placeholder.REPORT_URL: pages.report,
    }
    escaped = {place: escape(value) for place, value in values.items()}
    return RenderedMail(
        fill(issue.rendered.subject, values),
        standalone_html(issue, fill(issue.rendered.html, escaped, issue_url=page_of)),
        fill(issue.rendered.text, values, issue_url=page_of),
    )


async def rendered_mail(app: Application, issue: Issue, subscriber: Subscriber | None) -> bytes:
    """Return the complete message with its headers, as the channel would send it."""
    recipient = subscriber or EXAMPLE_SUBSCRIBER
    channel = (await app.deliverer()).channel
    delivery = Delivery(
        identity.delivery_id(issue.id, recipient.id, channel.name),
        issue.id,
        recipient.id,
        channel.name,
        recipient.email,
        recipient.name,
    )
    return channel.payload(issue, delivery).content
