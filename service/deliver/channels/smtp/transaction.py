"""Transaction: one message after another over a session, with the ledger asked before each final dot.

One flight carries the content of a message and the envelope of the next one behind it. So a message costs one
round trip where the server knows PIPELINING, and four where it does not.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import NoReturn

from service.core.model import Deferred, Message, Outcome, Refused, Uncertain
from service.deliver.channels.smtp.connection import Envelope, LineLost, Reply, Session, envelope
from service.deliver.channels.smtp.replies import Stage, is_sequence_error, outcome_of
from service.deliver.channels.smtp.settings import Relay
from service.deliver.ports import Outbox

DATA = b"DATA\r\n"
DOT = b".\r\n"
RSET = b"RSET\r\n"
LOGIN_WANTED = 530  # RFC 4954; on a connection that took messages before, a new login mends it
STEPS = (Stage.MAIL, Stage.RCPT, Stage.DATA)
NO_FIT = "the server's replies do not fit our commands"
UNASKED = "the server said something that it was not asked"


class Transaction:
    """Sends over `session` what `outbox` holds. `riding`: the next message's envelope is on its way."""

    def __init__(self, session: Session, outbox: Outbox, relay: Relay) -> None:
        self.session, self.riding = session, False
        self._outbox, self._relay, self._timeouts = outbox, relay, relay.timeouts
        self._ridden: Envelope | Refused | None = None

    async def send(self, message: Message) -> Message | None:
        """Bring one message to its outcome; return the one whose envelope rides behind it, if one does.

        Raises LineLost when the line ended before the message was handed over: it may be sent again.
        """
        ridden = self._ridden if self.riding else None
        opening = ridden or envelope(message, self.session.features)
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

    async def _offer(self, opening: Envelope) -> Outcome | None:
        """Get the server ready for content; return None when it is, else why it does not want the message."""
        session = self.session
        session.offered += 1
        if self.riding and session.takes_content():
            self.riding = False
            return None
        pipelining = session.features.pipelining
        replies = await (self._in_one_flight(opening) if pipelining else self._in_steps(opening))
        answers = dict(zip(STEPS, replies, strict=False))
        if (misfit := _misfit(answers)) is not None:
            self._out_of_step(misfit)
        refusal = next((pair for pair in answers.items() if pair[1].refuses), None)
        if refusal is None:
            return None
        stage, reply = refusal
        if reply.code == LOGIN_WANTED and self._relay.username and session.sent:
            session.abort("the login has expired")
            raise LineLost(f"the login has expired: {reply}")
        if Stage.DATA in answers and answers[Stage.DATA].code == 354:
            # It refused the envelope and yet waits for content. A dot would be an empty mail to whoever it
            # has in mind; hanging up is no mail to anybody.
            session.abort("the server waits for a message that it refused")
        elif session.is_open():
            await self._reset()
        return outcome_of(reply.code, reply.text, stage)

    async def _in_one_flight(self, opening: Envelope) -> list[Reply]:
        """Return the three replies; fewer when the connection ends after one that refuses."""
        if not self.riding:
            self._begin(opening.mail, opening.rcpt, DATA)
        self.riding = False
        replies: list[Reply] = []
        for timeout in (self._timeouts.mail, self._timeouts.rcpt, self._timeouts.data):
            try:
                replies.append(await self._reply(timeout))
            except LineLost:
                if any(reply.refuses for reply in replies):
                    break
                raise
        return replies

    async def _in_steps(self, opening: Envelope) -> list[Reply]:
        """Return the replies up to the first that does not accept."""
        replies = []
        timeouts = (self._timeouts.mail, self._timeouts.rcpt, self._timeouts.data)
        for stage, command, timeout in zip(STEPS, (opening.mail, opening.rcpt, DATA), timeouts, strict=True):
            self._begin(command)
            replies.append(reply := await self._reply(timeout))
            if not _accepted(stage, reply):
                break
        return replies

    def _begin(self, *commands: bytes) -> None:
        """Write commands of a transaction that is not at rest until the dot or RSET is answered."""
        self._write(*commands)
        self.session.at_rest = False

    async def _reset(self) -> None:
        """Take a refused envelope back, so that nothing of it is left for the next message.

        The reply also shows whether the refusal was the reply to our command: when the server said something
        more than it was asked, RSET gets the reply that belonged to DATA. A connection on which RSET fails is
        closed; the refusal stands unless the replies were out of step.
        """
        self._write(RSET)
        try:
            reply = await self._reply(self._timeouts.mail)
        except LineLost:
            return
        if reply.good:
            self.session.at_rest = True
        elif not reply.refuses or is_sequence_error(reply.code, reply.text, Stage.MAIL):
            self._out_of_step(reply)
        else:
            self.session.abort("the server refused RSET")

    async def _hand_over(self, message: Message) -> Message | None:
        if not self.session.is_in_step():
            self.session.abort(UNASKED)
            raise LineLost("the connection was lost before the message was sent")
        try:
            allowed = await self._outbox.attempt(message)
        except asyncio.CancelledError:
            # Behind the attempt in the ledger, in case that was written.
            self._outbox.settle(message, Deferred("we were told to stop before it was sent"))
            self.session.abort()
            raise
        if allowed and not self.session.is_in_step():
            self.session.abort(UNASKED)
            self._outbox.settle(message, Deferred("the connection was lost before the message was sent"))
            return None
        if not allowed:
            # The server waits for content that must not come; only hanging up takes the envelope back.
            self.session.abort("the message was taken back")
            return None
        # From here to the write nothing is awaited: the lease was looked at a moment ago.
        following = self._following()
        self.session.write(*message.parts, DOT, *self._ride(following))
        try:
            reply = self.session.arrived() or await self.session.reply(self._timeouts.dot)
        except LineLost as lost:
            self._outbox.settle(message, Uncertain(f"no answer to the message: {lost}"))
            self.riding = False
            return following
        except asyncio.CancelledError:
            self._outbox.settle(message, Uncertain("we were told to stop before the answer came"))
            if following is not None:
                self._outbox.put_back(following)
            self.session.abort()
            raise
        self._settle(message, reply)
        return following

    def _settle(self, message: Message, reply: Reply) -> None:
        """Write what the reply to the final dot means, and close the connection if it fits no dot."""
        if not (reply.good or reply.refuses) or is_sequence_error(reply.code, reply.text, Stage.DOT):
            self._outbox.settle(message, Uncertain(f"no answer that fits: {reply}"))
            self.session.abort(f"{NO_FIT}: {reply}")
            self.riding = False
            return
        self.session.sent += reply.good
        self.session.at_rest = not self.riding
        if reply.code == 421:
            self.session.abort(str(reply))
            self.riding = False
        self._outbox.settle(message, outcome_of(reply.code, reply.text, Stage.DOT))

    def _following(self) -> Message | None:
        """Return the message whose envelope may ride along, or None."""
        if not self.session.features.pipelining or self.session.offered >= self._relay.messages:
            return None
        return self._outbox.ready()

    def _ride(self, following: Message | None) -> tuple[bytes, ...]:
        self._ridden = ridden = envelope(following, self.session.features) if following is not None else None
        self.riding = isinstance(ridden, Envelope)
        return (ridden.mail, ridden.rcpt, DATA) if isinstance(ridden, Envelope) else ()

    def _write(self, *parts: bytes) -> None:
        if self.session.is_open() and not self.session.is_in_step():
            self._out_of_step(self.session.arrived())
        self.session.write(*parts)

    def _out_of_step(self, reply: Reply | None) -> NoReturn:
        """Close the connection: what it says next cannot be matched to a command. Raises LineLost."""
        if reply is not None and reply.code == 421:
            reason = str(reply)
        else:
            reason = f"{NO_FIT}: {reply}" if reply else UNASKED
        self.session.abort(reason)
        raise LineLost(reason)

    async def _reply(self, timeout: float) -> Reply:  # noqa: ASYNC109 - RFC 5321 gives each command its own
        reply = self.session.arrived() or await self.session.reply(timeout)
        if reply.code == 421:
            self._out_of_step(reply)
        return reply

    def _drop(self, message: Message, reason: str) -> None:
        self._outbox.put_back(message)
        self.session.abort(reason)


def _accepted(stage: Stage, reply: Reply) -> bool:
    return reply.code == 354 if stage is Stage.DATA else reply.good


def _misfit(answers: Mapping[Stage, Reply]) -> Reply | None:
    """Return a reply that cannot be the answer to its command; None when all can.

    Such are: neither a refusal nor the acceptance that the command has; a recipient accepted after MAIL was
    refused (the server has another envelope); a refusal because the command came out of sequence.
    """
    refused = False
    for stage, reply in answers.items():
        if not (reply.refuses or _accepted(stage, reply)):
            return reply
        if refused and stage is Stage.RCPT and reply.good:
            return answers[Stage.MAIL]
        # Behind a refusal it is in order that the next commands come out of sequence.
        if reply.refuses and not refused and is_sequence_error(reply.code, reply.text, stage):
            return reply
        refused = refused or reply.refuses
    return None
