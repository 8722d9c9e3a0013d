"""Sync: make the database hold the roster of config/; a subscriber's own choice wins."""

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
"""How far before the sign-up a new subscriber's first issue reaches back."""


@dataclass(frozen=True, slots=True)
class RosterReport:
    """What applying a roster changed. `problems` are sentences about subscribers who stay as they were."""

    feeds: SyncCounts
    subscriptions: SyncCounts
    problems: tuple[str, ...] = ()


async def apply_roster(
    store: SubscriberStore, roster: Roster, now: datetime, *, starts_after: datetime | None = None
) -> RosterReport:
    """Make the database hold what the roster declares; a second call changes nothing.

    A new subscriber's first issue has the articles gathered after `starts_after` (None: the last 24 hours). A
    subscriber whose entry is unreadable or has an invalid preference stays as they were.
    """
    feeds = await store.save_feeds(roster.feeds, now)
    placements, problems, unplaced = placements_of(roster, now)
    for subscriber_id in {*roster.unreadable_subscribers, *unplaced}:
        kept = await store.memberships(subscriber_id=subscriber_id)
        placements += [_unchanged(membership) for membership in kept if _is_kept(membership)]
    starts = starts_after if starts_after is not None else now - FIRST_ISSUE_LOOKBACK
    subscriptions = await store.save_roster_subscriptions(placements, now, starts_after=starts)
    return RosterReport(feeds, subscriptions, tuple(problems))


def placements_of(roster: Roster, now: datetime) -> tuple[list[DesiredSubscription], list[str], set[str]]:
    """Return the valid subscriptions, a sentence for each invalid entry, and the ids of these subscribers."""
    builder = PlacementBuilder(now)
    newsletters = {newsletter.id: newsletter for newsletter in roster.newsletters}
    placements: list[DesiredSubscription] = []
    problems: list[str] = []
    unplaced: set[str] = set()
    for entry in roster.subscribers:
        try:
            placements += _placed(entry, newsletters, builder)
        except UsageError as error:
            problems.append(f"{entry.subscriber.email} stays as they were: {error}")
            unplaced.add(entry.subscriber.id)
    return placements, problems, unplaced


def _placed(
    entry: RosterEntry, newsletters: dict[str, Newsletter], builder: PlacementBuilder
) -> list[DesiredSubscription]:
    unknown = [name for name, _ in entry.newsletters if name not in newsletters]
    if unknown:
        raise UsageError(f"there is no newsletter {unknown[0]!r}")
    return [
        builder.build(entry.subscriber, newsletters[name], preferences)
        for name, preferences in entry.newsletters
    ]


def _is_kept(membership: Membership) -> bool:
    """Return whether to keep a membership: naming an ended one would make it active again."""
    return membership.subscription.status is not SubscriptionStatus.ENDED


def _unchanged(membership: Membership) -> DesiredSubscription:
    subscription = membership.subscription
    return DesiredSubscription(
        subscriber=membership.subscriber,
        newsletter=subscription.newsletter,
        preferences=subscription.preferences,
        edition=membership.edition,
        edition_key=subscription.edition_key,
        next_due_at=subscription.next_due_at,
    )
