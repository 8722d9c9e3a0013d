"""Ports of the subscribers package: stores of subscribers, sign-ups and attempts."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Protocol

from service.core.model import (
    Consent,
    ConsentWay,
    DesiredSubscription,
    Edition,
    Feed,
    HeldChange,
    Issue,
    Membership,
    Newsletter,
    Preferences,
    SignUpRequest,
    Subscriber,
    SubscriptionStatus,
)
from service.core.read_models import Suppression


@dataclass(frozen=True, slots=True)
class SyncCounts:
    """Numbers of feeds or subscriptions that an update added, changed, ended and kept."""

    added: int = 0
    changed: int = 0
    ended: int = 0
    kept: int = 0


ERASED_REASON = "erased at their own request"
"""The reason of a suppression after an erasure: the person is not known any more."""

UNSUBSCRIBED_REASON = "unsubscribed from everything"
"""The reason of a suppression that the subscriber asked for, and can lift."""


@dataclass(frozen=True, slots=True)
class SubscriptionPlace:
    """What a subscription gets and when: its edition, its next due time, and the end of its pause, if any."""

    edition: Edition
    edition_key: str
    next_due_at: datetime
    paused_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class AlikeSubscriptions:
    """Subscriptions of one group (its number) with the same preferences, time zone and place.

    `people` is how many there are, `active` how many of them get mail.
    """

    group: int
    preferences: Preferences
    timezone: str | None
    place: SubscriptionPlace
    people: int
    active: int


class RosterState(Protocol):
    """What the database knows of the roster in force, and of a change that is held."""

    async def newsletters(self) -> Sequence[Newsletter] | None:
        """Return the newsletters of the roster applied last; None before the first one."""
        ...

    async def fingerprint(self) -> str:
        """Return the fingerprint of the roster applied last, "" if it is unknown."""
        ...

    async def declared_running(self) -> Collection[tuple[str, str]]:
        """Return the active and paused subscriptions of the files: ids of subscriber and newsletter."""
        ...

    async def undeclared_running(self) -> Mapping[str, int]:
        """Return the number of active and paused subscriptions that no file declared, by newsletter."""
        ...

    async def record(self, newsletters: Sequence[Newsletter], fingerprint: str) -> None:
        """Store what is in force now; a held change is forgotten."""
        ...

    async def confirm(self, fingerprint: str) -> None:
        """Allow the roster with this fingerprint to end any number of subscriptions, until one is applied."""
        ...

    async def confirmed(self) -> str:
        """Return the fingerprint of the confirmed roster, "" if there is none."""
        ...

    async def applied_editions(self) -> Mapping[str, str]:
        """Return the key of each newsletter's own edition that its subscriptions were last placed by."""
        ...

    async def record_edition(self, newsletter: str, edition_key: str) -> None:
        """Store that all subscriptions of the newsletter are placed by its own edition with this key."""
        ...

    async def alike_subscriptions(
        self, newsletter: str, *, outside_files: bool = False
    ) -> Sequence[AlikeSubscriptions]:
        """Return the newsletter's subscriptions, one entry for all that are alike.

        `outside_files`: only those that no file declares.
        """
        ...

    async def addresses_of(self, alike: AlikeSubscriptions, limit: int) -> Sequence[str]:
        """Return some addresses of active subscribers that are alike and in no file."""
        ...

    async def move_subscriptions(
        self, groups: Collection[int], rule: Callable[[AlikeSubscriptions], SubscriptionPlace]
    ) -> int:
        """Move the subscriptions of these groups to the places by the rule, in one transaction.

        Return how many changed their place. Cursors, statuses and preferences stay.
        """
        ...

    async def hold(self, change: HeldChange, now: datetime) -> bool:
        """Store a held change; return whether it is another one than the stored one, whose time stays."""
        ...

    async def held(self) -> HeldChange | None:
        """Return the held change, or None."""
        ...

    async def release(self) -> bool:
        """Forget the held change; return whether there was one."""
        ...


class SubscriberStore(Protocol):
    """Stores subscribers, their subscriptions, suppressed addresses, and the feeds of the roster."""

    @property
    def roster_state(self) -> RosterState:
        """The roster in force."""
        ...

    async def save_feeds(self, feeds: Sequence[Feed], now: datetime) -> SyncCounts:
        """Make these the only active feeds; the results of earlier polls are kept."""
        ...

    async def save_roster_subscriptions(
        self, placements: Sequence[DesiredSubscription], now: datetime, *, starts_after: datetime
    ) -> SyncCounts:
        """Make these the subscriptions of the roster, in one transaction.

        The cursor of a new one is the last article gathered before `starts_after`. A changed edition
        changes `edition_key` and `next_due_at`, never the cursor. A subscriber's own choice (unsubscribed,
        paused, preferences from the web page) wins over the roster. A subscription that is no longer in the
        roster becomes `ended`; if it returns to the roster, it is active again.
        """
        ...

    async def add_subscriptions(
        self,
        placements: Sequence[DesiredSubscription],
        now: datetime,
        *,
        starts_after: datetime,
        consent: Consent | ConsentWay = ConsentWay.IMPORT,
    ) -> SyncCounts:
        """Add or change these subscriptions, and no others, in one transaction.

        As in `save_roster_subscriptions`, a subscriber's own choice wins. Pass a few thousand at a time.
        `consent` is how the new ones came about.
        """
        ...

    async def save_preferences(self, placement: DesiredSubscription, now: datetime) -> None:
        """Store preferences that the subscriber chose; from now on they win over the roster."""
        ...

    async def memberships(
        self, *, newsletter: str | None = None, email: str | None = None, subscriber_id: str | None = None
    ) -> Sequence[Membership]:
        """Return the memberships that match every given argument, whatever their status."""
        ...

    async def memberships_of(self, subscriber_ids: Collection[str]) -> Sequence[Membership]:
        """Return all memberships of these subscribers, sorted by newsletter."""
        ...

    async def memberships_page(self, after: str | None, limit: int) -> Sequence[Membership]:
        """Return all memberships of the next `limit` subscribers, oldest first.

        `after` is the id of the last subscriber of the previous page, None for the first page. () is the end.
        """
        ...

    async def known_subscribers(self, ids: Collection[str]) -> set[str]:
        """Return those of these subscriber ids that are stored."""
        ...

    async def set_status(
        self, subscriber_id: str, newsletter: str | None, status: SubscriptionStatus, now: datetime
    ) -> int:
        """Set the subscriber's own status for one newsletter, or for all with None; return how many changed.

        An inactive subscription keeps the cursor of its group, so that a return does not bring the articles
        of the meantime. With None, pausing changes active subscriptions and resuming paused ones: an
        unsubscribed one returns only when it is named. An `ended` one stays ended until the roster or an
        import names it again.
        """
        ...

    async def pause_until(self, subscriber_id: str, newsletter: str | None, day: date, now: datetime) -> int:
        """Pause one subscription, or all with None, until `day` begins in its time zone; return the changes.

        It becomes active by itself, with the first issue that is due then, whose cursor is that of the pause.
        Applying the roster changes its edition, not its pause. `set_status` ends or replaces the pause; after
        an early return the next issue has the articles since the pause, too. With None, an unsubscribed
        subscription stays unchanged; an `ended` one always does.
        """
        ...

    async def suppress(self, email: str, reason: str, now: datetime) -> None:
        """Send no mail to this address, whatever the roster says, until `unsuppress`."""
        ...

    async def erase(self, email: str) -> bool:
        """Erase a subscriber's personal data; return whether there was one.

        Name, address, subscriptions, bounces, and reasons and replies that can quote the address are deleted.
        The ledger keeps its rows without the recipient, and a suppression, which is only a hash, stays.
        """
        ...

    async def suppression(self, email: str) -> Suppression | None:
        """Return why and since when this address is suppressed, None if it is not."""
        ...

    async def unsuppress(self, email: str) -> bool:
        """Allow the address again and reset its bounce count; return whether it was suppressed."""
        ...

    async def signing_key(self) -> bytes:
        """Return the key that signs links: 32 random bytes from the creation of the database."""
        ...


class SignUpStore(Protocol):
    """Stores sign-ups. A transactional mail is planned in the transaction of its cause."""

    async def request(self, sign_up: Sequence[SignUpRequest], mail: Issue, channel: str) -> bool:
        """Store one person's sign-up and plan its confirmation mail; return whether the mail was planned.

        It has one row for each newsletter. If the mail of an earlier sign-up for the same newsletters is
        still unsent, it serves both.
        """
        ...

    async def find(self, subscriber_id: str, newsletter: str) -> SignUpRequest | None:
        """Return the subscriber's sign-up for that newsletter if it is open or was just confirmed."""
        ...

    async def confirm(
        self,
        placement: DesiredSubscription,
        now: datetime,
        *,
        starts_after: datetime,
        welcome: Issue,
        channel: str,
        consent: Consent,
        invitation: str | None = None,
    ) -> bool:
        """Store subscription, consent and welcome mail in one transaction; return whether it was new.

        With `invitation` (id) the transaction counts one use of it. Raises UsageError, and stores nothing,
        if the invitation was revoked, has expired or is used up.
        """
        ...

    async def record_consent(
        self, subscriber_id: str, newsletter: str, consent: Consent, now: datetime
    ) -> None:
        """Record the consent of a person (id) who subscribes again after they had unsubscribed."""
        ...

    async def plan_mail(self, mail: Issue, subscriber: Subscriber, channel: str) -> bool:
        """Plan a transactional mail; return False if it is already planned."""
        ...


@dataclass(frozen=True, slots=True)
class AttemptLimit:
    """A limit: at most `max_attempts` of the action `name` within `period`."""

    name: str
    max_attempts: int
    period: timedelta


class AttemptStore(Protocol):
    """Counts attempts, shared by all processes and kept over restarts."""

    async def allows(self, limited: Sequence[AttemptLimit], now: datetime) -> bool:
        """Return whether all limits allow one more attempt; if so, count it for each."""
        ...
