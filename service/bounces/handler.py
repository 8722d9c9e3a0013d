"""Returns: letters that come back, into a mailbox or handed over -> what they mean is set down.

A bounce counts only when it came to the return path of a delivery of ours, a complaint or a wish to leave
only with the token that stood in the mail: nobody can have somebody else's address suppressed. Who asks to
unsubscribe without one is sent a mail that asks whether it was they.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from service.bounces.read_mail import InboundResult, UnreadableMail, read_inbound
from service.bounces.result import DELAYED, BounceAction
from service.bounces.verp import delivery_id_of
from service.core import tokens
from service.deliver.channels.smtp.reply_patterns import ReplyMeaning
from service.deliver.metrics import INBOUND_MAILS
from service.deliver.ports import BounceStore

# Kinds of soft bounces that would be the same for any other address.
UNRELATED_TO_ADDRESS = frozenset(
    {
        DELAYED,
        ReplyMeaning.BLOCKED,
        ReplyMeaning.POLICY,
        ReplyMeaning.RATE,
        ReplyMeaning.SIZE,
        ReplyMeaning.SYSTEM,
    }
)

log = logging.getLogger("deliver")

Unsubscribe = Callable[[str, str | None, datetime], Awaitable[object]]
"""Ends the subscription of a subscriber (id) to a newsletter (id; None: to all of them)."""

ConfirmUnsubscribe = Callable[[str, datetime], Awaitable[bool]]
"""Sends the subscriber at an address the mail that asks whether they unsubscribe; whether there is one."""

ReadMail = Callable[[bytes], Awaitable[InboundResult | UnreadableMail]]
"""Reads a mail, which may be hostile, within limits of time and memory."""

UNREADABLE = "unreadable"


async def read_in_this_thread(content: bytes) -> InboundResult | UnreadableMail:
    """Read a mail in this thread, for whoever has no event loop to keep free."""
    return read_inbound(content)


@dataclass(frozen=True, slots=True)
class BounceHandler:
    """What letters are worked off with. `key` signs tokens and return paths."""

    store: BounceStore
    unsubscribe: Unsubscribe
    key: bytes
    confirm_unsubscribe: ConfirmUnsubscribe
    read: ReadMail = read_in_this_thread


async def handle_mail(
    handler: BounceHandler, content: bytes, *, now: datetime, recipients: Sequence[str] = ()
) -> str:
    """Set down what the letter means; return it in a word.

    The word is one of hard, soft, delayed, refused, complaint, left, asked, forged, ignored and unreadable.
    Delayed (it may still arrive) and refused (our mail or our server is what is wrong) say nothing about the
    address, so they are not recorded: a week on a block list must not suppress a provider's subscribers.
    An unreadable mail changes nothing; it is counted, and the log names it by its size and SHA-256.

    `recipients` are the addresses that it was delivered to, where the envelope is known; where that says
    nothing (it is not known, or was rewritten on the way) its headers do. A letter that is received twice
    changes nothing the second time. Raises StoreError.
    """
    mail = await handler.read(content)
    if isinstance(mail, UnreadableMail):
        INBOUND_MAILS.labels(UNREADABLE).inc()
        name = f"{len(content)} bytes, sha256 {sha256(content).hexdigest()}"
        log.warning("a mail that came in cannot be read and is set aside (%s): %s", name, mail.reason)
        return UNREADABLE
    word = await _set_down(handler, mail, recipients, now)
    INBOUND_MAILS.labels(word).inc()
    log.info("a letter came back: %s %s", word, mail.bounce.status)
    return word


async def _set_down(
    returns: BounceHandler, mail: InboundResult, recipients: Sequence[str], now: datetime
) -> str:
    bounce = mail.bounce
    if bounce.complaint and bounce.action is BounceAction.HARD:
        complainant = next(filter(None, (_claim(returns.key, token) for token in mail.returned_tokens)), None)
        if complainant:
            await returns.unsubscribe(complainant[0], None, now)
        return "complaint" if complainant else "forged"
    claim = _claim(returns.key, mail.unsubscribe_token)
    if claim:
        await returns.unsubscribe(claim[0], claim[1], now)
        return "left"
    if bounce.action is BounceAction.NONE:
        sender = mail.unsubscribe_sender
        return "asked" if sender and await returns.confirm_unsubscribe(sender, now) else "ignored"
    return await _bounced(returns, mail, recipients, now)


async def _bounced(
    returns: BounceHandler, mail: InboundResult, recipients: Sequence[str], now: datetime
) -> str:
    bounce = mail.bounce
    deliveries = _deliveries(returns.key, recipients) or _deliveries(returns.key, mail.envelope_addresses)[:1]
    if not deliveries:
        return "forged"
    if bounce.action is BounceAction.SOFT and bounce.kind in UNRELATED_TO_ADDRESS:
        return "delayed" if bounce.kind == DELAYED else "refused"
    hard, reason = bounce.action is BounceAction.HARD, f"{bounce.status} {bounce.reason}".strip()
    known = [
        await returns.store.record_bounce(delivery_id, hard=hard, reason=reason, now=now)
        for delivery_id in deliveries
    ]
    return bounce.action.value if any(known) else "ignored"


def _claim(key: bytes, token: str) -> tuple[str, ...] | None:
    """Return (subscriber, newsletter) of a token that stood in a mail of ours; None for any other string."""
    return tokens.read(key, tokens.UNSUBSCRIBE, token) if token else None


def _deliveries(key: bytes, addresses: Sequence[str]) -> list[str]:
    """Return the deliveries whose return paths are among the addresses, each once."""
    found = (delivery_id_of(key, address) for address in addresses)
    return list(dict.fromkeys(delivery_id for delivery_id in found if delivery_id))
