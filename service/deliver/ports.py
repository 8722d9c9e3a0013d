"""What deliver asks of the outside: a ledger, a channel, and what several workers share."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, Protocol

from service.core.model import Batch, Delivery, DeliveryState, Issue, Message, Outcome


class StateChange(NamedTuple):
    """One line for the ledger: where a delivery stands now. Instants and texts as the outcome gave them."""

    delivery_id: str
    state: DeliveryState
    at: datetime
    reply: str = ""
    next_attempt_at: datetime | None = None
    suppress: bool = False


@dataclass(frozen=True, slots=True)
class ResendPolicy:
    """Which deliveries in doubt are sent again unasked: with fewer doubts, and planned after this instant."""

    max_uncertain_attempts: int
    planned_after: datetime


class DeliverStore(Protocol):
    """What deliver asks of the record: the ledger."""

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
        """Lease up to `limit` deliveries that are due, marking those to suppressed people as such.

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
        """Prolong the lease of what this token still holds; a sender that is alive says so."""
        ...

    async def settle_uncertain(self, now: datetime, resend: ResendPolicy | None) -> int:
        """Turn attempts of leases that ran out into `uncertain`; return how many.

        Of the uncertain deliveries that have no `next_attempt_at`, or one that has come, those that `again`
        lets through are due (as deferred, at once). The others rest until somebody decides; with None, all.
        """
        ...

    async def issue(self, issue_id: str) -> Issue | None:
        """Return the issue."""
        ...

    async def record_changes(self, token: str, changes: Sequence[StateChange]) -> set[str]:
        """Write the marks in one durable commit, for deliveries that this token still holds.

        Return the ids of the deliveries that were written; the rest belong to somebody else by now.
        A mark with `suppress` also suppresses the delivery's address. A person who was suppressed or
        unsubscribed since the batch was taken is not marked `attempting`: the delivery becomes `suppressed`
        and its id is not returned.
        """
        ...

    async def pause(self, issue_id: str, now: datetime) -> None:
        """Let nobody take up the issue's deliveries until the operator resumes it; twice is harmless.

        What workers hold and did not attempt is not theirs any more.
        """
        ...

    async def release(self, token: str) -> None:
        """Give back what this token holds and did not attempt."""
        ...

    async def resend(
        self,
        issue_id: str,
        states: Collection[DeliveryState],
        now: datetime,
        *,
        subscribers: Collection[str] | None = None,
    ) -> int:
        """Make an issue's deliveries in these states due again, on purpose; return how many.

        With `subscribers` (ids), only theirs. The Message-ID stays the same. What a worker holds is left
        alone, and who is suppressed or unsubscribed is not mailed all the same.
        """
        ...


@dataclass(frozen=True, slots=True)
class SendingPause:
    """Nobody sends from `since` to `until`, because of `reason` (a clause); `times` counts halts in a row."""

    reason: str
    since: datetime
    until: datetime
    consecutive: int = 1


@dataclass(frozen=True, slots=True)
class LearnedRate:
    """How fast a mail server lets us send, as its refusals showed; shared by all workers.

    `per_minute` messages may leave, None while it is not measured; `ceiling` is the rate that was refused
    last. `accepted` messages were taken `since`. From `refused_at` until a probe is accepted, nothing leaves
    but one message at `probe_at`; `last_refused_at` is the latest refusal of that time. `reply` is what the
    server said last; `busy`: about its own shortage, not our rate. `at` is the last change and `version`
    counts the changes.
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
    """What the workers that send by one relay share: turns at its limits, learned rates, a halt."""

    async def learned_rates(self, relay: str) -> tuple[Mapping[str, LearnedRate], datetime]:
        """Return what a relay's refusals taught, by recipient domain, "" for all; and what time it is.

        By the database's clock, as all instants of a LearnedRate.
        """
        ...

    async def save_rate(self, relay: str, domain: str, rate: LearnedRate | None, version: int) -> bool:
        """Replace the rate of this version (0: none stands), by none too; False if it is not there."""
        ...

    async def take_turns(self, lengths: Mapping[str, float], within: float) -> Mapping[str, float]:
        """Give stretches of time away: of each limit by its name, the next one of that length (seconds).

        Return in how many seconds each begins; one that does not begin `within` so many is not given. No two
        stretches of a limit overlap, whoever takes them. By the database's clock, which is the only one that
        several machines share.
        """
        ...

    async def sending_pause(self, relay: str) -> SendingPause | None:
        """Return the halt that stands for a relay, or None; it may be over, and nobody has tried yet."""
        ...

    async def begin_pause(self, relay: str, pause: SendingPause) -> bool:
        """Let sending halt; return False when it did already, and that halt stands."""
        ...

    async def end_pause(self, relay: str, since: datetime | None = None) -> bool:
        """Let sending go on; with `since`, only if that halt stands. Return whether there was one."""
        ...

    async def claim_trial(self, relay: str, now: datetime, until: datetime) -> bool:
        """Return whether we are the one who tries, when a halt is over; `until` then nobody else is."""
        ...


class Outbox(Protocol):
    """Where a channel fetches messages and says what came of them; many lanes of a channel share one."""

    async def next(self) -> Message | None:
        """Return the next message, waiting for as long as the pace demands; None when there is no more."""
        ...

    def ready(self) -> Message | None:
        """Return a message that may leave at this moment, or None; never waits."""
        ...

    async def attempt(self, message: Message) -> bool:
        """Make the attempt durable; False means that the message must not be sent any more.

        Awaited right before the last bytes that make the receiver responsible (the final dot), with nothing
        awaited in between. After True the channel owes a `settle`, after False it owes nothing.
        """
        ...

    def settle(self, message: Message, outcome: Outcome) -> None:
        """Say what came of a message, attempted or refused before it could be."""
        ...

    def put_back(self, message: Message) -> None:
        """Give back a message that was not attempted, for another lane or another day."""
        ...


class MessageFactory(Protocol):
    """Builds the mail of a delivery."""

    def __call__(self, issue: Issue, delivery: Delivery) -> Message:
        """Return the finished message; the same bytes for the same delivery every time.

        Raises CaveatError for a delivery that cannot become a message.
        """
        ...


Prepare = Callable[[Sequence[Delivery]], Awaitable[None]]
"""Does ahead, for the messages of a batch, what takes long."""


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
    `is_personal`: each subscriber has an address of their own on it, beside their mail address.
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
