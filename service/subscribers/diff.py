"""Difference: where the roster and the record part, and who has the last word about it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from service.core.model import (
    PREFERENCE_FIELDS,
    DesiredSubscription,
    Edition,
    Feed,
    Membership,
    Roster,
    SubscriptionStatus,
)
from service.subscribers.ports import SubscriberStore
from service.subscribers.sync import placements_of

PAGE_SIZE = 2_000  # subscribers for each query

FEED_KEYS = {
    **{name: name for name in ("url", "name", "topics", "language", "method", "full_text")},
    "poll_interval": "every",
    "first_entries": "first_items",
}
"""Fields of a Feed that feeds.yaml sets, each with its key there."""

PREFERENCE_KEYS = {name: name for name in PREFERENCE_FIELDS}


class RosterAction(StrEnum):
    """What will come of a difference when the roster is applied."""

    ADD = "add"
    CHANGE = "change"
    END = "end"
    RETURN = "return"
    STAY = "stay"
    """The roster says one thing, the person another: the person's word stays."""


@dataclass(frozen=True, slots=True)
class RosterDifference:
    """One place where they part. `what` is `feed` or `subscription`; `newsletter` is empty for a feed."""

    kind: str
    name: str
    newsletter: str
    action: RosterAction
    detail: str


async def differences(
    store: SubscriberStore, roster: Roster, feeds: Sequence[Feed], now: datetime
) -> AsyncIterator[RosterDifference]:
    """Yield where the roster and the record part: feeds first, then people as they stand in the roster.

    `feeds` are the record's active ones. People that the roster never named (from an import or the sign-up
    page) are the record's own affair and not mentioned. What cannot be read in the roster stays as it is.
    """
    for difference in _feeds(roster.feeds, feeds):
        yield difference
    placements, _, unplaced = placements_of(roster, now)
    wanted = {(p.subscriber.id, p.newsletter): p for p in placements}
    kept = {*roster.unreadable_subscribers, *unplaced}
    after: str | None = None
    while page := await store.memberships_page(after, PAGE_SIZE):
        after = page[-1].subscriber.id
        for membership in page:
            key = (membership.subscriber.id, membership.subscription.newsletter)
            placement = wanted.pop(key, None)
            if membership.subscriber.id not in kept and (found := _parting(membership, placement)):
                yield found
    for placement in wanted.values():
        yield RosterDifference(
            "subscription", placement.subscriber.email, placement.newsletter, RosterAction.ADD, ""
        )


def _feeds(declared: Sequence[Feed], known: Sequence[Feed]) -> Iterator[RosterDifference]:
    there = {feed.id: feed for feed in known}
    for feed in declared:
        before = there.pop(feed.id, None)
        if before is None:
            yield RosterDifference("feed", feed.url, "", RosterAction.ADD, feed.name)
        elif before != feed:
            detail = "; ".join(_changes(before, feed, FEED_KEYS))
            yield RosterDifference("feed", feed.url, "", RosterAction.CHANGE, detail)
    for feed in there.values():
        yield RosterDifference("feed", feed.url, "", RosterAction.END, feed.name)


def _parting(membership: Membership, placement: DesiredSubscription | None) -> RosterDifference | None:
    parting, detail = _judged(membership, placement)
    if parting is None:
        return None
    subscription = membership.subscription
    return RosterDifference(
        "subscription", membership.subscriber.email, subscription.newsletter, parting, detail
    )


def _judged(membership: Membership, placement: DesiredSubscription | None) -> tuple[RosterAction | None, str]:
    status = membership.subscription.status
    if placement is None:
        ends = membership.declared and status is not SubscriptionStatus.ENDED
        return (RosterAction.END, f"was {status}") if ends else (None, "")
    if membership.suppressed is not None:
        return RosterAction.STAY, f"gets no mail: {membership.suppressed}"
    if status in {SubscriptionStatus.UNSUBSCRIBED, SubscriptionStatus.PAUSED}:
        return RosterAction.STAY, f"{status} by their own choice"
    if status is SubscriptionStatus.ENDED:
        return RosterAction.RETURN, "had been taken out of the roster"
    changes = "; ".join(_changes(membership.edition, placement.edition, PREFERENCE_KEYS))
    if not changes:
        return None, ""
    return (
        (RosterAction.STAY, f"their own wishes: {changes}")
        if membership.chosen
        else (RosterAction.CHANGE, changes)
    )


def _changes(there: Edition | Feed, wanted: Edition | Feed, keys: Mapping[str, str]) -> Iterator[str]:
    """Yield each change by its config key: `stories 8 -> 5`. `keys` maps fields to keys."""
    for field, key in keys.items():
        before, after = getattr(there, field), getattr(wanted, field)
        if before != after:
            yield f"{key} {_said(before)} -> {_said(after)}"


def _said(value: object) -> str:
    return (", ".join(value) or "all") if isinstance(value, tuple) else str(value)
