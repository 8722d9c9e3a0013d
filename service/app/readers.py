"""Readers: where somebody stands, or would stand, with a newsletter; for previews and manual sends."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from difflib import get_close_matches

from service.core import ids as identity
from service.core.errors import UsageError
from service.core.model import Edition, Newsletter, Preferences, Roster, Subscriber
from service.store.compose import SqlComposeStore
from service.store.database import Database
from service.store.subscribers import SqlSubscriberStore
from service.subscribers.preferences import edition_for

PREVIEW_LOOKBACK = timedelta(days=1)
"""What somebody is shown who was never told anything: the news of one day."""


@dataclass(frozen=True, slots=True)
class PreviewReader:
    """Somebody with an edition, and how far they were told. `subscriber` None: nobody in particular."""

    edition: Edition
    served_through: int
    subscriber: Subscriber | None = None


async def preview_reader(
    database: Database, roster: Roster, newsletter: Newsletter, email: str | None, *, at: datetime
) -> PreviewReader:
    """Return the reader at that address; with None, somebody who was told everything but the last day.

    Somebody whom the roster names but the record does not know yet counts as well. Raises UsageError.
    """
    told = await SqlComposeStore(database).release_position(at - PREVIEW_LOOKBACK)
    if email is None:
        return PreviewReader(edition_for(newsletter, Preferences(), None), told)
    for membership in await SqlSubscriberStore(database).memberships(newsletter=newsletter.id, email=email):
        return PreviewReader(
            membership.edition, membership.subscription.served_through, membership.subscriber
        )
    wanted = identity.subscriber_id(email)
    for entry in roster.subscribers:
        for name, wishes in entry.newsletters:
            if entry.subscriber.id == wanted and name == newsletter.id:
                edition = edition_for(newsletter, wishes, entry.subscriber.timezone)
                return PreviewReader(edition, told, entry.subscriber)
    raise not_subscribed(email, newsletter.id, (entry.subscriber.email for entry in roster.subscribers))


def not_subscribed(email: str, newsletter: str, known: Iterable[str]) -> UsageError:
    """Return what to raise for an address that does not get the newsletter, with the nearest that may."""
    near = get_close_matches(email, list(known), n=1, cutoff=0.7)
    hint = f" Did you mean {near[0]}?" if near else ""
    return UsageError(f"nobody at {email!r} gets {newsletter}.{hint}")
