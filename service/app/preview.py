"""Previews: what somebody would get, down to the last byte of the mail; nothing is recorded."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING

from service.core import ids as identity
from service.core.model import Delivery, Issue, RenderedMail, Subscriber
from service.core.placeholders import MARKER, Placeholder
from service.subscribers.links import subscriber_links

if TYPE_CHECKING:
    from service.app.factories.application import Application

EXAMPLE_SUBSCRIBER = Subscriber(identity.subscriber_id("reader@example.org"), "reader@example.org")
"""Whose mail a preview is that is nobody's in particular; their links lead to no subscription."""


async def personalized(house: Application, issue: Issue, subscriber: Subscriber | None) -> RenderedMail:
    """Return the issue with the reader's own values in its places."""
    reader = subscriber or EXAMPLE_SUBSCRIBER
    links = subscriber_links(
        await house.subscribers.signing_key(), house.settings.site.url, reader.id, issue.newsletter
    )
    values = {
        Placeholder.NAME: reader.name,
        Placeholder.ADDRESS: reader.email,
        Placeholder.UNSUBSCRIBE_URL: links.unsubscribe,
        Placeholder.PREFERENCES_URL: links.preferences,
    }
    inside_markup = {place: escape(value) for place, value in values.items()}
    return RenderedMail(
        _filled(issue.rendered.subject, values),
        _filled(issue.rendered.html, inside_markup),
        _filled(issue.rendered.text, values),
    )


async def rendered_mail(house: Application, issue: Issue, subscriber: Subscriber | None) -> bytes:
    """Return the mail as it would leave, headers and all."""
    reader = subscriber or EXAMPLE_SUBSCRIBER
    channel = (await house.deliverer()).channel
    delivery = Delivery(
        identity.delivery_id(issue.id, reader.id, channel.name),
        issue.id,
        reader.id,
        channel.name,
        reader.email,
        reader.name,
    )
    return channel.payload(issue, delivery).content


def _filled(text: str, values: Mapping[Placeholder, str]) -> str:
    return MARKER.sub(lambda mark: values[Placeholder(mark[1])], text)
