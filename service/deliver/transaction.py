"""Transaction: one message after another over a session, with the ledger asked before each final dot.

One flight carries the content of a message and the envelope of the next one behind it. So a message costs one
round trip where the server knows PIPELINING, and four where it does not.
"""

from __future__ import annotations

import asyncio

from service.core.contracts import Outbox
from service.core.model import Deferred, Message, Outcome, Refused, Uncertain
from service.deliver.outcomes import Stage, outcome_of
from service.deliver.relay import Relay
from service.deliver.session import Envelope, LineLost, Reply, Session, envelope

DATA = b"DATA\r\n"
DOT = b".\r\n"
RSET = b"RSET\r\n"


class Transaction:
    """Sends over `session` what `outbox` holds. `riding`: the next message's envelope is on its way."""

    def __init__(self, session: Session, outbox: Outbox, relay: Relay) -> None:
        self.session, self.riding = session, False
        self._outbox, self._relay, self._timeouts = outbox, relay, relay.timeouts
        self._reset_first = False
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
        self.session.offered += 1
        if self.riding and self.session.takes_content():
            self.riding = False
            return None
        pipelining = self.session.features.pipelining
        replies = await (self._in_one_flight(opening) if pipelining else self._in_steps(opening))
        if len(replies) == 3 and replies[0].good and replies[1].good and replies[2].code == 354:
            return None
        stages = zip((Stage.MAIL, Stage.RCPT, Stage.DATA), replies, strict=False)
        stage, reply = next(pair for pair in stages if not _accepted(*pair))
        if len(replies) == 3 and replies[2].code == 354:
            # It refused the envelope and yet waits for content: an empty one ends that (RFC 2920, 3.1).
            self.session.write(DOT)
            await self._reply(self._timeouts.dot)
        self._reset_first = True
        return outcome_of(reply.code, reply.text, stage)

    async def _in_one_flight(self, opening: Envelope) -> list[Reply]:
        if not self.riding:
            self.session.write(RSET if self._reset_first else b"", opening.mail, opening.rcpt, DATA)
            if self._reset_first:
                await self._reply(self._timeouts.mail)
        self.riding = self._reset_first = False
        return [
            await self._reply(self._timeouts.mail),
            await self._reply(self._timeouts.rcpt),
            await self._reply(self._timeouts.data),
        ]

    async def _in_steps(self, opening: Envelope) -> list[Reply]:
        if self._reset_first:
            self.session.write(RSET)
            await self._reply(self._timeouts.mail)
            self._reset_first = False
        replies = []
        steps = zip(
            (opening.mail, opening.rcpt, DATA),
            (self._timeouts.mail, self._timeouts.rcpt, self._timeouts.data),
            strict=True,
        )
        for command, timeout in steps:
            self.session.write(command)
            replies.append(await self._reply(timeout))
            if not (replies[-1].good or replies[-1].code == 354):
                break
        return replies

    async def _hand_over(self, message: Message) -> Message | None:
        if not self.session.is_open():
            raise LineLost("the connection was lost before the message was sent")
        try:
            allowed = await self._outbox.attempt(message)
        except asyncio.CancelledError:
            # Behind the attempt in the ledger, in case that was written.
            self._outbox.settle(message, Deferred("we were told to stop before it was sent"))
            self.session.abort()
            raise
        if allowed and not self.session.is_open():
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
        if 300 <= reply.code < 400 or reply.code < 200:
            self._outbox.settle(message, Uncertain(f"no answer that fits: {reply}"))
            self.session.abort("the server's replies do not fit our commands")
            self.riding = False
        else:
            self.session.sent += reply.good
            self._outbox.settle(message, outcome_of(reply.code, reply.text, Stage.DOT))
        return following

    def _following(self) -> Message | None:
        """Return the message whose envelope may ride along, or None."""
        if not self.session.features.pipelining or self.session.offered >= self._relay.messages:
            return None
        return self._outbox.ready()

    def _ride(self, following: Message | None) -> tuple[bytes, ...]:
        self._ridden = ridden = envelope(following, self.session.features) if following is not None else None
        self.riding = isinstance(ridden, Envelope)
        return (ridden.mail, ridden.rcpt, DATA) if isinstance(ridden, Envelope) else ()

    async def _reply(self, timeout: float) -> Reply:  # noqa: ASYNC109 - RFC 5321 gives each command its own
        reply = self.session.arrived() or await self.session.reply(timeout)
        if reply.code == 421:
            self.session.abort("the server said 421")
            raise LineLost(str(reply))
        return reply

    def _drop(self, message: Message, reason: str) -> None:
        self._outbox.put_back(message)
        self.session.abort(reason)


def _accepted(stage: Stage, reply: Reply) -> bool:
    return reply.code == 354 if stage is Stage.DATA else reply.good
