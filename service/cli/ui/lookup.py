"""Finding: what a person means by a name, among what the roster declares."""

from __future__ import annotations

from collections.abc import Iterable

from service.core import ids as identity
from service.core.errors import UnknownName
from service.core.model import Feed, Newsletter, Roster


def feed_ids(roster: Roster, names: Iterable[str]) -> list[str]:
    """Return the ids of the feeds that go by these names or addresses. Raises UnknownName."""
    return [feed_named(roster, name).id for name in names]


def feed_named(roster: Roster, name: str) -> Feed:
    """Return the feed of that name, address or id. Raises UnknownName."""
    wanted = name.strip().casefold()
    for feed in roster.feeds:
        if wanted in (feed.name.casefold(), feed.url.casefold(), feed.id) or feed.id == identity.feed_id(
            name
        ):
            return feed
    raise UnknownName("feed", name, [feed.name for feed in roster.feeds])


def newsletter_named(roster: Roster, name: str) -> Newsletter:
    """Return the newsletter of that id. Raises UnknownName."""
    found = roster.newsletter(name)
    if found is None:
        raise UnknownName("newsletter", name, [newsletter.id for newsletter in roster.newsletters])
    return found
