"""Rosters for tests, and the stored subscriptions as short texts to compare."""

from __future__ import annotations

from typing import Any

from service.core import ids as identity
from service.core.model import Feed, Membership, Newsletter, Preferences, Roster, RosterEntry, Subscriber
from service.store.subscribers import SqlSubscriberStore
from tests.builders import a_feed, a_newsletter

MORNING = a_newsletter()
EVENING = a_newsletter("evening", title="The Evening", schedule="daily 18:00")


def an_entry(name: str, *newsletters: str, timezone: str | None = None, **preferences: Any) -> RosterEntry:
    email = name if "@" in name else f"{name}@example.org"
    person = Subscriber(identity.subscriber_id(email), email, name.title(), timezone)
    return RosterEntry(person, tuple((n, Preferences(**preferences)) for n in newsletters or ("morning",)))


def a_roster(
    *entries: RosterEntry,
    feeds: tuple[Feed, ...] | None = None,
    newsletters: tuple[Newsletter, ...] = (MORNING, EVENING),
    unread: tuple[str, ...] = (),
) -> Roster:
    return Roster((a_feed(),) if feeds is None else feeds, newsletters, entries, unread)


async def stored_subscriptions(people: SqlSubscriberStore) -> list[str]:
    """Return every subscription as `amina morning daily 07:00 active`."""
    return [_as_text(m) for m in await people.memberships()]


def _as_text(membership: Membership) -> str:
    name = membership.subscriber.email.partition("@")[0]
    place = membership.subscription
    return f"{name} {place.newsletter} {membership.edition.schedule} {place.status}"
