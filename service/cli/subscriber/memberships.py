"""Memberships of a subscriber, found by address and shown as a line."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any

from service.app import subscribers
from service.app.factories import application
from service.cli.subscriber import suppression
from service.cli.ui.output import SHORT_ID_CHARACTERS, print_message, print_records
from service.core.errors import UsageError
from service.core.model import Membership
from service.core.secret import HIDDEN

MAX_SHOWN_DELIVERIES = 10


async def memberships_of(
    app: application.Application, address: str, newsletter: str | None = None
) -> Sequence[Membership]:
    """Return the subscriber's memberships, or only the one in `newsletter`.

    Raises UsageError if there is no such subscriber, or if they are not subscribed to it.
    """
    found = await app.subscribers.memberships(email=address)
    if found:
        named = [m for m in found if newsletter in (None, m.subscription.newsletter)]
        if not named:
            raise UsageError(f"{address} is not subscribed to {newsletter!r}")
        return named
    known = [entry.subscriber.email for entry in app.roster.subscribers]
    near = get_close_matches(address, known, n=1, cutoff=0.7)
    hint = f" Did you mean {near[0]}?" if near else ""
    suppressed = await subscribers.suppression(app, address)
    note = f" {suppression.suppression_text(address, suppressed)}." if suppressed else ""
    raise UsageError(f"there is no subscriber {address!r}.{hint}{note}")


def membership_record(membership: Membership, *, preferences: bool = False) -> dict[str, Any]:
    """Return a membership as a line of output; with `preferences`, all of them and why no mail is sent."""
    edition, subscription = membership.edition, membership.subscription
    blocked = membership.suppressed if preferences else membership.suppressed and "suppressed"
    record: dict[str, Any] = {
        "email": membership.subscriber.email,
        "name": membership.subscriber.name,
        "newsletter": subscription.newsletter,
        "schedule": edition.schedule,
        "timezone": edition.timezone,
        "status": blocked or subscription.status,
        "until": membership.pause_end,
        "next": None if blocked else subscription.next_due_at,
    }
    if preferences and membership.subscriber.channel:
        record["channel"] = f"{membership.subscriber.channel}: {HIDDEN}"
    if preferences:
        record |= {
            "topics": edition.topics or ("all",),
            "languages": edition.languages or ("all",),
            "follow": edition.follow,
            "mute": edition.mute,
            "minutes": edition.minutes,
            "stories": edition.stories,
            "points": edition.points,
            "language": edition.language,
            "format": edition.format,
        }
    return record


async def print_deliveries(app: application.Application, subscriber: str) -> None:
    """Print the last deliveries to a subscriber (id)."""
    print_message("")
    deliveries = await app.queries.deliveries_to(subscriber, limit=MAX_SHOWN_DELIVERIES)
    records = [
        {"issue": d.issue_id[:SHORT_ID_CHARACTERS], "state": d.state, "at": d.at, "reply": d.reply}
        for d in deliveries
    ]
    print_records(records, as_json=False, empty_message="Nothing was sent to them yet.")
