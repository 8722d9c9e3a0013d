"""Previews: what somebody would get, down to the last byte of the mail; nothing is recorded."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING

from service.core import ids as identity
from service.core.model import Delivery, Issue, Rendered, Subscriber
from service.core.placeholders import MARK, Place
from service.subscribers.links import reader_links

if TYPE_CHECKING:
    from service.app.factories.application import House

SOMEBODY = Subscriber(identity.subscriber_id("reader@example.org"), "reader@example.org")
"""Whose mail a preview is that is nobody's in particular; their links lead to no subscription."""


async def rendered_for(house: House, issue: Issue, subscriber: Subscriber | None) -> Rendered:
    """Return the issue with the reader's own values in its places."""
    reader = subscriber or SOMEBODY
    links = reader_links(
        await house.people.signing_key(), house.settings.site.url, reader.id, issue.newsletter
    )
    values = {
        Place.NAME: reader.name,
        Place.ADDRESS: reader.email,
        Place.UNSUBSCRIBE_URL: links.unsubscribe,
        Place.PREFERENCES_URL: links.preferences,
    }
    inside_markup = {place: escape(value) for place, value in values.items()}
    return Rendered(
        _filled(issue.rendered.subject, values),
        _filled(issue.rendered.html, inside_markup),
        _filled(issue.rendered.text, values),
    )


async def mail_for(house: House, issue: Issue, subscriber: Subscriber | None) -> bytes:
    """Return the mail as it would leave, headers and all."""
    reader = subscriber or SOMEBODY
    deliverer = await house.deliverer()
    delivery = Delivery(
        identity.delivery_id(issue.id, reader.id, deliverer.channel.name),
        issue.id,
        reader.id,
        deliverer.channel.name,
        reader.email,
        reader.name,
    )
    return deliverer.make(issue, delivery).content


def _filled(text: str, values: Mapping[Place, str]) -> str:
    return MARK.sub(lambda mark: values[Place(mark[1])], text)
