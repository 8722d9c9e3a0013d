"""Roster: what config/ declares, brought into the record; what a person chose wins."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from service.core.errors import UsageError
from service.core.model import Membership, Newsletter, Placement, Roster, RosterEntry, SubscriptionStatus
from service.subscribers.ports import Applied, PeopleStore
from service.subscribers.preferences import Placer

FIRST_NEWS = timedelta(hours=24)
"""A new reader's first issue tells what arrived since so long before they came."""


@dataclass(frozen=True, slots=True)
class RosterReport:
    """What applying a roster changed. `problems` name those who stay as they were, and why."""

    feeds: Applied
    subscriptions: Applied
    problems: tuple[str, ...] = ()


async def apply_roster(
    store: PeopleStore, roster: Roster, now: datetime, *, starts_after: datetime | None = None
) -> RosterReport:
    """Make the record hold what the roster declares; doing it twice changes nothing the second time.

    A new reader is told what was gathered after `starts_after` (None: the last 24 hours). Whoever cannot be
    placed, because their entry could not be read or holds a wish that makes no sense, stays as they were.
    """
    feeds = await store.save_feeds(roster.feeds, now)
    placements, problems, unplaced = place_all(roster, now)
    for subscriber_id in {*roster.unread, *unplaced}:
        kept = await store.memberships(subscriber_id=subscriber_id)
        placements += [_as_it_is(membership) for membership in kept if _counts(membership)]
    starts = starts_after if starts_after is not None else now - FIRST_NEWS
    subscriptions = await store.save_placements(placements, now, starts_after=starts)
    return RosterReport(feeds, subscriptions, tuple(problems))


def place_all(roster: Roster, now: datetime) -> tuple[list[Placement], list[str], set[str]]:
    """Return everybody's placements, what is wrong with the others, and who (ids) these are."""
    placer, newsletters = Placer(now), {newsletter.id: newsletter for newsletter in roster.newsletters}
    placements: list[Placement] = []
    problems: list[str] = []
    unplaced: set[str] = set()
    for entry in roster.subscribers:
        try:
            placements += _placed(entry, newsletters, placer)
        except UsageError as error:
            problems.append(f"{entry.subscriber.email} stays as they were: {error}")
            unplaced.add(entry.subscriber.id)
    return placements, problems, unplaced


def _placed(entry: RosterEntry, newsletters: dict[str, Newsletter], placer: Placer) -> list[Placement]:
    unknown = [name for name, _ in entry.newsletters if name not in newsletters]
    if unknown:
        raise UsageError(f"there is no newsletter {unknown[0]!r}")
    return [placer.place(entry.subscriber, newsletters[name], wishes) for name, wishes in entry.newsletters]


def _counts(membership: Membership) -> bool:
    """Tell whether a membership is one to keep: to name an ended one would bring it back."""
    return membership.subscription.status is not SubscriptionStatus.ENDED


def _as_it_is(membership: Membership) -> Placement:
    subscription = membership.subscription
    return Placement(
        subscriber=membership.subscriber,
        newsletter=subscription.newsletter,
        wishes=subscription.wishes,
        edition=membership.edition,
        edition_key=subscription.edition_key,
        next_due_at=subscription.next_due_at,
    )
