"""Send requests: a newsletter to send by hand, and the rule for two equal requests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from service.core import ids as identity
from service.core.model import ManualSend

REPEAT_WINDOW = timedelta(minutes=1)
"""A second equal request without an idempotency key within this time is an accident, not a second send."""


@dataclass(frozen=True, slots=True)
class SendRequest:
    """A request to send a newsletter (by id) to these addresses, or to all subscribers with None.

    `repeat` sends the articles of the last issue once more. Requests with the same idempotency `key` are one
    send; without a key (""), equal requests within REPEAT_WINDOW are one send.
    """

    newsletter: str
    addresses: tuple[str, ...] | None
    repeat: bool = False
    key: str = ""

    @property
    def request_hash(self) -> str:
        """A hash that is equal for equal requests, in any spelling and order of the addresses."""
        people = sorted({identity.subscriber_id(address) for address in self.addresses or ()})
        how = ("all" if self.addresses is None else "some", "again" if self.repeat else "new")
        return identity.content_id("request", self.newsletter, *how, *people)

    def as_send(self, now: datetime) -> ManualSend:
        """Return the send for this request at `now`, without its issues."""
        key = f"key {self.key}" if self.key else f"request {self.request_hash} {now.isoformat()}"
        return ManualSend(identity.send_id(key), self.request_hash, now)

    def left_out(self, reasons: Mapping[str, str]) -> list[tuple[str, str]]:
        """Return the requested addresses without a delivery, each with the reason.

        `reasons` maps subscriber ids to reasons.
        """
        named = {identity.subscriber_id(address): address for address in self.addresses or ()}
        return [(address, reasons[key]) for key, address in named.items() if key in reasons]

    @property
    def repeat_window(self) -> timedelta | None:
        """The time within which an equal request is the same send; None with an idempotency key."""
        return None if self.key else REPEAT_WINDOW
