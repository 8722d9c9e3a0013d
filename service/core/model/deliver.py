"""Values of deliver: deliveries and their batches, messages and outcomes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class DeliveryState(StrEnum):
    """The state of a delivery. The first four are the outbox; the rest are final."""

    PLANNED = "planned"
    ATTEMPTING = "attempting"
    DEFERRED = "deferred"
    UNCERTAIN = "uncertain"
    SENT = "sent"
    REFUSED = "refused"
    SUPPRESSED = "suppressed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One issue to one subscriber by one channel.

    `id` is computed from the three and is the left part of the Message-ID of each attempt. `attempts` counts
    the earlier attempts, `uncertain_attempts` those without a known outcome. `address` and `name` are the
    subscriber's current ones. `transactional`: a transactional mail, sent before all issues. `row` is its key
    in the ledger: the numbers of issue and subscriber.
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
    row: tuple[int, int] = (0, 0)


@dataclass(frozen=True, slots=True)
class Batch:
    """Up to 500 deliveries leased by one worker; `token` proves the lease.

    `suppressed` counts the due deliveries that became suppressed when the batch was taken.
    """

    token: str
    lease_until: datetime
    deliveries: tuple[Delivery, ...] = field(default=())
    suppressed: int = 0


@dataclass(frozen=True, slots=True)
class Message:
    """A finished message for a channel: the envelope, and the content in consecutive parts.

    Every line ends with CRLF, and no line starts with a dot, so SMTP needs no dot-stuffing (RFC 5321, 4.5.2).
    The content is ASCII unless an address in it is not. The messages of an issue share their large parts as
    the same objects; joined parts would be one copy for each recipient.
    """

    delivery_id: str
    sender: str
    recipient: str
    parts: tuple[bytes, ...]

    @property
    def content(self) -> bytes:
        """The joined parts."""
        return b"".join(self.parts)

    @property
    def size(self) -> int:
        """The content's length in bytes."""
        return sum(map(len, self.parts))


@dataclass(frozen=True, slots=True)
class Sent:
    """The channel accepted responsibility for the message."""

    reply: str = ""


class Throttle(StrEnum):
    """The server that asks for fewer messages: the relay, or the servers of one recipient domain.

    BUSY: the relay lacks a resource of its own (storage, for example), at any sending rate.
    """

    RELAY = "relay"
    DOMAIN = "domain"
    BUSY = "busy"


@dataclass(frozen=True, slots=True)
class Deferred:
    """A temporary failure (4xx, connection lost, greylisting); the message is sent again later.

    With `throttle`, the reason is the sending rate, not the message.
    """

    reply: str
    throttle: Throttle | None = None


class RefusalCause(StrEnum):
    """The cause of a refusal.

    ADDRESS: the recipient's address. MESSAGE: the content. SIZE: the message is larger than the server
    accepts, a limit that its operator can raise. POLICY: the sender (policy, login). TARGET: the subscriber's
    address on a channel of their own choice, which says nothing about their mail address.
    """

    ADDRESS = "address"
    MESSAGE = "message"
    SIZE = "size"
    POLICY = "policy"
    TARGET = "target"


@dataclass(frozen=True, slots=True)
class Refused:
    """A permanent failure (5xx). Only RefusalCause.ADDRESS may suppress the address."""

    reply: str
    cause: RefusalCause


@dataclass(frozen=True, slots=True)
class Uncertain:
    """The message may have been accepted: the connection broke after the final dot and before the reply."""

    reply: str


Outcome = Sent | Deferred | Refused | Uncertain


@dataclass(frozen=True, slots=True)
class ManualSend:
    """A newsletter sent by hand. `id` comes from the idempotency key, `request` from the whole request.

    `issues` are the ids of the issues it made, `deliveries` their number of deliveries. `nothing_new` counts
    the subscribers without new articles; `left_out` maps the ids of other subscribers without a delivery to
    the reason.
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
    """An issue's deliveries by state, as counts; the books close when the counts add up to `due`."""

    due: int
    sent: int = 0
    suppressed: int = 0
    refused: int = 0
    uncertain: int = 0
    waiting: int = 0
    cancelled: int = 0

    @property
    def closed(self) -> bool:
        """Whether the counts add up to `due`."""
        ended = self.sent + self.suppressed + self.refused + self.uncertain + self.cancelled
        return self.due == ended + self.waiting


@dataclass(frozen=True, slots=True)
class Site:
    """The sender of all mail. `sender` is a From header; `url` has no trailing slash.

    `unsubscribe_address` accepts mail that asks to unsubscribe; "": inbound mail is not read.
    """

    name: str
    url: str
    sender: str
    postal_address: str
    unsubscribe_address: str
