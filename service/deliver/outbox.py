"""Outbox: gives leased deliveries to the channel one by one, as the limits permit, and takes the outcomes."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable
from contextlib import suppress

from typing_extensions import override

from service.core.errors import CaveatError
from service.core.model import DeliveryState, Issue, Message, Outcome
from service.deliver.leases import POLL_SECONDS, Clock, LeasedDelivery, Leases
from service.deliver.ledger import Ledger
from service.deliver.limits.circuit_breaker import CircuitBreaker
from service.deliver.limits.coordination import WorkerCoordination
from service.deliver.limits.domain_queues import DomainQueues
from service.deliver.limits.rate_limit import RateLimiter
from service.deliver.metrics import DELIVERY_METRICS
from service.deliver.ports import DeliverStore, MessageFactory, OnWritten, Outbox, StateChange
from service.deliver.settlement import Settlement

MAX_CACHED_ISSUES = 8
MAX_QUEUED_DELIVERIES = 1000  # in the domain queues; with more, no batch is leased
MAX_PROBE_WAIT_SECONDS = 60  # until the next probe; the pass ends where it is longer
MAX_SLEEP_SECONDS = 5.0  # then the limits are read again, which other workers may have changed

log = logging.getLogger("deliver")


class LeasedOutbox(Outbox):
    """The outbox of one pass of deliver: batch after batch until no delivery is due.

    A message is given out when the rate limits and the circuit breaker allow it. `sleep` waits (seconds);
    tests replace it.
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
        self._store, self._leases, self._ledger, self._build_message = store, leases, ledger, build_message
        self._rate_limiter, self._breaker, self._coordination = rate_limiter, breaker, coordination
        # Paused issues, each with the batches that may hold its deliveries.
        self._paused: dict[str, frozenset[str]] = {}
        self._clock, self._stopping, self._settlement = clock, stopping, settlement
        self._sleep = sleep or self._sleep_or_stop
        self._in_progress: dict[str, LeasedDelivery] = {}
        # Deliveries that wait for their domain's rate limit.
        self._domain_queues = DomainQueues(rate_limiter)
        # Put back by a connection: built already, and counted by the rate limits.
        self._put_back: deque[tuple[LeasedDelivery, Message]] = deque()
        self._issues: OrderedDict[str, Issue] = OrderedDict()
        self._changed = asyncio.Event()
        self._now = asyncio.get_running_loop().time

    # --- called by the channel -----------------------------------------------------------------

    @override
    async def next(self) -> Message | None:
        while not self._stopping.is_set():
            await self._pause_issues()
            await self._leases.lease_transactional()
            if message := self.ready():
                return message
            now = self._clock()
            if self._breaker.needs_sync(now) or self._rate_limiter.needs_sync:
                await self._coordination.sync()
                if not self._breaker.is_open(self._clock()):
                    continue
            if (
                self._breaker.is_open(now)
                or self._rate_limiter.seconds_until_probe(now.timestamp()) > MAX_PROBE_WAIT_SECONDS
            ):
                return None
            first = self._first(now.timestamp())
            if (
                first is None
                and len(self._domain_queues) < MAX_QUEUED_DELIVERIES
                and await self._leases.lease_batch()
            ):
                continue
            if first is not None and first.delivery.issue_id not in self._issues:
                await self._load_issue(first)
                continue
            if first is None and not self._domain_queues:
                if not self._in_progress:
                    return None
                await self._wait_for_change()
                continue
            waiting = len(self._leases.queue) + len(self._domain_queues)
            seconds = await self._coordination.seconds_until_free(
                self._domain_queues, waiting, ready=first is not None
            )
            await self._sleep(min(max(seconds, 0.001), MAX_SLEEP_SECONDS))
        return None

    @override
    def ready(self) -> Message | None:
        while not (
            self._stopping.is_set() or self._settlement.issues_to_pause or self._rate_limiter.needs_sync
        ):
            now = self._clock()
            if self._put_back and self._breaker.allow(now):
                leased, unsent = self._put_back.popleft()
                self._in_progress[unsent.delivery_id] = leased
                return unsent
            seconds = now.timestamp()
            first = self._first(seconds)
            if first is None or first.delivery.issue_id not in self._issues:
                return None
            if self._rate_limiter.limited and self._rate_limiter.seconds_until_free(seconds):
                return None
            if not self._breaker.allow(now):
                return None
            self._pop(seconds)
            if first.token in self._paused.get(first.delivery.issue_id, ()):
                self._breaker.record_inconclusive()
                self._leases.forget(first)
                continue
            if message := self._build(first):
                first.probe = self._rate_limiter.is_probe(first.domain)
                if self._rate_limiter.limited:
                    self._rate_limiter.record_send(seconds)
                return message
        return None

    @override
    async def attempt(self, message: Message) -> bool:
        leased = self._in_progress[message.delivery_id]
        attempt = StateChange(leased.delivery, DeliveryState.ATTEMPTING, self._clock())
        held = await self._ledger.attempt(leased.token, attempt)
        return self._may_send(leased, message, held=held)

    @override
    def attempt_then(self, message: Message, on_written: OnWritten) -> None:
        leased = self._in_progress[message.delivery_id]

        def written(held: bool | Exception) -> None:
            # A message that was settled meanwhile belongs to a sender that was stopped.
            if message.delivery_id not in self._in_progress:
                return
            on_written(held if isinstance(held, Exception) else self._may_send(leased, message, held=held))

        attempt = StateChange(leased.delivery, DeliveryState.ATTEMPTING, self._clock())
        self._ledger.attempt_then(leased.token, attempt, written)

    def _may_send(self, leased: LeasedDelivery, message: Message, *, held: bool) -> bool:
        """Return whether a message whose attempt was written (`held`) may be sent at this moment."""
        if held and self._leases.holds(leased, self._clock()):
            leased.attempted_at = self._now()
            DELIVERY_METRICS.count_attempt()
            return True
        if held:
            # Another worker may hold it by the time of the write. It was not sent, so it may be retried.
            self._settlement.postpone(leased, "the sender was paused for longer than its lease")
        self._breaker.record_inconclusive()
        self._leases.forget(self._finish(message))
        return False

    @override
    def settle(self, message: Message, outcome: Outcome) -> None:
        self._settlement.settle(self._finish(message), outcome)

    @override
    def put_back(self, message: Message) -> None:
        self._breaker.record_inconclusive()
        leased = self._in_progress.pop(message.delivery_id)
        if self._rate_limiter.is_probe(leased.domain) and not leased.probe:
            self._leases.queue.appendleft(leased)
        else:
            self._put_back.append((leased, message))
        self._changed.set()

    # --- inside --------------------------------------------------------------------------------

    def _finish(self, message: Message) -> LeasedDelivery:
        """Take the message's delivery out of progress; wake connections that wait for the last one."""
        leased = self._in_progress.pop(message.delivery_id)
        if not self._in_progress:
            self._changed.set()
        return leased

    def _first(self, now: float) -> LeasedDelivery | None:
        """Return the next delivery; None when the queue is empty, or all wait for their domains' limits."""
        queue = self._leases.queue
        if not self._rate_limiter.has_domain_limits:
            return queue[0] if queue else None
        while (first := self._domain_queues.first(now)) is None and queue:
            self._domain_queues.add(queue.popleft(), now)
        return first

    def _pop(self, now: float) -> None:
        """Remove the delivery that `_first` returned."""
        if self._rate_limiter.has_domain_limits:
            self._domain_queues.remove_first(now)
        else:
            self._leases.queue.popleft()

    async def _pause_issues(self) -> None:
        """Pause the issues that the server refuses entirely; their deliveries wait for the operator."""
        while self._settlement.issues_to_pause:
            issue_id = self._settlement.issues_to_pause.pop()
            await self._ledger.flush()
            self._paused[issue_id] = self._leases.tokens()
            await self._store.pause(issue_id, self._clock())

    async def _wait_for_change(self) -> None:
        """Wait for the other connections, but not for long: a slow one must not hold up new deliveries.

        Ends when none of them has a message, when one puts a message back, or after POLL_SECONDS.
        """
        self._changed.clear()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._changed.wait(), POLL_SECONDS)

    async def _load_issue(self, leased: LeasedDelivery) -> None:
        """Load the delivery's issue; without one the delivery is refused."""
        issue = await self._store.issue(leased.delivery.issue_id)
        if issue is not None:
            self._issues[issue.id] = issue
            if len(self._issues) > MAX_CACHED_ISSUES:
                self._issues.popitem(last=False)
        elif self._first(now := self._clock().timestamp()) is leased:
            self._pop(now)
            self._settlement.refuse_unbuildable(leased, "its issue is not in the database")

    def _build(self, leased: LeasedDelivery) -> Message | None:
        """Return the message, None when it cannot be built: then that delivery alone is refused."""
        try:
            message = self._build_message(self._issues[leased.delivery.issue_id], leased.delivery)
        except Exception as error:
            self._breaker.record_inconclusive()
            if not isinstance(error, CaveatError):
                log.exception(
                    "message_not_built", extra={"delivery": leased.delivery.id, "reason": str(error)}
                )
            self._settlement.refuse_unbuildable(leased, str(error) or type(error).__name__)
            return None
        self._in_progress[message.delivery_id] = leased
        return message

    async def _sleep_or_stop(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)
