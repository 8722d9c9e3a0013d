"""Deliver: the outbox -> sent, retried or given up, and the ledger knows which.

    take     a batch that is due, leased under a token, without those who are suppressed
    work     the channel sends each message; the attempt is durable before, the outcome after
    record   marks for all lanes in grouped commits, then what was not attempted goes back

What a crash leaves `attempting` becomes `uncertain` when its lease runs out, and is settled by policy: resent
with the same Message-ID, Date and bytes, or held for a person to decide.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from service.core.contracts import Channel, DeliverStore, MessageMaker, Progress, silent
from service.core.errors import CaveatError, ChannelUnavailable
from service.core.model import DeliveryState
from service.deliver.ledger import Ledger
from service.deliver.outbox import Clock, LeasedOutbox, Terms


@dataclass(frozen=True, slots=True)
class Deliverer:
    """What deliver works with. `grace` is for how many seconds messages in flight may finish at a stop."""

    store: DeliverStore
    channel: Channel
    make: MessageMaker
    terms: Terms = field(default=Terms())
    grace: float = 8.0
    new_token: Callable[[], str] = field(default=lambda: secrets.token_hex(16))


@dataclass(frozen=True, slots=True)
class DeliverReport:
    """What one pass did, in deliveries. `problems` are sentences for a person, each said once."""

    sent: int = 0
    deferred: int = 0
    refused: int = 0
    uncertain: int = 0
    suppressed: int = 0
    problems: tuple[str, ...] = ()


async def deliver(
    deliverer: Deliverer, *, now: Clock, stopping: asyncio.Event | None = None, progress: Progress = silent
) -> DeliverReport:
    """Send what is due until nothing is, or until `stopping` is set; `now` is asked again and again.

    A channel that cannot be reached is a problem in the report: its deliveries wait. Raises StoreError when
    the ledger stays out of reach; nothing is sent that it does not know of.
    """
    store, stopping = deliverer.store, stopping or asyncio.Event()
    await store.settle_uncertain(now(), resend=deliverer.terms.resend_uncertain)
    ledger = Ledger(store, patience=deliverer.terms.lease.total_seconds())
    outbox = LeasedOutbox(
        store,
        ledger,
        deliverer.make,
        channel=deliverer.channel.name,
        terms=deliverer.terms,
        clock=now,
        new_token=deliverer.new_token,
        stopping=stopping,
        progress=progress,
    )
    holding = asyncio.create_task(outbox.hold())
    try:
        await _carried(deliverer, outbox, stopping)
    except ChannelUnavailable as error:
        outbox.problems[str(error)] = None
    finally:
        await outbox.give_back()
        holding.cancel()
    return _report(outbox)


async def _carried(deliverer: Deliverer, outbox: LeasedOutbox, stopping: asyncio.Event) -> None:
    """Let the channel work; after a stop it may finish what is in flight, for as long as grace lasts."""
    carrying = asyncio.create_task(deliverer.channel.carry(outbox))
    stop = asyncio.create_task(stopping.wait())
    try:
        await asyncio.wait({carrying, stop}, return_when=asyncio.FIRST_COMPLETED)
        if not carrying.done():
            await asyncio.wait({carrying}, timeout=deliverer.grace)
    finally:
        stop.cancel()
        if not carrying.done():
            carrying.cancel()
            with suppress(asyncio.CancelledError, CaveatError):
                await carrying
    if not carrying.cancelled():
        carrying.result()


def _report(outbox: LeasedOutbox) -> DeliverReport:
    counts = outbox.counts
    return DeliverReport(
        sent=counts[DeliveryState.SENT],
        deferred=counts[DeliveryState.DEFERRED],
        refused=counts[DeliveryState.REFUSED],
        uncertain=counts[DeliveryState.UNCERTAIN],
        suppressed=counts[DeliveryState.SUPPRESSED],
        problems=tuple(outbox.problems),
    )
