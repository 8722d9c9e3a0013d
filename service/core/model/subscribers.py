"""Subscribers, their subscriptions, and the roster that declares them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from service.core.model.compose import Edition, Newsletter, Preferences
from service.core.model.gather import Feed
from service.core.secret import Secret


class SubscriptionStatus(StrEnum):
    """The status of a subscription. The config ends a subscription; the subscriber pauses or unsubscribes."""

    ACTIVE = "active"
    PAUSED = "paused"
    UNSUBSCRIBED = "unsubscribed"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Subscriber:
    """A person. `id` is `ids.subscriber_id(email)`.

    `channel` is the channel that their digests go by; None: the site's mail channel.
    """

    id: str
    email: str
    name: str = ""
    timezone: str | None = None
    channel: str | None = None


@dataclass(frozen=True, slots=True)
class Subscription:
    """A subscriber's subscription to one newsletter, with their preferences and cursor.

    `paused_until` is the start of the day, in their time zone, at which a pause ends; None: it has no end, or
    there is none.
    """

    subscriber_id: str
    newsletter: str
    preferences: Preferences
    edition_key: str
    next_due_at: datetime
    served_through: int
    status: SubscriptionStatus = SubscriptionStatus.ACTIVE
    paused_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class DesiredSubscription:
    """A subscription that the roster, an import or the subscriber asks for; `next_due_at`: first due time."""

    subscriber: Subscriber
    newsletter: str
    preferences: Preferences
    edition: Edition
    edition_key: str
    next_due_at: datetime


@dataclass(frozen=True, slots=True)
class Membership:
    """A subscription with its subscriber, for listings. `suppressed` is the reason of a suppression.

    `declared`: the roster names the subscription. `chosen`: the subscriber set the preferences, which take
    precedence over the roster's.
    """

    subscriber: Subscriber
    subscription: Subscription
    edition: Edition
    suppressed: str | None = None
    declared: bool = False
    chosen: bool = False

    @property
    def pause_end(self) -> date | None:
        """The local day at which a pause ends; None if it has no end, or if there is none."""
        until = self.subscription.paused_until
        return None if until is None else until.astimezone(ZoneInfo(self.edition.timezone)).date()


class ConsentWay(StrEnum):
    """How a subscription came about: by the person themselves, or by somebody else for them.

    `form`, `invitation` and `preferences` are pages of this service; `file` is the configuration, `import` a
    file that the operator imported, `editor` an editor's page or a command, `api` a program.
    """

    FORM = "form"
    INVITATION = "invitation"
    PREFERENCES = "preferences"
    FILE = "file"
    IMPORT = "import"
    EDITOR = "editor"
    API = "api"


@dataclass(frozen=True, slots=True)
class Consent:
    """How a person agreed to a newsletter; `text` is what the page said, in `language`, "" if none."""

    way: ConsentWay
    text: str = ""
    language: str = ""


@dataclass(frozen=True, slots=True)
class ConsentRecord:
    """A stored consent: to which newsletter (id), when, how, and the text that the person saw."""

    newsletter: str
    at: datetime
    consent: Consent


@dataclass(frozen=True, slots=True)
class SignUpRequest:
    """A sign-up for a newsletter (by id) that waits for confirmation.

    `timezone` and `schedule` None: the newsletter's. Confirmation links from before `first_at` are not valid.
    `consent` is what the form said; `invitation` is the id of the invitation that opened the form, or None.
    """

    subscriber: Subscriber
    newsletter: str
    timezone: str | None
    first_at: datetime
    schedule: str | None = None
    consent: Consent = Consent(ConsentWay.FORM)
    invitation: str | None = None


@dataclass(frozen=True, slots=True)
class Invitation:
    """A link that lets up to `max_uses` people sign up for newsletters (ids) until `expires_at`.

    `uses` counts confirmed sign-ups. `note` says for whom it is; `revoked_at` is the time of a revocation.
    """

    id: str
    newsletters: tuple[str, ...]
    created_at: datetime
    expires_at: datetime
    max_uses: int
    uses: int = 0
    note: str = ""
    revoked_at: datetime | None = None

    def is_open(self, now: datetime) -> bool:
        """Return whether one more person can use it."""
        return self.revoked_at is None and now < self.expires_at and self.uses < self.max_uses


@dataclass(frozen=True, slots=True)
class RosterEntry:
    """A subscriber in the roster, with their newsletters (by id) and preferences.

    `channel_address` is their address on `subscriber.channel`, where they chose one. It is never stored.
    """

    subscriber: Subscriber
    newsletters: tuple[tuple[str, Preferences], ...]
    channel_address: Secret = field(default=Secret())


class IndexedEntries(Sequence[RosterEntry]):
    """Subscribers of a roster that need not all be read to find one of them."""

    @abstractmethod
    def with_id(self, subscriber_id: str) -> RosterEntry | None:
        """Return the subscriber with this id, or None."""

    @abstractmethod
    def on_channels(self) -> Sequence[RosterEntry]:
        """Return the subscribers who chose a channel of their own."""


@dataclass(frozen=True, slots=True)
class Roster:
    """The feeds, newsletters and subscribers that config/ declares.

    `unreadable_subscribers` are the ids of subscribers with an invalid entry; their subscriptions stay
    unchanged. `fingerprint` is equal for equal files and the same version of Caveat; "" if it is unknown.
    `is_complete` is False while the files are not in force: subscribers, and their addresses on personal
    channels, may then be missing.
    """

    feeds: tuple[Feed, ...]
    newsletters: tuple[Newsletter, ...]
    subscribers: Sequence[RosterEntry]
    unreadable_subscribers: tuple[str, ...] = ()
    fingerprint: str = field(default="", compare=False)
    is_complete: bool = True

    def newsletter(self, newsletter_id: str) -> Newsletter | None:
        """Return the newsletter with this id, or None."""
        return next((n for n in self.newsletters if n.id == newsletter_id), None)

    def subscriber(self, subscriber_id: str) -> RosterEntry | None:
        """Return the subscriber with this id, or None."""
        if isinstance(self.subscribers, IndexedEntries):
            return self.subscribers.with_id(subscriber_id)
        return next((entry for entry in self.subscribers if entry.subscriber.id == subscriber_id), None)

    def on_channels(self) -> Sequence[RosterEntry]:
        """Return the subscribers who chose a channel of their own."""
        if isinstance(self.subscribers, IndexedEntries):
            return self.subscribers.on_channels()
        return [entry for entry in self.subscribers if entry.subscriber.channel]


@dataclass(frozen=True, slots=True)
class HeldChange:
    """A change of the configuration that is not in force, because it would end too many subscriptions.

    `ended` are the subscriptions that would end, of the `running` ones, by newsletter in `newsletters`.
    `since` is when it was held first; None if nothing recorded it.
    """

    ended: int
    running: int
    newsletters: tuple[tuple[str, int], ...] = ()
    since: datetime | None = None

    @property
    def sentence(self) -> str:
        """What would end, that it did not, and what to do."""
        named = ", ".join(f"{name} {count}" for name, count in self.newsletters)
        return (
            f"the configuration would end {self.ended} of {self.running} subscriptions ({named}), so it is "
            "not in force and the last one stays; `caveat config plan` shows the change and `caveat config "
            "apply --yes` applies it, or restore the files"
        )
