"""The list of subscribers as an editor searches it: the filter, a line, and a page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from service.core.model import SubscriptionStatus


@dataclass(frozen=True, slots=True)
class SubscriberFilter:
    """What a listed subscriber has; an empty value is no condition.

    `text` is a part of the address or the name, `newsletter` an id. With `newsletter` and `status`, one
    subscription has both. `suppressed`: the address is suppressed.
    """

    text: str = ""
    newsletter: str = ""
    status: SubscriptionStatus | None = None
    suppressed: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether every subscriber is listed."""
        return self == SubscriberFilter()


@dataclass(frozen=True, slots=True)
class ListedSubscription:
    """A subscription in a list. `declared`: subscribers.yaml names it."""

    newsletter: str
    status: SubscriptionStatus
    declared: bool
    paused_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class ListedSubscriber:
    """A subscriber in a list. `number` grows with the time at which they were stored.

    `suppressed` is the reason of a suppression. Without subscriptions, they have not confirmed a sign-up.
    """

    number: int
    id: str
    email: str
    name: str
    suppressed: str | None
    subscriptions: tuple[ListedSubscription, ...]


@dataclass(frozen=True, slots=True)
class SubscriberPage:
    """A page of the list, newest subscribers first; `next` is the number to continue after, None at the end.

    `is_partial`: the search stopped after a number of candidates, and later ones can match as well.
    """

    people: tuple[ListedSubscriber, ...]
    next: int | None = None
    is_partial: bool = False


@dataclass(frozen=True, slots=True)
class BoundedCount:
    """A number of subscribers; with `or_more` there are at least so many."""

    number: int
    or_more: bool = False
