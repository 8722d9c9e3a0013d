"""The ports of deliver: the ledger, the channel, and the state that several workers share."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, Protocol

from service.core.model import Batch, Delivery, DeliveryState, Issue, Message, Outcome


class StateChange(NamedTuple):
    """The new state of a delivery, for the ledger. `reply` is the outcome's text."""

    delivery: Delivery
    state: DeliveryState
    at: datetime
    reply: str = ""
    next_attempt_at: datetime | None = None
    suppress: bool = False

    @property
    def delivery_id(self) -> str:
        """The id of the delivery."""
        return self.delivery.id


@dataclass(frozen=True, slots=True)
class ResendPolicy:
    """Which uncertain deliveries are sent again without the operator.

    Those with fewer uncertain attempts than `max_uncertain_attempts`, planned after `planned_after`.
    """

    max_uncertain_attempts: int
    planned_after: datetime


class DeliverStore(Protocol):
    """The ledger of deliveries."""

    async def take_batch(
        self,
        channel: str,
        token: str,
        now: datetime,
        lease_until: datetime,
        limit: int,
        *,
        only_transactional: bool = False,
        is_personal: bool = False,
    ) -> Batch:
        """Lease up to `limit` due deliveries; those to suppressed subscribers become `suppressed` instead.

        Due are: planned; deferred with `next_attempt_at <= now`; both only while no other lease holds them.
        A delivery left `attempting` by a lease that ran out becomes `uncertain` first. While transactional
        mail is due, a batch holds nothing else; with `only_transactional` it never does.
        With `is_personal` the channel is one that subscribers chose: their deliveries name it themselves.
        """
        ...

    async def personal_channels(self, now: datetime) -> Collection[str]:
        """Return the channels of the subscribers' choice that something is due on. Cheap: asked each pass."""
        ...

    async def extend(self, token: str, lease_until: datetime) -> None:
        """Extend the lease of the deliveries that this token still holds."""
        ...

    async def settle_uncertain(self, now: datetime, resend: ResendPolicy | None) -> int:
        """Turn attempts of expired leases into `uncertain`; return their number.

        Uncertain deliveries without `next_attempt_at`, or with one that has passed, become deferred and due
        at once where `resend` permits it. The others rest until the operator decides; with None, all of them.
        """
        ...

    async def issue(self, issue_id: str) -> Issue | None:
        """Return the issue, None when it does not exist."""
        ...

    async def record_changes(self, token: str, changes: Sequence[StateChange]) -> set[str]:
        """Write the changes in one durable commit, for deliveries that this token still holds.

        Return the ids of the deliveries that were written; the others belong to another lease by now.
        A change with `suppress` also suppresses the delivery's address. When the subscriber was suppressed or
        unsubscribed since the batch was leased, the delivery becomes `suppressed` instead of `attempting`,
        and its id is not returned.
        """
        ...

    async def pause(self, issue_id: str, now: datetime) -> None:
        """Pause the issue: none of its deliveries is leased until the operator resumes it. Idempotent.

        Workers lose the leases of its deliveries that they did not attempt.
        """
        ...

    async def release(self, token: str) -> None:
        """Give back the deliveries that this token holds and did not attempt."""
        ...

    async def resend(
        self,
        issue_id: str,
        states: Collection[DeliveryState],
        now: datetime,
        *,
        subscribers: Collection[str] | None = None,
    ) -> int:
        """Make an issue's deliveries in these states due again, as the operator asks; return their number.

        With `subscribers` (ids), only theirs. The Message-ID stays the same. Leased deliveries are left
        alone, and those of a cancelled issue. Suppressed and unsubscribed subscribers are still not mailed.
        """
        ...


@dataclass(frozen=True, slots=True)
class SendingPause:
    """No worker sends from `since` to `until`, because of `reason` (a clause).

    `consecutive` counts the pauses in a row.
    """

    reason: str
    since: datetime
    until: datetime
    consecutive: int = 1


@dataclass(frozen=True, slots=True)
class LearnedRate:
    """The rate that a mail server accepts, as measured by its refusals; shared by all workers.

    `per_minute` messages may be sent, None while it is not measured; `ceiling` is the rate that was refused
    last. `accepted` messages were accepted `since`. From `refused_at` until a probe is accepted, only one
    message is sent, at `probe_at`; `last_refused_at` is the latest refusal in that time. `reply` is the
    server's last refusal; with `busy` it is about the server's own shortage, not about our rate. `at` is the
    time of the last change and `version` counts the changes.
    """

    per_minute: float | None
    ceiling: float | None
    since: datetime
    at: datetime
    accepted: int = 0
    refused_at: datetime | None = None
    last_refused_at: datetime | None = None
    probe_at: datetime | None = None
    reply: str = ""
    busy: bool = False
    version: int = 0


class CoordinationStore(Protocol):
    """What the workers that send by one relay share: turns at its limits, learned rates, a sending pause."""

    async def learned_rates(self, relay: str) -> tuple[Mapping[str, LearnedRate], datetime]:
        """Return a relay's learned rates by recipient domain ("" for all domains), and the current time.

        The time is by the database's clock, as are all instants of a LearnedRate.
        """
        ...

    async def save_rate(self, relay: str, domain: str, rate: LearnedRate | None, version: int) -> bool:
        """Replace the rate of this version (0: no rate is stored) by `rate` (None: remove it).

        Return False, and change nothing, when another version is stored.
        """
        ...

    async def take_turns(self, lengths: Mapping[str, float], within: float) -> Mapping[str, float]:
        """Take the next turn of each limit: `lengths` are seconds by the limit's name.

        Return the seconds until each turn begins; one that does not begin `within` seconds is not taken. No
        two turns of a limit overlap, whichever worker takes them. By the database's clock, the only one that
        several machines share.
        """
        ...

    async def sending_pause(self, relay: str) -> SendingPause | None:
        """Return a relay's sending pause, or None; it may be over with no trial message sent yet."""
        ...

    async def begin_pause(self, relay: str, pause: SendingPause) -> bool:
        """Pause sending; return False, and keep the existing pause, when one is not over yet."""
        ...

    async def end_pause(self, relay: str, since: datetime | None = None) -> bool:
        """End the pause; with `since`, only the pause that began then. Return whether there was one."""
        ...

    async def claim_trial(self, relay: str, now: datetime, until: datetime) -> bool:
        """Return whether this worker may send the trial message after a pause; no other before `until`."""
        ...


OnWritten = Callable[[bool | Exception], None]
"""Called with the result of an attempt: whether it holds, or the error of its commit. It must not raise."""


class Outbox(Protocol):
    """Gives messages to a channel and takes their outcomes; the connection slots of a channel share one."""

    async def next(self) -> Message | None:
        """Return the next message, once the rate limits permit it; None when no delivery is due any more."""
        ...

    def ready(self) -> Message | None:
        """Return a message that may be sent at this moment, or None; never waits."""
        ...

    async def attempt(self, message: Message) -> bool:
        """Make the attempt durable; return False when the message must not be sent any more.

        Awaited right before the last bytes that make the receiver responsible (the final dot), with nothing
        awaited in between. After True the channel must call `settle`, after False it must not.
        """
        ...

    def attempt_then(self, message: Message, on_written: OnWritten) -> None:
        """Make the attempt durable as `attempt` does, and call `on_written` with the result.

        It is not called for a message that was settled meanwhile.
        """
        ...

    def settle(self, message: Message, outcome: Outcome) -> None:
        """Record the outcome of a message: after its attempt, or a refusal before it."""
        ...

    def put_back(self, message: Message) -> None:
        """Give back a message that was not attempted; it is sent by another connection or in a later pass."""
        ...


class MessageFactory(Protocol):
    """Builds the mail of a delivery."""

    def __call__(self, issue: Issue, delivery: Delivery) -> Message:
        """Return the finished message; the same bytes for the same delivery every time.

        Raises CaveatError for a delivery that cannot become a message.
        """
        ...


Prepare = Callable[[Sequence[Delivery]], Awaitable[None]]
"""Does the slow work for a batch of deliveries ahead of sending."""


@dataclass(frozen=True, slots=True)
class RateLimits:
    """Maximum messages over all connections and workers; 0 means no limit.

    `per_domain_minute` holds for each recipient domain on its own, `domains` for those that it names.
    """

    per_second: float = 0
    per_minute: float = 0
    per_domain_minute: float = 0
    domains: Mapping[str, float] = field(default_factory=dict)


NO_LIMITS = RateLimits()


@dataclass(frozen=True, slots=True)
class ChannelStatus:
    """What a channel found out about itself: a sentence, and whether the operator should look at it."""

    text: str
    is_warning: bool = False


class Channel(Protocol):
    """A way to reach subscribers: one folder of deliver/channels/. Other code asks it, never its name.

    `name` is its name in the configuration and in the ledger.
    `server` names what the workers share rate limits and sending pauses by; empty: no server that has any.
    `rate_limits` are those that the configuration sets for that server.
    `sends_to_people` is False where messages stay on this machine.
    `is_personal`: each subscriber has an address of their own on it, besides their mail address.
    `prepare` does ahead, for a whole batch, what `payload` takes long for; None: nothing.
    """

    name: str
    server: str = ""
    rate_limits: RateLimits = NO_LIMITS
    sends_to_people: bool = True
    is_personal: bool = False
    prepare: Prepare | None = None

    def payload(self, issue: Issue, delivery: Delivery) -> Message:
        """Return what is sent for the delivery; the same for the same delivery every time.

        Raises CaveatError for a delivery that cannot become a message.
        """
        ...

    async def carry(self, outbox: Outbox) -> None:
        """Send the outbox's messages until it has no more; each outcome is a value that `settle` gets.

        Raises ChannelUnavailable when the channel as a whole cannot be reached; what was not attempted by
        then has been put back.
        """
        ...

    async def check(self) -> ChannelStatus:
        """Find out whether the channel works, without sending. Raises CaveatError when it does not."""
        ...

    def address_problems(self) -> Mapping[str, str]:
        """Return why addresses of a personal channel cannot be used, by subscriber id. It may block.

        No sentence repeats an address.
        """
        return {}

    async def close(self) -> None:
        """Finish what is under way and give connections back."""
