"""Roster difference: what applying the roster would change in the database, and what it would leave."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from service.core.errors import UsageError
from service.core.model import (
    PREFERENCE_FIELDS,
    DesiredSubscription,
    Edition,
    Feed,
    Membership,
    Newsletter,
    Roster,
    SubscriptionStatus,
)
from service.subscribers.defaults import changed_defaults
from service.subscribers.ports import SubscriberStore
from service.subscribers.preferences import PlacementBuilder
from service.subscribers.sync import placements_of

PAGE_SIZE = 2_000  # subscribers per query

FEED_KEYS = {
    **{name: name for name in ("url", "name", "topics", "language", "method", "full_text")},
    "poll_interval": "every",
    "first_entries": "first_items",
    "max_age": "max_age",
    "weight": "weight",
    "categories": "categories",
}
"""Fields of a Feed that feeds.yaml sets, each with its key there."""

PREFERENCE_KEYS = {name: name for name in PREFERENCE_FIELDS}


class RosterAction(StrEnum):
    """What applying the roster does about a difference."""

    ADD = "add"
    CHANGE = "change"
    END = "end"
    RETURN = "return"
    STAY = "stay"
    """The subscriber chose something else, and their choice wins."""


@dataclass(frozen=True, slots=True)
class RosterDifference:
    """A difference. `kind` is `feed` or `subscription`; `newsletter` (an id) is empty for a feed.

    Of a subscription, `before` is the edition now and `after` the one that the roster asks for, which is due
    first at `next_due_at`; each is None where there is none.
    """

    kind: str
    name: str
    newsletter: str
    action: RosterAction
    detail: str
    before: Edition | None = None
    after: Edition | None = None
    next_due_at: datetime | None = None


async def differences(
    store: SubscriberStore, roster: Roster, feeds: Sequence[Feed], now: datetime
) -> AsyncIterator[RosterDifference]:
    """Yield the differences between the roster and the database: feeds first, then subscriptions.

    `feeds` are the active feeds of the database. Subscriptions that the roster never declared (from an import
    or the sign-up page) and subscribers with an unreadable entry are left out.
    """
    for difference in _feeds(roster.feeds, feeds):
        yield difference
    placements, _, unplaced = await asyncio.to_thread(placements_of, roster, now)
    missing = {(p.subscriber.id, p.newsletter): p for p in placements}
    unreadable = {*roster.unreadable_subscribers, *unplaced}
    changed, builder = await changed_defaults(store.roster_state, roster.newsletters), PlacementBuilder(now)
    after: str | None = None
    while page := await store.memberships_page(after, PAGE_SIZE):
        after = page[-1].subscriber.id
        for membership in page:
            key = (membership.subscriber.id, membership.subscription.newsletter)
            placement = missing.pop(key, None)
            if membership.subscriber.id in unreadable:
                continue
            action, detail = _action(membership, placement)
            if placement and (followed := _followed(membership, changed.get(key[1]), builder)):
                placement, action = followed, RosterAction.CHANGE
                detail = changed_preferences(membership.edition, followed.edition)
            if action is not None:
                yield RosterDifference(
                    "subscription",
                    membership.subscriber.email,
                    key[1],
                    action,
                    detail,
                    membership.edition,
                    placement.edition if placement else None,
                    placement.next_due_at if placement else None,
                )
    for placement in missing.values():
        yield _added(placement)


def _added(placement: DesiredSubscription) -> RosterDifference:
    return RosterDifference(
        "subscription",
        placement.subscriber.email,
        placement.newsletter,
        RosterAction.ADD,
        "",
        None,
        placement.edition,
        placement.next_due_at,
    )


def _feeds(declared: Sequence[Feed], known: Sequence[Feed]) -> Iterator[RosterDifference]:
    undeclared = {feed.id: feed for feed in known}
    for feed in declared:
        before = undeclared.pop(feed.id, None)
        if feed.muted:
            if before is not None:
                yield RosterDifference("feed", feed.url, "", RosterAction.CHANGE, "muted no -> yes")
        elif before is None:
            yield RosterDifference("feed", feed.url, "", RosterAction.ADD, feed.name)
        elif before != feed:
            detail = "; ".join(_changes(before, feed, FEED_KEYS))
            yield RosterDifference("feed", feed.url, "", RosterAction.CHANGE, detail)
    for feed in undeclared.values():
        yield RosterDifference("feed", feed.url, "", RosterAction.END, feed.name)


def _action(membership: Membership, placement: DesiredSubscription | None) -> tuple[RosterAction | None, str]:
    """Return the action and its detail; None if the roster and the database agree."""
    status = membership.subscription.status
    if placement is None:
        ends = membership.declared and status is not SubscriptionStatus.ENDED
        return (RosterAction.END, f"was {status}") if ends else (None, "")
    if membership.suppressed is not None:
        return RosterAction.STAY, f"gets no mail: {membership.suppressed}"
    if status in {SubscriptionStatus.UNSUBSCRIBED, SubscriptionStatus.PAUSED}:
        return RosterAction.STAY, f"{status} by their own choice"
    if status is SubscriptionStatus.ENDED:
        return RosterAction.RETURN, "had been removed from the roster"
    changes = changed_preferences(membership.edition, placement.edition)
    if not changes:
        return None, ""
    return (
        (RosterAction.STAY, f"their own preferences: {changes}")
        if membership.chosen
        else (RosterAction.CHANGE, changes)
    )


def _followed(
    membership: Membership, newsletter: Newsletter | None, builder: PlacementBuilder
) -> DesiredSubscription | None:
    """Return the new subscription of a person whose own choice leaves out a changed default; None for others.

    `newsletter` is None if none of its defaults changed.
    """
    place = membership.subscription
    gets_mail = place.status is SubscriptionStatus.ACTIVE and membership.suppressed is None
    if newsletter is None or not (membership.chosen and gets_mail):
        return None
    try:
        followed = builder.build(membership.subscriber, newsletter, place.preferences)
    except UsageError:
        return None
    return None if followed.edition_key == place.edition_key else followed


def changed_preferences(before: Edition, after: Edition) -> str:
    """Return each changed preference by its config key: `stories 8 -> 5; points 3 -> 2`."""
    return "; ".join(_changes(before, after, PREFERENCE_KEYS))


def _changes(current: Edition | Feed, desired: Edition | Feed, keys: Mapping[str, str]) -> Iterator[str]:
    """Yield each change by its config key: `stories 8 -> 5`. `keys` maps fields to keys."""
    for field, key in keys.items():
        before, after = getattr(current, field), getattr(desired, field)
        if before != after:
            nothing = "none" if field in ("follow", "mute", "categories") else "all"
            yield f"{key} {_shown(before, nothing)} -> {_shown(after, nothing)}"


def _shown(value: object, nothing: str) -> str:
    if not isinstance(value, tuple):
        return "none" if value is None else str(value)
    return ", ".join(": ".join(one) if isinstance(one, tuple) else one for one in value) or nothing
