"""Deliver: the outbox -> sent, retried or given up, and the ledger knows which.

    take     a batch that is due, leased under a token, without those who are suppressed
    work     the channel sends each message; the attempt is durable before, the outcome after
    record   marks for all lanes in grouped commits, then what was not attempted goes back

What a crash leaves `attempting` becomes `uncertain` when its lease runs out, and is settled by policy: resent
with the same Message-ID, Date and bytes, or held for a person to decide. The third doubt about a delivery, or
one after three days, is held in any case.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

from service.core.errors import CaveatError, ChannelUnavailable
from service.core.model import DeliveryState, Throttle
from service.core.progress import Progress, silent
from service.deliver import metrics
from service.deliver.leases import Clock, Leases, Prepare, Terms
from service.deliver.ledger import Ledger
from service.deliver.limits.circuit_breaker import Breaker
from service.deliver.limits.coordination import Accord
from service.deliver.limits.issue_refusals import IssueRefusals
from service.deliver.limits.rate_limit import RELAY, Pace
from service.deliver.limits.rate_reports import rate_sentence
from service.deliver.outbox import LeasedOutbox
from service.deliver.ports import AccordStore, Channel, DeliverStore, MessageMaker
from service.deliver.retry import doubts_to_repeat
from service.deliver.settlement import Settlement


@dataclass(frozen=True, slots=True)
class Deliverer:
    """What deliver works with. `grace` is for how many seconds messages in flight may finish at a stop.

    `pace`, `breaker` and `issue_refusals` remember from pass to pass, so one Deliverer is kept for as long as
    the process runs.
    Where they are shared, `shared` is where the workers that send by the same `relay` agree on them.
    `prepare` does for the next batch what `make` takes long for.
    """

    store: DeliverStore
    channel: Channel
    make: MessageMaker
    terms: Terms = field(default=Terms())
    pace: Pace = field(default_factory=Pace)
    breaker: Breaker = field(default_factory=Breaker)
    issue_refusals: IssueRefusals = field(default_factory=IssueRefusals)
    grace: float = 8.0
    new_token: Callable[[], str] = field(default=lambda: secrets.token_hex(16))
    pause: Callable[[float], Awaitable[None]] | None = None
    prepare: Prepare | None = None
    shared: AccordStore | None = None
    relay: str = ""


@dataclass(frozen=True, slots=True)
class DeliverReport:
    """What one pass did, in deliveries. `problems` are sentences for a person, each said once.

    `alert` is the one among them that says why nothing is sent. Whoever met the cause has logged it.
    """

    sent: int = 0
    deferred: int = 0
    refused: int = 0
    uncertain: int = 0
    suppressed: int = 0
    problems: tuple[str, ...] = ()
    alert: str = ""


async def deliver(
    deliverer: Deliverer, *, now: Clock, stopping: asyncio.Event | None = None, progress: Progress = silent
) -> DeliverReport:
    """Send what is due until nothing is, or until `stopping` is set; `now` is asked again and again.

    A channel that cannot be reached, or that refuses all our mail, is a problem in the report: its deliveries
    wait. Raises StoreError when the ledger stays out of reach; nothing is sent that it does not know of.
    """
    store, terms, stopping = deliverer.store, deliverer.terms, stopping or asyncio.Event()
    began = now()
    await store.settle_uncertain(began, doubts_to_repeat(began) if terms.resend_uncertain else None)
    leases = Leases(store, deliverer.channel.name, terms, now, deliverer.new_token, prepare=deliverer.prepare)
    accord = _accord(deliverer, now)
    settlement = _settlement(deliverer, leases, now, progress)
    outbox = LeasedOutbox(
        store,
        leases,
        settlement.ledger,
        deliverer.make,
        pace=deliverer.pace,
        breaker=deliverer.breaker,
        accord=accord,
        settlement=settlement,
        clock=now,
        stopping=stopping,
        pause=deliverer.pause,
    )
    holding = asyncio.create_task(leases.hold())
    try:
        await _carried(deliverer, outbox, stopping)
    except ChannelUnavailable as error:
        _unavailable(deliverer, settlement, error, now())
    finally:
        await settlement.ledger.flush()
        await leases.release()
        holding.cancel()
        await asyncio.gather(holding, return_exceptions=True)
    await accord.confer()
    alert = deliverer.breaker.alert(now())
    metrics.PAUSED.set(alert is not None)
    metrics.SENDING.suppressed(leases.suppressed)
    for problem in _refused_rates(deliverer):
        settlement.problem(problem)
    return _report(settlement, leases.suppressed, alert)


def _unavailable(
    deliverer: Deliverer, settlement: Settlement, error: ChannelUnavailable, now: datetime
) -> None:
    if error.permanent:
        deliverer.breaker.refused(str(error), now, for_sure=True)
        return
    settlement.problem(str(error))
    if error.too_much:
        deliverer.pace.throttled(RELAY, Throttle.RELAY, str(error), now)


def _refused_rates(deliverer: Deliverer) -> list[str]:
    """Return what to say of the servers that take nothing at this moment, because we sent too fast."""
    learned = deliverer.pace.learned.items()
    return [rate_sentence(deliverer.relay, domain, rate) for domain, rate in learned if rate.refused_at]


def _settlement(deliverer: Deliverer, leases: Leases, now: Clock, progress: Progress) -> Settlement:
    return Settlement(
        Ledger(deliverer.store, patience=deliverer.terms.lease.total_seconds()),
        leases,
        deliverer.pace,
        deliverer.breaker,
        deliverer.issue_refusals,
        deliverer.terms.resend_uncertain,
        now,
        progress,
    )


def _accord(deliverer: Deliverer, now: Clock) -> Accord:
    pace, breaker = deliverer.pace, deliverer.breaker
    patience = deliverer.terms.lease.total_seconds()
    return Accord(deliverer.shared, deliverer.relay, pace, breaker, now, patience=patience)


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


def _report(settlement: Settlement, suppressed: int, alert: str | None) -> DeliverReport:
    counts = settlement.counts
    return DeliverReport(
        sent=counts[DeliveryState.SENT],
        deferred=counts[DeliveryState.DEFERRED],
        refused=counts[DeliveryState.REFUSED],
        uncertain=counts[DeliveryState.UNCERTAIN],
        suppressed=suppressed,
        problems=((alert,) if alert else ()) + tuple(settlement.problems),
        alert=alert or "",
    )
