"""Returns: letters that come back, into a mailbox or handed over -> what they mean is set down.

A bounce counts only when it came to the return path of a delivery of ours, a complaint or a wish to leave
only with the token that stood in the mail: nobody can have somebody else's address suppressed.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from service.core import tokens
from service.core.contracts import BounceStore
from service.deliver.bounces import Bounce, read_bounce
from service.deliver.findings import Action
from service.deliver.letters import Letter, decoded_header
from service.deliver.metrics import RETURNS
from service.deliver.verp import delivery_of

ENVELOPE_HEADERS = ("X-Original-To", "Delivered-To", "Envelope-To", "X-Envelope-To", "To", "Cc")
LEAVE = re.compile(r"(?i)\bunsubscribe\b[ +:_-]{0,9}([A-Za-z0-9_-]{1,400}\.[A-Za-z0-9_-]{1,60})")
TOKEN = re.compile(r"/([A-Za-z0-9_-]{1,400}\.[A-Za-z0-9_-]{1,60})>")

log = logging.getLogger("deliver")

Leave = Callable[[str, str | None, datetime], Awaitable[object]]
"""Ends the subscription of a subscriber (id) to a newsletter (id; None: to all of them)."""


@dataclass(frozen=True, slots=True)
class Returns:
    """What letters are worked off with. `key` signs tokens and return paths."""

    store: BounceStore
    leave: Leave
    key: bytes


async def receive(returns: Returns, content: bytes, *, now: datetime, recipients: Sequence[str] = ()) -> str:
    """Set down what the letter means; return it in a word: hard, soft, complaint, left, forged or ignored.

    `recipients` are the addresses that it was delivered to, where the envelope is known; where that says
    nothing (it is not known, or was rewritten on the way) its headers do. A letter that is received twice
    changes nothing the second time. Raises StoreError.
    """
    letter, bounce = Letter.read(content), read_bounce(content)
    word = await _set_down(returns, letter, bounce, recipients, now)
    RETURNS.labels(word).inc()
    log.info("a letter came back: %s %s", word, bounce.status)
    return word


async def _set_down(
    returns: Returns, letter: Letter, bounce: Bounce, recipients: Sequence[str], now: datetime
) -> str:
    if bounce.complaint and bounce.action is Action.HARD:
        complainant = _complainant(returns.key, letter)
        if complainant:
            await returns.leave(complainant[0], None, now)
        return "complaint" if complainant else "forged"
    asked = LEAVE.search(letter.subject)
    claim = tokens.read(returns.key, tokens.UNSUBSCRIBE, asked[1]) if asked else None
    if claim:
        await returns.leave(claim[0], claim[1], now)
        return "left"
    if bounce.action is Action.NONE:
        return "ignored"
    return await _bounced(returns, letter, bounce, recipients, now)


async def _bounced(
    returns: Returns, letter: Letter, bounce: Bounce, recipients: Sequence[str], now: datetime
) -> str:
    deliveries = (
        _deliveries(returns.key, recipients)
        or _deliveries(returns.key, letter.addresses(*ENVELOPE_HEADERS))[:1]
    )
    if not deliveries:
        return "forged"
    hard, reason = bounce.action is Action.HARD, f"{bounce.status} {bounce.reason}".strip()
    known = [
        await returns.store.record_bounce(delivery_id, hard=hard, reason=reason, now=now)
        for delivery_id in deliveries
    ]
    return bounce.action.value if any(known) else "ignored"


def _deliveries(key: bytes, addresses: Sequence[str]) -> list[str]:
    """Return the deliveries whose return paths are among the addresses, each once."""
    found = (delivery_of(key, address) for address in addresses)
    return list(dict.fromkeys(delivery_id for delivery_id in found if delivery_id))


def _complainant(key: bytes, letter: Letter) -> tuple[str, ...] | None:
    """Return (subscriber, newsletter) by the token in the mail that somebody complains about."""
    if letter.returned is None:
        return None
    for token in TOKEN.findall(decoded_header(letter.returned, "List-Unsubscribe")):
        if claim := tokens.read(key, tokens.UNSUBSCRIBE, token):
            return claim
    return None
