"""What people ask of the outside: a record of who they are and what they chose."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from service.core.model import (
    DesiredSubscription,
    Feed,
    Issue,
    Membership,
    SignUpRequest,
    Subscriber,
    SubscriptionStatus,
)


@dataclass(frozen=True, slots=True)
class SyncCounts:
    """What applying the roster changed, in counts."""

    added: int = 0
    changed: int = 0
    ended: int = 0
    kept: int = 0


ERASED_REASON = "erased at their own request"
"""The reason of a suppression whose person is not known any more."""

UNSUBSCRIBED_REASON = "unsubscribed from everything"
"""The reason of a suppression that the person can lift again: they asked for it themselves."""


class SubscriberStore(Protocol):
    """What people asks of the record."""

    async def save_feeds(self, feeds: Sequence[Feed], now: datetime) -> SyncCounts:
        """Make the active feeds exactly these; what a feed's looks left behind is kept."""
        ...

    async def save_roster_subscriptions(
        self, placements: Sequence[DesiredSubscription], now: datetime, *, starts_after: datetime
    ) -> SyncCounts:
        """Make the roster's subscriptions these, in one transaction.

        A new one starts told through the last article gathered before `starts_after`. A changed edition
        changes `edition_key` and `next_due_at`, never `told_through`. A person's own choice (unsubscribed,
        paused, wishes set on the preferences page) wins over the roster. Those that the roster declared
        before and no longer does become `ended`; one that comes back is active again.
        """
        ...

    async def add_subscriptions(
        self, placements: Sequence[DesiredSubscription], now: datetime, *, starts_after: datetime
    ) -> SyncCounts:
        """Add or change these, as an import does, and leave everybody else alone: one transaction.

        As in `save_placements`, a person's own choice wins. Give some thousands at a time.
        """
        ...

    async def save_preferences(self, placement: DesiredSubscription, now: datetime) -> None:
        """Store wishes that the person chose; from now on they win over the roster."""
        ...

    async def memberships(
        self, *, newsletter: str | None = None, email: str | None = None, subscriber_id: str | None = None
    ) -> Sequence[Membership]:
        """Return subscriptions with their people, by address and newsletter, whatever their status."""
        ...

    async def memberships_page(self, after: str | None, limit: int) -> Sequence[Membership]:
        """Return the memberships of the next `limit` people, in the order in which they came.

        `after` is the id of the last person of the page before, None for the first page; () is the end.
        """
        ...

    async def known_subscribers(self, ids: Collection[str]) -> set[str]:
        """Return which of these subscriber ids are stored already."""
        ...

    async def set_status(
        self, subscriber_id: str, newsletter: str | None, status: SubscriptionStatus, now: datetime
    ) -> int:
        """Set the person's own status for one newsletter, or for all with None; return how many changed.

        Who is not active stands along with the others of their group, so that becoming active again never
        brings back what those were told meanwhile. With None, pausing takes the active ones and resuming the
        paused ones: what was unsubscribed comes back only when it is named. What was `ended` stays ended,
        whatever the person says, until the roster or an import names it again.
        """
        ...

    async def suppress(self, email: str, reason: str, now: datetime) -> None:
        """Never mail this address again, whatever config says, until `unsuppress`."""
        ...

    async def erase(self, email: str) -> bool:
        """Forget who the person was; return whether there was one.

        Name, address, subscriptions and bounces go, and every reason and reply that may quote the address.
        The ledger keeps its lines, without saying to whom, and a suppression stays, which is a hash alone.
        """
        ...

    async def suppression(self, email: str) -> str | None:
        """Return why this address is suppressed, or None when it is not."""
        ...

    async def unsuppress(self, email: str) -> bool:
        """Allow the address again, and count its bounces anew; return whether it was suppressed."""
        ...

    async def signing_key(self) -> bytes:
        """Return the key that signs links: 32 random bytes made when the database was."""
        ...


class SignUpStore(Protocol):
    """What sign-up asks of the record. A transactional mail is planned with what makes it necessary."""

    async def request(self, sign_up: SignUpRequest, mail: Issue, channel: str) -> bool:
        """Store the sign-up and plan the mail that asks for confirmation; return whether it was planned.

        While an earlier one for the same newsletter waits to be sent, that one is the answer to both.
        """
        ...

    async def find(self, subscriber_id: str, newsletter: str) -> SignUpRequest | None:
        """Return the sign-up of that subscriber for that newsletter, if one waits or was just confirmed."""
        ...

    async def confirm(
        self,
        placement: DesiredSubscription,
        now: datetime,
        *,
        starts_after: datetime,
        welcome: Issue,
        channel: str,
    ) -> bool:
        """Subscribe them and plan the welcome in one transaction; return whether that changed anything."""
        ...

    async def plan_mail(self, mail: Issue, subscriber: Subscriber, channel: str) -> bool:
        """Plan a transactional mail; return False when it is planned already."""
        ...


@dataclass(frozen=True, slots=True)
class AttemptLimit:
    """What is limited: `name` at most so many `times` `within` so long."""

    name: str
    max_attempts: int
    period: timedelta


class AttemptStore(Protocol):
    """Counts over all workers and restarts."""

    async def allows(self, limited: Sequence[AttemptLimit], now: datetime) -> bool:
        """Tell whether each of these is allowed once more; if so, count it for each."""
        ...
