"""Leases: the batches that one pass of deliver has leased, and when each lease expires."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from service.core.errors import StoreError
from service.core.model import Delivery
from service.deliver.ports import DeliverStore, Prepare

Clock = Callable[[], datetime]

POLL_SECONDS = 1.0  # between two queries for due deliveries when none was due
MAX_PREPARE_SECONDS = 2  # for a batch that is being prepared when the pass ends

log = logging.getLogger("deliver")


@dataclass(frozen=True, slots=True)
class DeliverPolicy:
    """The size of a batch, the length of its lease, and whether uncertain deliveries are sent again."""

    batch_size: int = 500
    lease: timedelta = timedelta(seconds=60)
    resend_uncertain: bool = True


@dataclass(slots=True)
class LeasedDelivery:
    """A delivery with the token of its lease.

    `attempted_at` is the time of its attempt by the event loop's clock, 0 before. `probe`: it shows whether a
    server that refused for our rate accepts again. `throttled` counts such refusals of this delivery.
    """

    delivery: Delivery
    token: str
    attempted_at: float = field(default=0.0)
    probe: bool = field(default=False)
    throttled: int = field(default=0)

    @property
    def domain(self) -> str:
        """The recipient's domain."""
        return self.delivery.address.rpartition("@")[2].lower()


class Leases:
    """Leases batch after batch, each under its own token, and extends the leases while the pass runs.

    With `prepare`, the next batch is leased and prepared while one is sent.
    """

    def __init__(
        self,
        store: DeliverStore,
        channel: str,
        policy: DeliverPolicy,
        clock: Clock,
        new_token: Callable[[], str],
        *,
        prepare: Prepare | None = None,
        is_personal: bool = False,
    ) -> None:
        self._prepare, self._is_personal = prepare, is_personal
        self._next_batch: asyncio.Task[list[LeasedDelivery]] | None = None
        self._store, self._channel, self._policy = store, channel, policy
        self._clock, self._new_token = clock, new_token
        self._until: dict[str, datetime] = {}
        self._unfinished: dict[str, int] = {}
        self._lock = asyncio.Lock()
        self._nothing_due_until = 0.0
        self._next_poll_at: float | None = None
        self.queue: deque[LeasedDelivery] = deque()
        self.suppressed_count = self.leased_count = 0

    async def lease_batch(self) -> bool:
        """Add another batch to the queue; return False when nothing is due, or was due a moment ago."""
        async with self._lock:
            seconds = asyncio.get_running_loop().time()
            if self.queue or seconds < self._nothing_due_until:
                return bool(self.queue)
            next_batch, self._next_batch = self._next_batch, None
            # Deliveries that were not due when the next batch was leased may be due by now.
            leased = (await next_batch if next_batch else []) or await self._lease()
            if not leased:
                self._nothing_due_until = seconds + POLL_SECONDS
            elif self._prepare is not None:
                self._next_batch = asyncio.create_task(self._lease())
            self.queue.extend(leased)
            return bool(self.queue)

    async def lease_transactional(self) -> None:
        """Put due transactional mails at the front of the queue, because their recipients wait for them.

        Queries the database once in POLL_SECONDS.
        """
        seconds = asyncio.get_running_loop().time()
        if self._is_personal:
            return
        poll_due = self._next_poll_at is not None and seconds >= self._next_poll_at
        if self._next_poll_at is None or poll_due:
            self._next_poll_at = seconds + POLL_SECONDS
        if poll_due:
            self.queue.extendleft(reversed(await self._lease(only_transactional=True)))

    async def _lease(self, *, only_transactional: bool = False) -> list[LeasedDelivery]:
        """Lease a batch, and prepare it."""
        now, token = self._clock(), self._new_token()
        until = now + self._policy.lease
        batch = await self._store.take_batch(
            self._channel,
            token,
            now,
            until,
            self._policy.batch_size,
            only_transactional=only_transactional,
            is_personal=self._is_personal,
        )
        self.suppressed_count += batch.suppressed
        if not batch.deliveries:
            return []
        self._until[token], self._unfinished[token] = until, len(batch.deliveries)
        self.leased_count += len(batch.deliveries)
        if self._prepare is not None:
            await self._prepare(batch.deliveries)
        return [LeasedDelivery(delivery, token) for delivery in batch.deliveries]

    def holds(self, leased: LeasedDelivery, now: datetime) -> bool:
        """Return whether the lease of the delivery has not expired."""
        return now < self._until[leased.token]

    def tokens(self) -> frozenset[str]:
        """Return the tokens of the batches that hold unfinished deliveries."""
        return frozenset(self._until)

    def forget(self, leased: LeasedDelivery) -> None:
        """Forget a delivery that is settled or belongs to another lease."""
        self._unfinished[leased.token] -= 1
        if not self._unfinished[leased.token]:
            del self._unfinished[leased.token], self._until[leased.token]

    async def keep_extending(self) -> None:
        """Extend the leases until cancelled."""
        while True:
            await asyncio.sleep(self._policy.lease.total_seconds() / 3)
            await self.extend()

    async def extend(self) -> None:
        """Extend the leases that have not expired."""
        now = self._clock()
        for token in [token for token, until in self._until.items() if now < until]:
            try:
                await self._store.extend(token, now + self._policy.lease)
            except StoreError as error:
                log.warning("lease_not_extended", extra={"reason": str(error)})
            else:
                if token in self._until:
                    self._until[token] = now + self._policy.lease

    async def release(self) -> None:
        """Give back the deliveries that were not attempted."""
        if self._next_batch is not None:
            await asyncio.wait({self._next_batch}, timeout=MAX_PREPARE_SECONDS)
            self._next_batch.cancel()
            await asyncio.gather(self._next_batch, return_exceptions=True)
        for token in list(self._until):
            await self._store.release(token)
        self.queue.clear()
