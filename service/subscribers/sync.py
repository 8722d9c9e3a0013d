"""Sync: make the database hold the roster of config/; a subscriber's own choice wins."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from service.core.errors import ChangeHeld, UsageError
from service.core.model import (
    DesiredSubscription,
    HeldChange,
    Membership,
    Newsletter,
    Roster,
    RosterEntry,
    SubscriptionStatus,
)
from service.subscribers import guard
from service.subscribers.defaults import follow_defaults
from service.subscribers.ports import SubscriberStore, SyncCounts
from service.subscribers.preferences import PlacementBuilder

FIRST_ISSUE_LOOKBACK = timedelta(hours=24)
"""How far before the sign-up a new subscriber's first issue reaches back."""


@dataclass(frozen=True, slots=True)
class RosterReport:
    """What applying a roster changed. `problems` are sentences about subscribers who stay as they were.

    Changed subscriptions include those outside the files that follow a newsletter's changed default.
    """

    feeds: SyncCounts
    subscriptions: SyncCounts
    problems: tuple[str, ...] = ()


async def apply_roster(
    store: SubscriberStore,
    roster: Roster,
    now: datetime,
    *,
    starts_after: datetime | None = None,
    confirmed: bool = False,
) -> RosterReport:
    """Make the database hold what the roster declares; a second call changes nothing.

    A new subscriber's first issue has the articles gathered after `starts_after` (None: the last 24 hours). A
    subscriber whose entry is unreadable or has an invalid preference stays as they were.

    Raises ChangeHeld, and changes neither feeds nor subscriptions, if it would end too many subscriptions and
    nobody `confirmed` that.
    """
    placements, problems, unplaced = await asyncio.to_thread(placements_of, roster, now)
    kept_ids = {*roster.unreadable_subscribers, *unplaced}
    change = None if confirmed else await _held_change(store, roster, placements, kept_ids)
    if change is not None:
        await store.roster_state.hold(change, now)
        raise ChangeHeld(change)
    feeds = await store.save_feeds([feed for feed in roster.feeds if not feed.muted], now)
    for subscriber_id in kept_ids:
        kept = await store.memberships(subscriber_id=subscriber_id)
        placements += [_unchanged(membership) for membership in kept if _is_kept(membership)]
    starts = starts_after if starts_after is not None else now - FIRST_ISSUE_LOOKBACK
    subscriptions = await store.save_roster_subscriptions(placements, now, starts_after=starts)
    followed = await follow_defaults(store.roster_state, roster.newsletters, now)
    await store.roster_state.record(roster.newsletters, "" if problems else roster.fingerprint)
    changed = replace(subscriptions, changed=subscriptions.changed + followed)
    return RosterReport(feeds, changed, tuple(problems))


async def held_change(store: SubscriberStore, roster: Roster, now: datetime) -> HeldChange | None:
    """Return what applying the roster would end if that is too much to happen by itself; None if not."""
    placements, _, unplaced = await asyncio.to_thread(placements_of, roster, now)
    return await _held_change(store, roster, placements, {*roster.unreadable_subscribers, *unplaced})


async def _held_change(
    store: SubscriberStore, roster: Roster, placements: Sequence[DesiredSubscription], kept: Collection[str]
) -> HeldChange | None:
    state = store.roster_state
    if roster.fingerprint and roster.fingerprint == await state.confirmed():
        return None
    in_force = await state.newsletters() or ()
    return guard.held_change(
        await state.declared_running(),
        await state.undeclared_running(),
        placed={(placement.subscriber.id, placement.newsletter) for placement in placements},
        kept=kept,
        removed={one.id for one in in_force} - {one.id for one in roster.newsletters},
    )


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
