"""Outbox: leased deliveries, handed to the lanes of a channel one by one, and what came of each."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable
from contextlib import suppress

from service.core.errors import CaveatError
from service.core.model import (
    DeliveryState,
    Issue,
    Message,
    Outcome,
)
from service.deliver.leases import POLL_SECONDS, Clock, LeasedDelivery, Leases
from service.deliver.ledger import Ledger
from service.deliver.limits.circuit_breaker import CircuitBreaker
from service.deliver.limits.coordination import WorkerCoordination
from service.deliver.limits.domain_queues import DomainQueues
from service.deliver.limits.rate_limit import RateLimiter
from service.deliver.metrics import DELIVERY_METRICS
from service.deliver.ports import DeliverStore, MessageFactory, StateChange
from service.deliver.settlement import Settlement

MAX_CACHED_ISSUES = 8
MAX_QUEUED_DELIVERIES = 1000
MAX_PROBE_WAIT_SECONDS = 60  # seconds until the next probe; where it is longer, the pass ends
MAX_SLEEP_SECONDS = 5.0  # seconds; other workers may learn something in between

log = logging.getLogger("deliver")


class LeasedOutbox:
    """The outbox as one pass of deliver sees it: batch after batch until nothing is due.

    A message is handed out when the pace allows it and the breaker lets it through. `pause` waits (seconds);
    tests give another one.
    """

    def __init__(
        self,
        store: DeliverStore,
        leases: Leases,
        ledger: Ledger,
        build_message: MessageFactory,
        *,
        rate_limiter: RateLimiter,
        breaker: CircuitBreaker,
        coordination: WorkerCoordination,
        settlement: Settlement,
        clock: Clock,
        stopping: asyncio.Event,
        sleep: Callable[[float], Awaitable[None]] | None = None,
    ) -> None:
        self._store, self._leases, self._ledger, self._make = store, leases, ledger, build_message
        self._pace, self._breaker, self._accord = rate_limiter, breaker, coordination
        # Issues that were paused, with the batches that held deliveries of theirs.
        self._paused: dict[str, frozenset[str]] = {}
        self._clock, self._stopping, self._settlement = clock, stopping, settlement
        self._pause = sleep or self._pause_or_stop
        self._in_hand: dict[str, LeasedDelivery] = {}
        # Those whose domain may not be sent to yet.
        self._lines = DomainQueues(rate_limiter)
        # What a lane gave back: made already, and the pace has been paid for.
        self._returned: deque[tuple[LeasedDelivery, Message]] = deque()
        self._issues: OrderedDict[str, Issue] = OrderedDict()
        self._moved = asyncio.Event()
        self._now = asyncio.get_running_loop().time

    # --- what a channel asks -------------------------------------------------------------------

    async def next(self) -> Message | None:
        """Return the next message, or None when nothing is due or the pass is to stop."""
        while not self._stopping.is_set():
            await self._pause_issues()
            await self._leases.lease_transactional()
            if message := self.ready():
                return message
            now = self._clock()
            if self._breaker.needs_sync(now) or self._pace.needs_sync:
                await self._accord.sync()
                if not self._breaker.is_open(self._clock()):
                    continue
            if (
                self._breaker.is_open(now)
                or self._pace.seconds_until_probe(now.timestamp()) > MAX_PROBE_WAIT_SECONDS
            ):
                return None
            first = self._first(now.timestamp())
            if (
                first is None
                and len(self._lines) < MAX_QUEUED_DELIVERIES
                and await self._leases.lease_batch()
            ):
                continue
            if first is not None and first.delivery.issue_id not in self._issues:
                await self._fetch(first)
                continue
            if first is None and not self._lines:
                if not self._in_hand:
                    return None
                await self._lull()
                continue
            in_hand = len(self._leases.queue) + len(self._lines)
            seconds = await self._accord.seconds_until_free(self._lines, in_hand, ready=first is not None)
            await self._pause(min(max(seconds, 0.001), MAX_SLEEP_SECONDS))
        return None

    def ready(self) -> Message | None:
        """Return a message that may leave at this moment, or None."""
        while not (self._stopping.is_set() or self._settlement.issues_to_pause or self._pace.needs_sync):
            now = self._clock()
            if self._returned and self._breaker.allow(now):
                taken, returned = self._returned.popleft()
                self._in_hand[returned.delivery_id] = taken
                return returned
            seconds = now.timestamp()
            first = self._first(seconds)
            if first is None or first.delivery.issue_id not in self._issues:
                return None
            if self._pace.limited and self._pace.seconds_until_free(seconds):
                return None
            if not self._breaker.allow(now):
                return None
            self._pop(seconds)
            if first.token in self._paused.get(first.delivery.issue_id, ()):
                self._breaker.record_inconclusive()
                self._leases.forget(first)
                continue
            if message := self._made(first):
                first.probe = self._pace.is_probe(first.domain)
                if self._pace.limited:
                    self._pace.record_send(seconds)
                return message
        return None

    async def attempt(self, message: Message) -> bool:
        """Make the attempt durable; False when the delivery is not ours any more or must not be sent."""
        taken = self._in_hand[message.delivery_id]
        mark = StateChange(message.delivery_id, DeliveryState.ATTEMPTING, self._clock())
        held = await self._ledger.attempt(taken.token, mark)
        if held and self._leases.holds(taken, self._clock()):
            taken.attempted_at = self._now()
            DELIVERY_METRICS.count_attempt()
            return True
        if held:
            # Somebody else may hold it by the time of the write. It was not sent, so it may be tried again.
            self._settlement.postpone(taken, "the sender was paused for longer than its lease")
        self._breaker.record_inconclusive()
        self._leases.forget(self._out_of_hand(message))
        return False

    def settle(self, message: Message, outcome: Outcome) -> None:
        """Write what came of the message."""
        self._settlement.settle(self._out_of_hand(message), outcome)

    def put_back(self, message: Message) -> None:
        """Let another lane have the message."""
        self._breaker.record_inconclusive()
        taken = self._in_hand.pop(message.delivery_id)
        if self._pace.is_probe(taken.domain) and not taken.probe:
            self._leases.queue.appendleft(taken)
        else:
            self._returned.append((taken, message))
        self._moved.set()

    # --- inside --------------------------------------------------------------------------------

    def _out_of_hand(self, message: Message) -> LeasedDelivery:
        """Take the message's delivery out of hand; whoever waits for the last one hears of it."""
        taken = self._in_hand.pop(message.delivery_id)
        if not self._in_hand:
            self._moved.set()
        return taken

    def _first(self, now: float) -> LeasedDelivery | None:
        """Return the delivery whose turn it is; None when the queue is empty, or holds paced ones alone."""
        queue = self._leases.queue
        if not self._pace.has_domain_limits:
            return queue[0] if queue else None
        while (first := self._lines.first(now)) is None and queue:
            self._lines.add(queue.popleft(), now)
        return first

    def _pop(self, now: float) -> None:
        """Take the first one out."""
        if self._pace.has_domain_limits:
            self._lines.remove_first(now)
        else:
            self._leases.queue.popleft()

    async def _pause_issues(self) -> None:
        """Pause the issues whose every message the server refuses; their deliveries wait for the operator."""
        while self._settlement.issues_to_pause:
            issue_id = self._settlement.issues_to_pause.pop()
            await self._ledger.flush()
            self._paused[issue_id] = self._leases.tokens()
            await self._store.pause(issue_id, self._clock())

    async def _lull(self) -> None:
        """Wait a moment for the other lanes: one that is kept waiting must not hold up what comes due.

        Ends when none is at work any more, when one gives a message back, or after a moment.
        """
        self._moved.clear()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._moved.wait(), POLL_SECONDS)

    async def _fetch(self, taken: LeasedDelivery) -> None:
        """Get the delivery's issue; without one the delivery is refused."""
        issue = await self._store.issue(taken.delivery.issue_id)
        if issue is not None:
            self._issues[issue.id] = issue
            if len(self._issues) > MAX_CACHED_ISSUES:
                self._issues.popitem(last=False)
        elif self._first(now := self._clock().timestamp()) is taken:
            self._pop(now)
            self._settlement.refuse_unbuildable(taken, "its issue is not in the record")

    def _made(self, taken: LeasedDelivery) -> Message | None:
        """Return the message; a delivery that cannot become one is refused and costs the others nothing."""
        try:
            message = self._make(self._issues[taken.delivery.issue_id], taken.delivery)
        except Exception as error:
            self._breaker.record_inconclusive()
            if not isinstance(error, CaveatError):
                log.exception("delivery %s cannot become a message", taken.delivery.id)
            self._settlement.refuse_unbuildable(taken, str(error) or type(error).__name__)
            return None
        self._in_hand[message.delivery_id] = taken
        return message

    async def _pause_or_stop(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)
