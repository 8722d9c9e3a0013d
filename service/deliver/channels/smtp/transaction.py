"""SMTP transaction: sends one message after another; each attempt is in the ledger before its final dot.

Where the server supports PIPELINING, the content of a message and the envelope of the next one are written as
one flight. So a message costs one round trip, and four where the server does not support it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import NoReturn

from service.core.model import Deferred, Message, Outcome, Refused, Uncertain
from service.deliver.channels.smtp.connection import (
    ConnectionLost,
    EnvelopeCommands,
    SmtpConnection,
    SmtpReply,
    envelope_commands,
)
from service.deliver.channels.smtp.replies import SmtpCommand, is_sequence_error, outcome_of
from service.deliver.channels.smtp.settings import Relay
from service.deliver.channels.smtp.streak import Streak
from service.deliver.ports import Outbox

DATA = b"DATA\r\n"
DOT = b".\r\n"
RSET = b"RSET\r\n"
AUTHENTICATION_REQUIRED = 530  # RFC 4954; on a connection that took messages before, a new login helps
ENVELOPE_STEPS = (SmtpCommand.MAIL, SmtpCommand.RCPT, SmtpCommand.DATA)
OUT_OF_SYNC = "the server's replies do not match our commands"
STOPPED = "the sender was stopped before the message was sent"
UNSOLICITED = "the server sent a reply without a command"


class SmtpTransaction:
    """Sends messages of `outbox` over `connection`.

    `envelope_pipelined`: the envelope of the next message was written, and its replies were not read yet.
    """

    def __init__(self, connection: SmtpConnection, outbox: Outbox, relay: Relay) -> None:
        self.connection, self.envelope_pipelined = connection, False
        self._outbox, self._relay, self._timeouts = outbox, relay, relay.timeouts
        self._next_envelope: EnvelopeCommands | Refused | None = None

    async def send(self, message: Message) -> Message | None:
        """Send a message and settle its outcome; return the message whose envelope was pipelined, or None.

        Raises ConnectionLost when the connection ended before the attempt: the message may be sent again.
        """
        pipelined = self._next_envelope if self.envelope_pipelined else None
        envelope = pipelined or envelope_commands(message, self.connection.extensions)
        if isinstance(envelope, Refused):
            self._outbox.settle(message, envelope)
            return None
        try:
            refusal = await self._offer(envelope)
        except asyncio.CancelledError:
            self._outbox.put_back(message)
            self.connection.abort("the sender was stopped")
            raise
        if refusal is not None:
            self._outbox.settle(message, refusal)
            return None
        return await self._hand_over(message)

    async def _offer(self, envelope: EnvelopeCommands) -> Outcome | None:
        """Send the envelope; return None when the server waits for content, else the outcome."""
        connection = self.connection
        connection.offered_count += 1
        if self.envelope_pipelined and connection.consume_envelope_replies():
            self.envelope_pipelined = False
            return None
        pipelining = connection.extensions.pipelining
        received = await (self._in_one_flight(envelope) if pipelining else self._in_steps(envelope))
        replies = dict(zip(ENVELOPE_STEPS, received, strict=False))
        if (mismatch := _mismatch(replies)) is not None:
            self._lose_sync(mismatch)
        refusal = next((pair for pair in replies.items() if pair[1].is_refusal), None)
        if refusal is None:
            return None
        command, reply = refusal
        if reply.code == AUTHENTICATION_REQUIRED and self._relay.username and connection.accepted_count:
            connection.abort("the login has expired")
            raise ConnectionLost(f"the login has expired: {reply}")
        if SmtpCommand.DATA in replies and replies[SmtpCommand.DATA].code == 354:
            # The server refused the envelope and yet waits for content. A final dot would send an empty mail
            # to the recipient that the server assumes; closing the connection sends no mail.
            connection.abort("the server waits for a message that it refused")
        elif connection.is_open():
            await self._reset()
        return outcome_of(reply.code, reply.text, command)

    async def _in_one_flight(self, envelope: EnvelopeCommands) -> list[SmtpReply]:
        """Return the three replies; fewer when the connection ends after a refusal."""
        if not self.envelope_pipelined:
            self._begin(envelope.mail, envelope.rcpt, DATA)
        self.envelope_pipelined = False
        replies: list[SmtpReply] = []
        for timeout in (self._timeouts.mail, self._timeouts.rcpt, self._timeouts.data):
            try:
                replies.append(await self._reply(timeout))
            except ConnectionLost:
                if any(reply.is_refusal for reply in replies):
                    break
                raise
        return replies

    async def _in_steps(self, envelope: EnvelopeCommands) -> list[SmtpReply]:
        """Return the replies up to the first that does not accept."""
        replies = []
        lines = (envelope.mail, envelope.rcpt, DATA)
        timeouts = (self._timeouts.mail, self._timeouts.rcpt, self._timeouts.data)
        for command, line, timeout in zip(ENVELOPE_STEPS, lines, timeouts, strict=True):
            self._begin(line)
            replies.append(reply := await self._reply(timeout))
            if not _accepts(command, reply):
                break
        return replies

    def _begin(self, *commands: bytes) -> None:
        """Write commands that leave an envelope with the server until the final dot or RSET is answered."""
        self._write(*commands)
        self.connection.has_no_envelope = False

    async def _reset(self) -> None:
        """Withdraw a refused envelope, so that nothing of it is left for the next message.

        The reply also shows whether the refusal belonged to our command: when the server sent an unsolicited
        reply before, RSET gets the reply to DATA. A connection on which RSET fails is closed; the refusal
        counts unless the replies were out of sync.
        """
        self._write(RSET)
        try:
            reply = await self._reply(self._timeouts.mail)
        except ConnectionLost:
            return
        if reply.is_positive:
            self.connection.has_no_envelope = True
        elif not reply.is_refusal or is_sequence_error(reply.code, reply.text, SmtpCommand.MAIL):
            self._lose_sync(reply)
        else:
            self.connection.abort("the server refused RSET")

    async def _hand_over(self, message: Message) -> Message | None:
        """Write the content once the attempt is durable; return the message whose envelope follows."""
        connection = self.connection
        if not connection.is_in_sync():
            connection.abort(UNSOLICITED)
            raise ConnectionLost("the connection was lost before the message was sent")
        try:
            allowed = await self._outbox.attempt(message)
        except asyncio.CancelledError:
            # The ledger writes this after the attempt, in case the attempt was written.
            self._outbox.settle(message, Deferred(STOPPED))
            connection.abort()
            raise
        if not allowed or not connection.is_in_sync():
            self._withdraw(message, allowed=allowed)
            return None
        # From here to the write nothing is awaited: the lease was checked a moment ago.
        following, is_envelope_written = self._send_content(message)
        if following is not None and is_envelope_written:
            return await self._go_on(message, following)
        return await self._await_outcome(message, following)

    def _withdraw(self, message: Message, *, allowed: bool) -> None:
        """Close the connection after an attempt whose content must not follow."""
        if allowed:
            self.connection.abort(UNSOLICITED)
            lost = Deferred("the connection was lost before the message was sent")
            self._outbox.settle(message, lost)
        else:
            # The server waits for content that must not be sent; only closing withdraws the envelope.
            self.connection.abort("the message was withdrawn")

    def _send_content(self, message: Message) -> tuple[Message | None, bool]:
        """Write the content and the next message's envelope.

        Return the next message, and whether its envelope was written.
        """
        following = self._following()
        self.connection.write(*message.parts, DOT, *self._pipeline(following))
        return following, self.envelope_pipelined

    async def _go_on(self, message: Message, following: Message) -> Message | None:
        """Send in a streak until a message is not accepted at once; finish that one."""
        send, dot = self._send_content, self._timeouts.dot
        streak = Streak(self.connection, self._outbox, send, dot, message=message, following=following)
        try:
            await streak.ended
        except asyncio.CancelledError:
            if streak.is_attempting:
                self._outbox.settle(streak.message, Deferred(STOPPED))
                self.connection.abort()
            else:
                self._stop_in_doubt(streak.message, streak.following)
            raise
        if not streak.is_attempting:
            return await self._await_outcome(streak.message, streak.following)
        self.envelope_pipelined = False
        if isinstance(streak.allowed, Exception):
            raise streak.allowed
        self._withdraw(streak.message, allowed=streak.allowed)
        return None

    async def _await_outcome(self, message: Message, following: Message | None) -> Message | None:
        """Settle the message by the reply to its final dot; return the message whose envelope follows."""
        connection = self.connection
        try:
            reply = connection.received_reply() or await connection.read_reply(self._timeouts.dot)
        except ConnectionLost as lost:
            self._outbox.settle(message, Uncertain(f"no reply to the message: {lost}"))
            self.envelope_pipelined = False
            return following
        except asyncio.CancelledError:
            self._stop_in_doubt(message, following)
            raise
        self._settle(message, reply)
        return following

    def _stop_in_doubt(self, message: Message, following: Message | None) -> None:
        """Settle a message whose reply is not awaited any more, and close the connection."""
        self._outbox.settle(message, Uncertain("the sender was stopped before the reply arrived"))
        if following is not None:
            self._outbox.put_back(following)
        self.connection.abort()

    def _settle(self, message: Message, reply: SmtpReply) -> None:
        """Settle the outcome by the reply to the final dot; close the connection if it cannot be one."""
        answers_dot = reply.is_positive or reply.is_refusal
        if not answers_dot or is_sequence_error(reply.code, reply.text, SmtpCommand.DOT):
            self._outbox.settle(message, Uncertain(f"the reply does not answer the message: {reply}"))
            self.connection.abort(f"{OUT_OF_SYNC}: {reply}")
            self.envelope_pipelined = False
            return
        self.connection.accepted_count += reply.is_positive
        self.connection.has_no_envelope = not self.envelope_pipelined
        if reply.code == 421:
            self.connection.abort(str(reply))
            self.envelope_pipelined = False
        self._outbox.settle(message, outcome_of(reply.code, reply.text, SmtpCommand.DOT))

    def _following(self) -> Message | None:
        """Return the message whose envelope may follow in the same flight, or None."""
        connection = self.connection
        if not connection.extensions.pipelining or connection.offered_count >= self._relay.max_messages:
            return None
        return self._outbox.ready()

    def _pipeline(self, following: Message | None) -> tuple[bytes, ...]:
        envelope = None if following is None else envelope_commands(following, self.connection.extensions)
        self._next_envelope = envelope
        self.envelope_pipelined = isinstance(envelope, EnvelopeCommands)
        return (envelope.mail, envelope.rcpt, DATA) if isinstance(envelope, EnvelopeCommands) else ()

    def _write(self, *parts: bytes) -> None:
        if self.connection.is_open() and not self.connection.is_in_sync():
            self._lose_sync(self.connection.received_reply())
        self.connection.write(*parts)

    def _lose_sync(self, reply: SmtpReply | None) -> NoReturn:
        """Close the connection, whose next replies cannot be matched to commands. Raises ConnectionLost."""
        if reply is not None and reply.code == 421:
            reason = str(reply)
        else:
            reason = f"{OUT_OF_SYNC}: {reply}" if reply else UNSOLICITED
        self.connection.abort(reason)
        raise ConnectionLost(reason)

    async def _reply(self, timeout: float) -> SmtpReply:  # noqa: ASYNC109 - RFC 5321 gives each command its own
        reply = self.connection.received_reply() or await self.connection.read_reply(timeout)
        if reply.code == 421:
            self._lose_sync(reply)
        return reply


def _accepts(command: SmtpCommand, reply: SmtpReply) -> bool:
    return reply.code == 354 if command is SmtpCommand.DATA else reply.is_positive


def _mismatch(replies: Mapping[SmtpCommand, SmtpReply]) -> SmtpReply | None:
    """Return a reply that cannot belong to its command; None when all can.

    Such replies are: neither a refusal nor the acceptance that the command has; an accepted recipient after
    MAIL was refused (the server has another envelope); a refusal because the command was out of sequence.
    """
    refused = False
    for command, reply in replies.items():
        if not (reply.is_refusal or _accepts(command, reply)):
            return reply
        if refused and command is SmtpCommand.RCPT and reply.is_positive:
            return replies[SmtpCommand.MAIL]
        # After a refusal, a server may well refuse the next commands as out of sequence.
        if reply.is_refusal and not refused and is_sequence_error(reply.code, reply.text, command):
            return reply
        refused = refused or reply.is_refusal
    return None
