"""The desk: what the web door asks of the house; wiring stands behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from service.core.model import Membership, Newsletter, Preferences, SignUpRequest, Site, SubscriptionStatus
from service.core.read_models import DeliveryBacklog, PendingWork, RecordCounts


@dataclass(frozen=True, slots=True)
class LinkedSubscriber:
    """Whom a signed link is about: their id, the newsletter of the mail that it came in, what they have."""

    id: str
    newsletter: str
    memberships: tuple[Membership, ...]

    def membership(self, newsletter: str) -> Membership | None:
        """Return their place in one newsletter, or None."""
        return next((m for m in self.memberships if m.subscription.newsletter == newsletter), None)


@dataclass(frozen=True, slots=True)
class PreferenceChange:
    """How a reader wants one newsletter from now on: active, paused or unsubscribed, with these wishes."""

    newsletter: str
    status: SubscriptionStatus
    wishes: Preferences


@dataclass(frozen=True, slots=True)
class ServiceHealth:
    """Whether the database answers and can be written, and when the scheduler last ran (None: not known).

    `problems` are sentences about stages that make no progress, and about the process pool.
    """

    reachable: bool
    last_tick_at: datetime | None = None
    writable: bool = True
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MetricsSnapshot:
    """How much there is, how much waits for each stage, and what deliver is behind with."""

    counts: RecordCounts
    unfinished: PendingWork
    backlog: DeliveryBacklog


class SelfServicePort(Protocol):
    """Answers the web door. Every method may raise StoreError when the record cannot be reached."""

    @property
    def site(self) -> Site:
        """Who sends."""
        ...

    @property
    def topics(self) -> Sequence[str]:
        """Every topic that a feed or a newsletter has, in the order of the alphabet."""
        ...

    def now(self) -> datetime:
        """Return the instant (aware, UTC)."""
        ...

    def newsletter(self, newsletter_id: str) -> Newsletter | None:
        """Return the newsletter of that id, or None when it is not in the roster (any more)."""
        ...

    async def read_unsubscribe_link(self, token: str) -> LinkedSubscriber | None:
        """Return whom an unsubscribe link is about, or None for one that we did not sign."""
        ...

    async def read_preferences_link(self, token: str) -> LinkedSubscriber | None:
        """Return whom a preferences link is about, or None for one that we did not sign."""
        ...

    async def preferences_url(self, reader: LinkedSubscriber) -> str:
        """Return the address of their preferences page."""
        ...

    async def unsubscribe(self, reader: LinkedSubscriber, newsletter: str | None) -> None:
        """Unsubscribe them from one newsletter, or from everything with None."""
        ...

    def problems(self, choice: PreferenceChange, timezone: str | None) -> Mapping[str, str]:
        """Return what is wrong with the wishes, by the wish's name; {} when they can be kept.

        `timezone` is where the reader lives, as far as is known.
        """
        ...

    async def save_preferences(self, reader: LinkedSubscriber, choices: Sequence[PreferenceChange]) -> None:
        """Store how the reader wants their newsletters. Raises UsageError for wishes with problems."""
        ...

    async def health(self) -> ServiceHealth:
        """Return how the house is; never raises."""
        ...

    async def metrics(self) -> MetricsSnapshot:
        """Return how much there is and how much waits."""
        ...


@dataclass(frozen=True, slots=True)
class PendingSignUp:
    """What a confirmation link asks for: a sign-up, and its newsletter."""

    sign_up: SignUpRequest
    newsletter: Newsletter

    @property
    def email(self) -> str:
        """The address that was given."""
        return self.sign_up.subscriber.email


class SignUpPort(Protocol):
    """Lets people in who ask for a newsletter. Every method may raise StoreError."""

    @property
    def newsletters(self) -> Sequence[Newsletter]:
        """What anybody may ask for."""
        ...

    def now(self) -> datetime:
        """Return the instant (aware, UTC)."""
        ...

    def problems(self, email: str, timezone: str) -> Mapping[str, str]:
        """Return what is wrong with an address and a time zone, by `email` and `timezone`."""
        ...

    async def admits(self, visitor: str) -> bool:
        """Count one more request of that visitor, and tell whether it is within the limits."""
        ...

    async def request(self, email: str, newsletter: str, timezone: str) -> None:
        """Plan the mail that asks for confirmation, if one may go there; say nothing either way."""
        ...

    async def read_confirmation_link(self, token: str) -> PendingSignUp | None:
        """Return what a confirmation link asks for, or None for one that is not ours or too old."""
        ...

    async def confirm(self, asked: PendingSignUp) -> str:
        """Subscribe them and return the address of their preferences page."""
        ...
