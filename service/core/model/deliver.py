"""What deliver hands over: deliveries and their batches, messages, and what came of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class DeliveryState(StrEnum):
    """Where a delivery stands. The first four are the outbox; the rest are final."""

    PLANNED = "planned"
    ATTEMPTING = "attempting"
    DEFERRED = "deferred"
    UNCERTAIN = "uncertain"
    SENT = "sent"
    REFUSED = "refused"
    SUPPRESSED = "suppressed"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One issue to one subscriber by one channel.

    `id` is computed from the three and is the left part of the Message-ID on every attempt. `attempts` counts
    the attempts made before this one, `doubts` those of them whose end nobody knows; `address` and `name` are
    the subscriber's, as they are now. A `transactional` one is a mail that somebody waits for.
    """

    id: str
    issue_id: str
    subscriber_id: str
    channel: str
    address: str
    name: str
    attempts: int = 0
    planned_at: datetime | None = None
    uncertain_attempts: int = 0
    transactional: bool = False


@dataclass(frozen=True, slots=True)
class Batch:
    """Up to 500 deliveries that one worker took; `token` proves that they are still its own.

    `suppressed` counts the deliveries that were due and became suppressed when the batch was taken.
    """

    token: str
    lease_until: datetime
    deliveries: tuple[Delivery, ...] = field(default=())
    suppressed: int = 0


@dataclass(frozen=True, slots=True)
class Message:
    """What a channel is given: the envelope and the finished bytes, in parts that belong behind each other.

    Every line ends with CRLF, the last one too, and none begins with a dot, so that SMTP has nothing to stuff
    (RFC 5321, 4.5.2). The content is ASCII unless an address in it is not. The large parts are the same
    objects in the message of every reader; joined, each message would be a copy of them.
    """

    delivery_id: str
    sender: str
    recipient: str
    parts: tuple[bytes, ...]

    @property
    def content(self) -> bytes:
        """The parts as one."""
        return b"".join(self.parts)

    @property
    def size(self) -> int:
        """How many bytes the content has."""
        return sum(map(len, self.parts))


@dataclass(frozen=True, slots=True)
class Sent:
    """The channel took responsibility for the message."""

    reply: str = ""


class Throttle(StrEnum):
    """Who wants less mail at a time: the relay, or the servers of one recipient domain.

    BUSY: the relay is short of something itself (storage, for instance), however slowly we send.
    """

    RELAY = "relay"
    DOMAIN = "domain"
    BUSY = "busy"


@dataclass(frozen=True, slots=True)
class Deferred:
    """Not now; try again later. Nothing is wrong with the person (4xx, connection lost, greylisting).

    With `throttle` the message would have been accepted, had we sent less in the time before.
    """

    reply: str
    throttle: Throttle | None = None


class RefusalCause(StrEnum):
    """What a refusal is about: the address is no good, this message is, or our sending is (policy, login).

    SIZE: the message is larger than the server takes, which the operator can change.
    """

    ADDRESS = "address"
    MESSAGE = "message"
    SIZE = "size"
    POLICY = "policy"


@dataclass(frozen=True, slots=True)
class Refused:
    """The channel said no for good. Only `Blame.ADDRESS` may count against the person."""

    reply: str
    cause: RefusalCause


@dataclass(frozen=True, slots=True)
class Uncertain:
    """The message may or may not have been taken: the line broke after the final dot, before the reply."""

    reply: str


Outcome = Sent | Deferred | Refused | Uncertain


@dataclass(frozen=True, slots=True)
class ManualSend:
    """A newsletter mailed by hand. `id` comes from the idempotency key, `request` from what was asked for.

    `issues` (ids) came of it, with so many `deliveries`; `nothing_new` counts the readers who were told
    everything before, `left_out` says of others (subscriber ids) why they are not mailed.
    """

    id: str
    request: str
    at: datetime
    issues: tuple[str, ...] = ()
    deliveries: int = 0
    nothing_new: int = 0
    left_out: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Books:
    """The count of an issue's deliveries by state; they close when the parts add up to `due`."""

    due: int
    sent: int = 0
    suppressed: int = 0
    refused: int = 0
    uncertain: int = 0
    waiting: int = 0

    @property
    def closed(self) -> bool:
        """Whether every delivery is accounted for."""
        return self.due == self.sent + self.suppressed + self.refused + self.uncertain + self.waiting


@dataclass(frozen=True, slots=True)
class Site:
    """Who sends: shown in every mail. `sender` is a From header; `url` has no slash at its end.

    Mail to `unsubscribe_address` can unsubscribe; empty: no address where such mail is read.
    """

    name: str
    url: str
    sender: str
    postal_address: str
    unsubscribe_address: str
