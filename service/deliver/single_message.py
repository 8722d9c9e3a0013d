"""One message, sent now and recorded nowhere: for a test send."""

from __future__ import annotations

from typing_extensions import override

from service.core.model import Deferred, Delivery, Issue, Message, Outcome
from service.deliver.ports import Channel, OnWritten, Outbox


async def send_one(channel: Channel, issue: Issue, delivery: Delivery) -> Outcome:
    """Send the message of a delivery that no ledger has, by the channel; return the outcome.

    Rate limits and sending pauses do not hold it up. Raises ChannelUnavailable, and CaveatError for an
    address that cannot be mailed.
    """
    outbox = _SingleMessage(channel.payload(issue, delivery))
    await channel.carry(outbox)
    return outbox.outcome


class _SingleMessage(Outbox):
    """An outbox of one message; `outcome` is its last one."""

    def __init__(self, message: Message) -> None:
        self._waiting: Message | None = message
        self.outcome: Outcome = Deferred("the message was not sent")

    @override
    async def next(self) -> Message | None:
        return self.ready()

    @override
    def ready(self) -> Message | None:
        message, self._waiting = self._waiting, None
        return message

    @override
    async def attempt(self, message: Message) -> bool:
        return True

    @override
    def attempt_then(self, message: Message, on_written: OnWritten) -> None:
        on_written(True)  # noqa: FBT003 - the only argument

    @override
    def settle(self, message: Message, outcome: Outcome) -> None:
        self.outcome = outcome

    @override
    def put_back(self, message: Message) -> None:
        self._waiting = message
