"""Wanted: what somebody asks to be sent by hand, and when two requests are the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from service.core import ids as identity
from service.core.model import ManualSend

REPEAT_WINDOW = timedelta(minutes=1)
"""The same request without a key of its own, so soon after the first, is a slip of the finger."""


@dataclass(frozen=True, slots=True)
class SendRequest:
    """What somebody asks for: a newsletter (its id), to these addresses, None for everybody.

    `again` tells once more what they were told last. The same `key` is the same send, however often it is
    asked for; without one ("") it is the same request within a minute.
    """

    newsletter: str
    addresses: tuple[str, ...] | None
    repeat: bool = False
    key: str = ""

    @property
    def request_hash(self) -> str:
        """The same for the same request, however the addresses are spelled and ordered."""
        people = (
            []
            if self.addresses is None
            else sorted({identity.subscriber_id(address) for address in self.addresses})
        )
        how = ("all" if self.addresses is None else "some", "again" if self.repeat else "new")
        return identity.content_id("request", self.newsletter, *how, *people)

    def as_send(self, now: datetime) -> ManualSend:
        """Return the send that this would be at `now`."""
        key = f"key {self.key}" if self.key else f"request {self.request_hash} {now.isoformat()}"
        return ManualSend(identity.send_id(key), self.request_hash, now)

    def left_out(self, reasons: Mapping[str, str]) -> list[tuple[str, str]]:
        """Return who of those named is not sent it, as address and why; `reasons` go by subscriber id."""
        named = {identity.subscriber_id(address): address for address in self.addresses or ()}
        return [(address, reasons[key]) for key, address in named.items() if key in reasons]

    @property
    def repeat_window(self) -> timedelta | None:
        """Within what time the same request is the same send, None where the key alone says so."""
        return None if self.key else REPEAT_WINDOW
