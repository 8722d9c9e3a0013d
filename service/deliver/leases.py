"""Leases: the batches that one pass of deliver took, and for how long they are its own."""

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

POLL_SECONDS = 1.0
"""Seconds before the record is asked again when nothing was due."""

Clock = Callable[[], datetime]
MAX_PREPARE_SECONDS = 2

log = logging.getLogger("deliver")


@dataclass(frozen=True, slots=True)
class DeliverPolicy:
    """How many deliveries are taken at once, for how long, and whether uncertain ones are sent again."""

    batch_size: int = 500
    lease: timedelta = timedelta(seconds=60)
    resend_uncertain: bool = True


@dataclass(slots=True)
class LeasedDelivery:
    """A delivery in hand, the token of its batch, and when (loop time) its attempt began, 0 for not yet.

    `probe`: it leaves to see whether a server that refused for our rate accepts again. `throttled` counts
    such refusals of it.
    """

    delivery: Delivery
    token: str
    attempted_at: float = field(default=0.0)
    probe: bool = field(default=False)
    throttled: int = field(default=0)

    @property
    def domain(self) -> str:
        """The domain that the delivery goes to."""
        return self.delivery.address.rpartition("@")[2].lower()


class Leases:
    """Takes batch after batch, each under a token of its own, and prolongs them while the pass is alive.

    With `prepare`, the next batch is taken and prepared while one is sent.
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
        self._coming: asyncio.Task[list[LeasedDelivery]] | None = None
        self._store, self._channel, self._terms = store, channel, policy
        self._clock, self._new_token = clock, new_token
        self._until: dict[str, datetime] = {}
        self._unfinished: dict[str, int] = {}
        self._taking = asyncio.Lock()
        self._dry_until = 0.0
        self._next_look: float | None = None
        self.queue: deque[LeasedDelivery] = deque()
        self.suppressed_count = self.leased_count = 0

    async def lease_batch(self) -> bool:
        """Put another batch into the queue; return False when nothing is due, or was due a moment ago."""
        async with self._taking:
            seconds = asyncio.get_running_loop().time()
            if self.queue or seconds < self._dry_until:
                return bool(self.queue)
            coming, self._coming = self._coming, None
            # What was not due when the next batch was looked for may be by now.
            taken = (await coming if coming else []) or await self._batch()
            if not taken:
                self._dry_until = seconds + POLL_SECONDS
            elif self._prepare is not None:
                self._coming = asyncio.create_task(self._batch())
            self.queue.extend(taken)
            return bool(self.queue)

    async def lease_transactional(self) -> None:
        """Put the transactional mails that came due in front of the queue: their readers wait for them.

        The record is asked once in LOOK_AGAIN seconds.
        """
        seconds = asyncio.get_running_loop().time()
        if self._is_personal:
            return
        due_for_a_look = self._next_look is not None and seconds >= self._next_look
        if self._next_look is None or due_for_a_look:
            self._next_look = seconds + POLL_SECONDS
        if due_for_a_look:
            self.queue.extendleft(reversed(await self._batch(only_transactional=True)))

    async def _batch(self, *, only_transactional: bool = False) -> list[LeasedDelivery]:
        """Take a batch, and prepare it."""
        now, token = self._clock(), self._new_token()
        until = now + self._terms.lease
        batch = await self._store.take_batch(
            self._channel,
            token,
            now,
            until,
            self._terms.batch_size,
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
        """Return whether the lease that the delivery was taken under has not run out."""
        return now < self._until[leased.token]

    def tokens(self) -> frozenset[str]:
        """Return the tokens of the batches that are not finished."""
        return frozenset(self._until)

    def forget(self, leased: LeasedDelivery) -> None:
        """Forget a delivery that is settled or lost."""
        self._unfinished[leased.token] -= 1
        if not self._unfinished[leased.token]:
            del self._unfinished[leased.token], self._until[leased.token]

    async def keep_extending(self) -> None:
        """Prolong the leases for ever; cancelled when the pass is over."""
        while True:
            await asyncio.sleep(self._terms.lease.total_seconds() / 3)
            await self.extend()

    async def extend(self) -> None:
        """Prolong the leases of what is not finished, unless they ran out."""
        now = self._clock()
        for token in [token for token, until in self._until.items() if now < until]:
            try:
                await self._store.extend(token, now + self._terms.lease)
            except StoreError as error:
                log.warning("a lease could not be prolonged: %s", error)
            else:
                if token in self._until:
                    self._until[token] = now + self._terms.lease

    async def release(self) -> None:
        """Give back what was not attempted."""
        if self._coming is not None:
            await asyncio.wait({self._coming}, timeout=MAX_PREPARE_SECONDS)
            self._coming.cancel()
            await asyncio.gather(self._coming, return_exceptions=True)
        for token in list(self._until):
            await self._store.release(token)
        self.queue.clear()
