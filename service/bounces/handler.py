"""Handler: an inbound mail -> a recorded bounce, an unsubscription, or no change.

Nobody can have another person's address suppressed: a bounce counts only when it came to the signed return
path of one of our deliveries; a complaint or an unsubscribe mail counts only with the signed token of our
mail. An unsubscribe mail without a token is answered by a mail that asks the subscriber to confirm.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from service.bounces.ports import BounceStore
from service.bounces.read_mail import InboundResult, UnreadableMail, read_inbound
from service.bounces.result import DELAYED, BounceAction
from service.bounces.verp import delivery_id_of
from service.core import tokens
from service.deliver.channels.smtp.reply_patterns import ReplyMeaning

# Kinds of soft bounces that any other address would have met as well.
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
"""Sends the question whether to unsubscribe to a subscriber (address); returns whether one was sent."""

ReadMail = Callable[[bytes], Awaitable[InboundResult | UnreadableMail]]
"""Reads a mail, which may be hostile, within limits of time and memory."""

UNREADABLE = "unreadable"


async def read_in_this_thread(content: bytes) -> InboundResult | UnreadableMail:
    """Read a mail without limits of time and memory, for tests and callers without an event loop."""
    return read_inbound(content)


@dataclass(frozen=True, slots=True)
class BounceHandler:
    """What inbound mail is handled with.

    `key` signs tokens and return paths; `count` is called with the result of each mail, for the metrics.
    """

    store: BounceStore
    unsubscribe: Unsubscribe
    key: bytes
    confirm_unsubscribe: ConfirmUnsubscribe
    read: ReadMail = read_in_this_thread
    count: Callable[[str], None] = lambda _result: None


async def handle_mail(
    handler: BounceHandler, content: bytes, *, now: datetime, recipients: Sequence[str] = ()
) -> str:
    """Record what the mail reports or asks for; return the result in one word.

        hard, soft    a bounce that was recorded
        delayed       not recorded: the mail may still arrive
        refused       not recorded: our mail or our server is the cause, not the address. A week on a block
                      list must not suppress all subscribers of a provider.
        complaint     unsubscribed from all newsletters
        left          unsubscribed from one newsletter
        asked         a mail asks the sender to confirm that they unsubscribe
        forged        no signature of ours
        ignored       no bounce and no request
        unreadable    set aside: the log names the mail by its size and SHA-256

    `recipients` are the envelope's recipients. Where none of them is a return path of ours (the envelope is
    unknown, or was rewritten on the way), the mail's headers count. Handling a mail a second time changes
    nothing. Raises StoreError.
    """
    mail = await handler.read(content)
    if isinstance(mail, UnreadableMail):
        handler.count(UNREADABLE)
        mail_id = {"bytes": len(content), "sha256": sha256(content).hexdigest()}
        log.warning("inbound_mail_unreadable", extra=mail_id | {"reason": mail.reason})
        return UNREADABLE
    result = await _handle(handler, mail, recipients, now)
    handler.count(result)
    log.info("inbound_mail_handled", extra={"result": result, "status": mail.bounce.status})
    return result


async def _handle(
    handler: BounceHandler, mail: InboundResult, recipients: Sequence[str], now: datetime
) -> str:
    bounce = mail.bounce
    if bounce.complaint and bounce.action is BounceAction.HARD:
        claims = (_signed_claim(handler.key, token) for token in mail.returned_tokens)
        complainant = next(filter(None, claims), None)
        if complainant:
            await handler.unsubscribe(complainant[0], None, now)
        return "complaint" if complainant else "forged"
    claim = _signed_claim(handler.key, mail.unsubscribe_token)
    if claim:
        await handler.unsubscribe(claim[0], claim[1], now)
        return "left"
    if bounce.action is BounceAction.NONE:
        sender = mail.unsubscribe_sender
        return "asked" if sender and await handler.confirm_unsubscribe(sender, now) else "ignored"
    return await _record(handler, mail, recipients, now)


async def _record(
    handler: BounceHandler, mail: InboundResult, recipients: Sequence[str], now: datetime
) -> str:
    bounce, key = mail.bounce, handler.key
    deliveries = _delivery_ids(key, recipients) or _delivery_ids(key, mail.envelope_addresses)[:1]
    if not deliveries:
        return "forged"
    if bounce.action is BounceAction.SOFT and bounce.kind in UNRELATED_TO_ADDRESS:
        return "delayed" if bounce.kind == DELAYED else "refused"
    hard, reason = bounce.action is BounceAction.HARD, f"{bounce.status} {bounce.reason}".strip()
    known = [
        await handler.store.record_bounce(delivery_id, hard=hard, reason=reason, now=now)
        for delivery_id in deliveries
    ]
    return bounce.action.value if any(known) else "ignored"


def _signed_claim(key: bytes, token: str) -> tuple[str, ...] | None:
    """Return (subscriber, newsletter) of a token that we signed, None for any other text."""
    return tokens.read(key, tokens.UNSUBSCRIBE, token) if token else None


def _delivery_ids(key: bytes, addresses: Sequence[str]) -> list[str]:
    """Return the ids of the deliveries whose return paths are among the addresses, each once."""
    found = (delivery_id_of(key, address) for address in addresses)
    return list(dict.fromkeys(delivery_id for delivery_id in found if delivery_id))
