"""Whom it is all for: subscribers, their subscriptions, and the roster that declares them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from service.core.model.compose import Edition, Newsletter, Preferences
from service.core.model.gather import Feed


class SubscriptionStatus(StrEnum):
    """Where a subscription stands. `ended` is config's word, `unsubscribed` and `paused` the person's."""

    ACTIVE = "active"
    PAUSED = "paused"
    UNSUBSCRIBED = "unsubscribed"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Subscriber:
    """A person. `id` is computed from the folded address."""

    id: str
    email: str
    name: str = ""
    timezone: str | None = None


@dataclass(frozen=True, slots=True)
class Subscription:
    """A person's place in one newsletter, with their own wishes."""

    subscriber_id: str
    newsletter: str
    preferences: Preferences
    edition_key: str
    next_due_at: datetime
    served_through: int
    status: SubscriptionStatus = SubscriptionStatus.ACTIVE


@dataclass(frozen=True, slots=True)
class DesiredSubscription:
    """A subscription as the roster or the person wants it: who, what, how, and when it is due first."""

    subscriber: Subscriber
    newsletter: str
    preferences: Preferences
    edition: Edition
    edition_key: str
    next_due_at: datetime


@dataclass(frozen=True, slots=True)
class Membership:
    """A subscription together with its person, for listings. `suppressed` is the reason, if there is one.

    `declared`: the roster names it; `chosen`: its wishes are the person's own, and win over the roster's.
    """

    subscriber: Subscriber
    subscription: Subscription
    edition: Edition
    suppressed: str | None = None
    declared: bool = False
    chosen: bool = False


@dataclass(frozen=True, slots=True)
class SignUpRequest:
    """Who asked for a newsletter (id) and may confirm it, in which time zone (None: the newsletter's own).

    Links from before `first_at` do not count.
    """

    subscriber: Subscriber
    newsletter: str
    timezone: str | None
    first_at: datetime


@dataclass(frozen=True, slots=True)
class RosterEntry:
    """A subscriber as the roster declares them: who, and which newsletters with which wishes."""

    subscriber: Subscriber
    newsletters: tuple[tuple[str, Preferences], ...]


@dataclass(frozen=True, slots=True)
class Roster:
    """The feeds, newsletters and subscribers that config/ declares.

    `unread` holds the ids of subscribers whose entry could not be read: they stay as they are.
    """

    feeds: tuple[Feed, ...]
    newsletters: tuple[Newsletter, ...]
    subscribers: tuple[RosterEntry, ...]
    unreadable_subscribers: tuple[str, ...] = ()

    def newsletter(self, newsletter_id: str) -> Newsletter | None:
        """Return the newsletter of that id, or None."""
        return next((n for n in self.newsletters if n.id == newsletter_id), None)
