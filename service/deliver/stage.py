"""Deliver: due deliveries -> sent, deferred, refused or uncertain, each recorded in the ledger.

    take     a batch of due deliveries, leased under a token, without suppressed subscribers
    work     the channel sends each message; the attempt is durable before, the outcome is written after
    record   attempts and outcomes of all connections in grouped commits; unattempted deliveries go back

An attempt without an outcome (a crash) becomes `uncertain` when its lease expires. The policy settles it: it
is resent with the same Message-ID, Date and bytes, or held until the operator decides. After the third
uncertain attempt, or after three days, a delivery is held in any case.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

from service.core.errors import CaveatError, ChannelUnavailable
from service.core.model import DeliveryState, Throttle
from service.core.progress import Progress, no_progress
from service.deliver import metrics
from service.deliver.leases import Clock, DeliverPolicy, Leases
from service.deliver.ledger import Ledger
from service.deliver.limits.circuit_breaker import CircuitBreaker
from service.deliver.limits.coordination import WorkerCoordination
from service.deliver.limits.issue_refusals import IssueRefusals
from service.deliver.limits.rate_limit import ALL_DOMAINS, RateLimiter
from service.deliver.limits.rate_reports import rate_sentence
from service.deliver.outbox import LeasedOutbox
from service.deliver.ports import Channel, CoordinationStore, DeliverStore
from service.deliver.retry import resend_policy
from service.deliver.settlement import Settlement


@dataclass(frozen=True, slots=True)
class Deliverer:
    """The parts of deliver. Messages in flight have `grace_seconds` to finish when the pass is stopped.

    `rate_limiter`, `breaker` and `issue_refusals` keep state between passes: a process keeps one Deliverer.
    The workers that send by the same `relay` share that state in `coordination_store`; None: not shared.
    """

    store: DeliverStore
    channel: Channel
    policy: DeliverPolicy = field(default=DeliverPolicy())
    rate_limiter: RateLimiter = field(default_factory=RateLimiter)
    breaker: CircuitBreaker = field(default_factory=CircuitBreaker)
    issue_refusals: IssueRefusals = field(default_factory=IssueRefusals)
    grace_seconds: float = 8.0
    new_token: Callable[[], str] = field(default=lambda: secrets.token_hex(16))
    sleep: Callable[[float], Awaitable[None]] | None = None
    coordination_store: CoordinationStore | None = None
    relay: str = ""


@dataclass(frozen=True, slots=True)
class DeliverReport:
    """Deliveries of one pass by outcome. `problems` are sentences for the operator, without repetition.

    `alert` is the one of them that says why nothing is sent; it is logged where the cause was found.
    """

    sent: int = 0
    deferred: int = 0
    refused: int = 0
    uncertain: int = 0
    suppressed: int = 0
    problems: tuple[str, ...] = ()
    alert: str = ""


async def deliver(
    deliverer: Deliverer,
    *,
    now: Clock,
    stopping: asyncio.Event | None = None,
    progress: Progress = no_progress,
) -> DeliverReport:
    """Send until no delivery is due, or until `stopping` is set; `now` is the clock, called many times.

    A channel that cannot be reached, or that refuses all our mail, is a problem in the report; its deliveries
    wait. Raises StoreError when the ledger stays out of reach; no message is sent without its attempt there.
    """
    store, policy, stopping = deliverer.store, deliverer.policy, stopping or asyncio.Event()
    began = now()
    await store.settle_uncertain(began, resend_policy(began) if policy.resend_uncertain else None)
    channel = deliverer.channel
    leases = _leases(deliverer, now)
    coordination = _coordination(deliverer, now)
    settlement = _settlement(deliverer, leases, now, progress)
    outbox = LeasedOutbox(
        store,
        leases,
        settlement.ledger,
        channel.payload,
        rate_limiter=deliverer.rate_limiter,
        breaker=deliverer.breaker,
        coordination=coordination,
        settlement=settlement,
        clock=now,
        stopping=stopping,
        sleep=deliverer.sleep,
    )
    extending = asyncio.create_task(leases.keep_extending())
    try:
        await _carry(deliverer, outbox, stopping)
    except ChannelUnavailable as error:
        _record_unavailable(deliverer, settlement, error, now())
    finally:
        await settlement.ledger.flush()
        await leases.release()
        extending.cancel()
        await asyncio.gather(extending, return_exceptions=True)
    await coordination.sync()
    alert = deliverer.breaker.alert(now())
    if not channel.is_personal:
        metrics.SENDING_PAUSED.set(alert is not None)
    metrics.DELIVERY_METRICS.count_suppressed(leases.suppressed_count)
    for problem in _rate_problems(deliverer):
        settlement.add_problem(problem)
    return _report(settlement, leases.suppressed_count, alert)


async def deliver_all(
    deliverers: Sequence[Deliverer],
    *,
    now: Clock,
    stopping: asyncio.Event | None = None,
    progress: Progress = no_progress,
) -> DeliverReport:
    """Run `deliver` on several channels at once: none waits for another. Raises StoreError as it does."""
    passes = [deliver(each, now=now, stopping=stopping, progress=progress) for each in deliverers]
    done = await asyncio.gather(*passes, return_exceptions=True)
    for error in done:
        if isinstance(error, BaseException):
            raise error
    return _combined([report for report in done if isinstance(report, DeliverReport)])


def _combined(reports: Sequence[DeliverReport]) -> DeliverReport:
    return DeliverReport(
        sent=sum(report.sent for report in reports),
        deferred=sum(report.deferred for report in reports),
        refused=sum(report.refused for report in reports),
        uncertain=sum(report.uncertain for report in reports),
        suppressed=sum(report.suppressed for report in reports),
        problems=tuple(dict.fromkeys(problem for report in reports for problem in report.problems)),
        alert=next((report.alert for report in reports if report.alert), ""),
    )


def _record_unavailable(
    deliverer: Deliverer, settlement: Settlement, error: ChannelUnavailable, now: datetime
) -> None:
    if error.permanent:
        deliverer.breaker.record_refused(str(error), now, conclusive=True)
        return
    settlement.add_problem(str(error))
    if error.too_many_connections:
        deliverer.rate_limiter.record_throttled(ALL_DOMAINS, Throttle.RELAY, str(error), now)


def _rate_problems(deliverer: Deliverer) -> list[str]:
    """Return a sentence for each server that accepts nothing at this moment because we sent too fast."""
    learned = deliverer.rate_limiter.learned_rates.items()
    return [rate_sentence(deliverer.relay, domain, rate) for domain, rate in learned if rate.refused_at]


def _leases(deliverer: Deliverer, now: Clock) -> Leases:
    channel = deliverer.channel
    return Leases(
        deliverer.store,
        channel.name,
        deliverer.policy,
        now,
        deliverer.new_token,
        prepare=channel.prepare,
        is_personal=channel.is_personal,
    )


def _settlement(deliverer: Deliverer, leases: Leases, now: Clock, progress: Progress) -> Settlement:
    return Settlement(
        Ledger(deliverer.store, retry_seconds=deliverer.policy.lease.total_seconds()),
        leases,
        deliverer.rate_limiter,
        deliverer.breaker,
        deliverer.issue_refusals,
        deliverer.policy.resend_uncertain,
        now,
        progress,
    )


def _coordination(deliverer: Deliverer, now: Clock) -> WorkerCoordination:
    return WorkerCoordination(
        deliverer.coordination_store,
        deliverer.relay,
        deliverer.rate_limiter,
        deliverer.breaker,
        now,
        retry_seconds=deliverer.policy.lease.total_seconds(),
    )


async def _carry(deliverer: Deliverer, outbox: LeasedOutbox, stopping: asyncio.Event) -> None:
    """Let the channel send; after a stop, messages in flight have `grace_seconds` to finish."""
    carrying = asyncio.create_task(deliverer.channel.carry(outbox))
    stop = asyncio.create_task(stopping.wait())
    try:
        await asyncio.wait({carrying, stop}, return_when=asyncio.FIRST_COMPLETED)
        if not carrying.done():
            await asyncio.wait({carrying}, timeout=deliverer.grace_seconds)
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
