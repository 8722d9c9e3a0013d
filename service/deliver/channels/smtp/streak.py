"""Streak: messages in a row that the server accepts, handled as their replies arrive.

With PIPELINING each flight holds a message's content and the next one's envelope. While the server answers a
flight with four acceptances at once, and the ledger takes the next attempt, the next flight follows without
a switch of tasks: that is a tenth of a message's cost. Everything else ends the streak, and the transaction
goes on from its state.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from service.core.model import Message, Sent
from service.deliver.channels.smtp.connection import SmtpConnection
from service.deliver.channels.smtp.replies import reply_line
from service.deliver.ports import Outbox


class Streak:
    """Begins when the content of `message` and the envelope of `following` are written.

    When it has ended, `message` waits for the reply to its final dot, and `following` is the message whose
    envelope was written, or None. Or the attempt of `message` was written (`is_attempting`), but it cannot be
    sent; `allowed` is the ledger's answer. `send_content` writes a message and the envelope of
    the next one; it returns the next one and whether its envelope was written.
    """

    def __init__(
        self,
        connection: SmtpConnection,
        outbox: Outbox,
        send_content: Callable[[Message], tuple[Message | None, bool]],
        reply_timeout: float,
        *,
        message: Message,
        following: Message,
    ) -> None:
        self.message = message
        self.following: Message | None = following
        self.is_attempting = False
        self.allowed: bool | Exception = False
        self._connection, self._outbox, self._send_content = connection, outbox, send_content
        self._reply_timeout = reply_timeout
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        connection.listen(self._replies_arrived, reply_timeout)

    def _replies_arrived(self) -> None:
        reply = None if self.following is None else self._connection.consume_flight_replies()
        if reply is None or self.following is None:
            self._end()
            return
        self._connection.accepted_count += 1
        self._connection.offered_count += 1
        self._outbox.settle(self.message, Sent(reply_line(reply.code, reply.text)))
        self.message, self.following, self.is_attempting = self.following, None, True
        self._outbox.attempt_then(self.message, self._attempt_written)

    def _attempt_written(self, allowed: bool | Exception) -> None:
        self.allowed = allowed
        if allowed is not True or not self._connection.is_in_sync():
            self._end()
            return
        try:
            self.following, is_envelope_written = self._send_content(self.message)
        except Exception as error:  # noqa: BLE001 - the slot that waits for the end must get it, not the ledger
            self.allowed = error
            self._end()
            return
        self.is_attempting = False
        if is_envelope_written:
            self._connection.listen(self._replies_arrived, self._reply_timeout)
        else:
            self._end()

    def _end(self) -> None:
        if not self.ended.done():
            self.ended.set_result(None)
