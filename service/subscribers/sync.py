"""Roster: what config/ declares, brought into the record; what a person chose wins."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from service.core.errors import UsageError
from service.core.model import (
    DesiredSubscription,
    Membership,
    Newsletter,
    Roster,
    RosterEntry,
    SubscriptionStatus,
)
from service.subscribers.ports import SubscriberStore, SyncCounts
from service.subscribers.preferences import PlacementBuilder

FIRST_ISSUE_LOOKBACK = timedelta(hours=24)
"""A new reader's first issue tells what arrived since so long before they came."""


@dataclass(frozen=True, slots=True)
class RosterReport:
    """What applying a roster changed. `problems` name those who stay as they were, and why."""

    feeds: SyncCounts
    subscriptions: SyncCounts
    problems: tuple[str, ...] = ()


async def apply_roster(
    store: SubscriberStore, roster: Roster, now: datetime, *, starts_after: datetime | None = None
) -> RosterReport:
    """Make the record hold what the roster declares; doing it twice changes nothing the second time.

    A new reader is told what was gathered after `starts_after` (None: the last 24 hours). Whoever cannot be
    placed, because their entry could not be read or holds a wish that makes no sense, stays as they were.
    """
    feeds = await store.save_feeds(roster.feeds, now)
    placements, problems, unplaced = placements_of(roster, now)
    for subscriber_id in {*roster.unreadable_subscribers, *unplaced}:
        kept = await store.memberships(subscriber_id=subscriber_id)
        placements += [_as_it_is(membership) for membership in kept if _counts(membership)]
    starts = starts_after if starts_after is not None else now - FIRST_ISSUE_LOOKBACK
    subscriptions = await store.save_roster_subscriptions(placements, now, starts_after=starts)
    return RosterReport(feeds, subscriptions, tuple(problems))


def placements_of(roster: Roster, now: datetime) -> tuple[list[DesiredSubscription], list[str], set[str]]:
    """Return everybody's placements, what is wrong with the others, and who (ids) these are."""
    placer, newsletters = (
        PlacementBuilder(now),
        {newsletter.id: newsletter for newsletter in roster.newsletters},
    )
    placements: list[DesiredSubscription] = []
    problems: list[str] = []
    unplaced: set[str] = set()
    for entry in roster.subscribers:
        try:
            placements += _placed(entry, newsletters, placer)
        except UsageError as error:
            problems.append(f"{entry.subscriber.email} stays as they were: {error}")
            unplaced.add(entry.subscriber.id)
    return placements, problems, unplaced


def _placed(
    entry: RosterEntry, newsletters: dict[str, Newsletter], placer: PlacementBuilder
) -> list[DesiredSubscription]:
    unknown = [name for name, _ in entry.newsletters if name not in newsletters]
    if unknown:
        raise UsageError(f"there is no newsletter {unknown[0]!r}")
    return [placer.build(entry.subscriber, newsletters[name], wishes) for name, wishes in entry.newsletters]


def _counts(membership: Membership) -> bool:
    """Tell whether a membership is one to keep: to name an ended one would bring it back."""
    return membership.subscription.status is not SubscriptionStatus.ENDED


def _as_it_is(membership: Membership) -> DesiredSubscription:
    subscription = membership.subscription
    return DesiredSubscription(
        subscriber=membership.subscriber,
        newsletter=subscription.newsletter,
        preferences=subscription.preferences,
        edition=membership.edition,
        edition_key=subscription.edition_key,
        next_due_at=subscription.next_due_at,
    )
