"""Transaction: one message after another over a session, with the ledger asked before each final dot.

One flight carries the content of a message and the envelope of the next one behind it. So a message costs one
round trip where the server knows PIPELINING, and four where it does not.
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
from service.deliver.ports import Outbox

DATA = b"DATA\r\n"
DOT = b".\r\n"
RSET = b"RSET\r\n"
AUTHENTICATION_REQUIRED = 530  # RFC 4954; on a connection that took messages before, a new login mends it
ENVELOPE_STEPS = (SmtpCommand.MAIL, SmtpCommand.RCPT, SmtpCommand.DATA)
OUT_OF_SYNC = "the server's replies do not fit our commands"
UNSOLICITED = "the server said something that it was not asked"


class SmtpTransaction:
    """Sends over `session` what `outbox` holds. `riding`: the next message's envelope is on its way."""

    def __init__(self, connection: SmtpConnection, outbox: Outbox, relay: Relay) -> None:
        self.connection, self.envelope_pipelined = connection, False
        self._outbox, self._relay, self._timeouts = outbox, relay, relay.timeouts
        self._ridden: EnvelopeCommands | Refused | None = None

    async def send(self, message: Message) -> Message | None:
        """Bring one message to its outcome; return the one whose envelope rides behind it, if one does.

        Raises LineLost when the line ended before the message was handed over: it may be sent again.
        """
        ridden = self._ridden if self.envelope_pipelined else None
        opening = ridden or envelope_commands(message, self.connection.extensions)
        if isinstance(opening, Refused):
            self._outbox.settle(message, opening)
            return None
        try:
            refusal = await self._offer(opening)
        except asyncio.CancelledError:
            self._drop(message, "we were told to stop")
            raise
        if refusal is not None:
            self._outbox.settle(message, refusal)
            return None
        return await self._hand_over(message)

    async def _offer(self, opening: EnvelopeCommands) -> Outcome | None:
        """Get the server ready for content; return None when it is, else why it does not want the message."""
        session = self.connection
        session.offered_count += 1
        if self.envelope_pipelined and session.consume_envelope_replies():
            self.envelope_pipelined = False
            return None
        pipelining = session.extensions.pipelining
        replies = await (self._in_one_flight(opening) if pipelining else self._in_steps(opening))
        answers = dict(zip(ENVELOPE_STEPS, replies, strict=False))
        if (misfit := _misfit(answers)) is not None:
            self._out_of_step(misfit)
        refusal = next((pair for pair in answers.items() if pair[1].is_refusal), None)
        if refusal is None:
            return None
        stage, reply = refusal
        if reply.code == AUTHENTICATION_REQUIRED and self._relay.username and session.accepted_count:
            session.abort("the login has expired")
            raise ConnectionLost(f"the login has expired: {reply}")
        if SmtpCommand.DATA in answers and answers[SmtpCommand.DATA].code == 354:
            # It refused the envelope and yet waits for content. A dot would be an empty mail to whoever it
            # has in mind; hanging up is no mail to anybody.
            session.abort("the server waits for a message that it refused")
        elif session.is_open():
            await self._reset()
        return outcome_of(reply.code, reply.text, stage)

    async def _in_one_flight(self, opening: EnvelopeCommands) -> list[SmtpReply]:
        """Return the three replies; fewer when the connection ends after one that refuses."""
        if not self.envelope_pipelined:
            self._begin(opening.mail, opening.rcpt, DATA)
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

    async def _in_steps(self, opening: EnvelopeCommands) -> list[SmtpReply]:
        """Return the replies up to the first that does not accept."""
        replies = []
        timeouts = (self._timeouts.mail, self._timeouts.rcpt, self._timeouts.data)
        for stage, command, timeout in zip(
            ENVELOPE_STEPS, (opening.mail, opening.rcpt, DATA), timeouts, strict=True
        ):
            self._begin(command)
            replies.append(reply := await self._reply(timeout))
            if not _accepted(stage, reply):
                break
        return replies

    def _begin(self, *commands: bytes) -> None:
        """Write commands of a transaction that is not at rest until the dot or RSET is answered."""
        self._write(*commands)
        self.connection.has_no_envelope = False

    async def _reset(self) -> None:
        """Take a refused envelope back, so that nothing of it is left for the next message.

        The reply also shows whether the refusal was the reply to our command: when the server said something
        more than it was asked, RSET gets the reply that belonged to DATA. A connection on which RSET fails is
        closed; the refusal stands unless the replies were out of step.
        """
        self._write(RSET)
        try:
            reply = await self._reply(self._timeouts.mail)
        except ConnectionLost:
            return
        if reply.is_positive:
            self.connection.has_no_envelope = True
        elif not reply.is_refusal or is_sequence_error(reply.code, reply.text, SmtpCommand.MAIL):
            self._out_of_step(reply)
        else:
            self.connection.abort("the server refused RSET")

    async def _hand_over(self, message: Message) -> Message | None:
        if not self.connection.is_in_sync():
            self.connection.abort(UNSOLICITED)
            raise ConnectionLost("the connection was lost before the message was sent")
        try:
            allowed = await self._outbox.attempt(message)
        except asyncio.CancelledError:
            # Behind the attempt in the ledger, in case that was written.
            self._outbox.settle(message, Deferred("we were told to stop before it was sent"))
            self.connection.abort()
            raise
        if allowed and not self.connection.is_in_sync():
            self.connection.abort(UNSOLICITED)
            self._outbox.settle(message, Deferred("the connection was lost before the message was sent"))
            return None
        if not allowed:
            # The server waits for content that must not come; only hanging up takes the envelope back.
            self.connection.abort("the message was taken back")
            return None
        # From here to the write nothing is awaited: the lease was looked at a moment ago.
        following = self._following()
        self.connection.write(*message.parts, DOT, *self._ride(following))
        try:
            reply = self.connection.received_reply() or await self.connection.read_reply(self._timeouts.dot)
        except ConnectionLost as lost:
            self._outbox.settle(message, Uncertain(f"no answer to the message: {lost}"))
            self.envelope_pipelined = False
            return following
        except asyncio.CancelledError:
            self._outbox.settle(message, Uncertain("we were told to stop before the answer came"))
            if following is not None:
                self._outbox.put_back(following)
            self.connection.abort()
            raise
        self._settle(message, reply)
        return following

    def _settle(self, message: Message, reply: SmtpReply) -> None:
        """Write what the reply to the final dot means, and close the connection if it fits no dot."""
        if not (reply.is_positive or reply.is_refusal) or is_sequence_error(
            reply.code, reply.text, SmtpCommand.DOT
        ):
            self._outbox.settle(message, Uncertain(f"no answer that fits: {reply}"))
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
        """Return the message whose envelope may ride along, or None."""
        if (
            not self.connection.extensions.pipelining
            or self.connection.offered_count >= self._relay.max_messages
        ):
            return None
        return self._outbox.ready()

    def _ride(self, following: Message | None) -> tuple[bytes, ...]:
        self._ridden = ridden = (
            envelope_commands(following, self.connection.extensions) if following is not None else None
        )
        self.envelope_pipelined = isinstance(ridden, EnvelopeCommands)
        return (ridden.mail, ridden.rcpt, DATA) if isinstance(ridden, EnvelopeCommands) else ()

    def _write(self, *parts: bytes) -> None:
        if self.connection.is_open() and not self.connection.is_in_sync():
            self._out_of_step(self.connection.received_reply())
        self.connection.write(*parts)

    def _out_of_step(self, reply: SmtpReply | None) -> NoReturn:
        """Close the connection: what it says next cannot be matched to a command. Raises LineLost."""
        if reply is not None and reply.code == 421:
            reason = str(reply)
        else:
            reason = f"{OUT_OF_SYNC}: {reply}" if reply else UNSOLICITED
        self.connection.abort(reason)
        raise ConnectionLost(reason)

    async def _reply(self, timeout: float) -> SmtpReply:  # noqa: ASYNC109 - RFC 5321 gives each command its own
        reply = self.connection.received_reply() or await self.connection.read_reply(timeout)
        if reply.code == 421:
            self._out_of_step(reply)
        return reply

    def _drop(self, message: Message, reason: str) -> None:
        self._outbox.put_back(message)
        self.connection.abort(reason)


def _accepted(stage: SmtpCommand, reply: SmtpReply) -> bool:
    return reply.code == 354 if stage is SmtpCommand.DATA else reply.is_positive


def _misfit(answers: Mapping[SmtpCommand, SmtpReply]) -> SmtpReply | None:
    """Return a reply that cannot be the answer to its command; None when all can.

    Such are: neither a refusal nor the acceptance that the command has; a recipient accepted after MAIL was
    refused (the server has another envelope); a refusal because the command came out of sequence.
    """
    refused = False
    for stage, reply in answers.items():
        if not (reply.is_refusal or _accepted(stage, reply)):
            return reply
        if refused and stage is SmtpCommand.RCPT and reply.is_positive:
            return answers[SmtpCommand.MAIL]
        # Behind a refusal it is in order that the next commands come out of sequence.
        if reply.is_refusal and not refused and is_sequence_error(reply.code, reply.text, stage):
            return reply
        refused = refused or reply.is_refusal
    return None
