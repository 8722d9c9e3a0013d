"""Feeds and newsletters of the configuration, found by the name that a person typed."""

from __future__ import annotations

from collections.abc import Iterable

from service.core.errors import UnknownName
from service.core.ids import feed_id
from service.core.model import Feed, Newsletter, Roster


def feed_ids(roster: Roster, names: Iterable[str]) -> list[str]:
    """Return the ids of the feeds with these names, addresses or ids. Raises UnknownName."""
    return [feed_named(roster, name).id for name in names]


def feed_named(roster: Roster, name: str) -> Feed:
    """Return the feed with this name, address or id. Raises UnknownName."""
    folded = name.strip().casefold()
    for feed in roster.feeds:
        if folded in (feed.name.casefold(), feed.url.casefold(), feed.id) or feed.id == feed_id(name):
            return feed
    raise UnknownName("feed", name, [feed.name for feed in roster.feeds])


def newsletter_named(roster: Roster, name: str) -> Newsletter:
    """Return the newsletter with this id. Raises UnknownName."""
    found = roster.newsletter(name)
    if found is None:
        raise UnknownName("newsletter", name, [newsletter.id for newsletter in roster.newsletters])
    return found
