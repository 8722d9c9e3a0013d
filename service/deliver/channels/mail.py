"""Mail channels: what the channels that carry whole mails have in common."""

from __future__ import annotations

from typing_extensions import override

from service.core.model import Delivery, Issue, Message
from service.deliver.ports import Channel, MessageFactory, Prepare


class MailChannel(Channel):
    """Carries the mails that `build_message` makes; `prepare` makes those of a batch ahead."""

    def __init__(self, build_message: MessageFactory, prepare: Prepare | None = None) -> None:
        self._build_message, self.prepare = build_message, prepare

    @override
    def payload(self, issue: Issue, delivery: Delivery) -> Message:
        return self._build_message(issue, delivery)
