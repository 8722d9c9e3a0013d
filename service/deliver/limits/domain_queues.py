"""Domain queues: a queue of deliveries for each domain, emptied as fast as its limit allows (pure)."""

from __future__ import annotations

import heapq
from collections import deque
from itertools import count, islice
from math import inf

from service.deliver.leases import LeasedDelivery
from service.deliver.limits.rate_limit import RateLimiter


class DomainQueues:
    """One queue for each domain; the length is the number of deliveries in all of them."""

    def __init__(self, rate_limiter: RateLimiter) -> None:
        self._rate_limiter = rate_limiter
        self._queues: dict[str, deque[LeasedDelivery]] = {}
        # Each domain is either in `_ready_at`, by the time of its next message, or waits for a turn.
        self._ready_at: list[tuple[float, int, str]] = []
        self._waiting_for_turn: dict[str, None] = {}
        self._tie_breakers = count()
        self._length = 0

    def __len__(self) -> int:
        """Return the number of waiting deliveries."""
        return self._length

    def add(self, leased: LeasedDelivery, now: float) -> None:
        """Add a delivery at the end of its domain's queue, a transactional one at the front."""
        self._length += 1
        domain = leased.domain
        if domain in self._queues:
            queue = self._queues[domain]
            (queue.appendleft if leased.delivery.transactional else queue.append)(leased)
        else:
            self._queues[domain] = deque([leased])
            self._schedule(domain, now)

    def first(self, now: float) -> LeasedDelivery | None:
        """Return a delivery whose domain's limit permits it now; None when there is none."""
        while self._ready_at and self._ready_at[0][0] <= now:
            domain = self._ready_at[0][2]
            opens_at = self._rate_limiter.for_domain(domain).opens_at(now)
            if opens_at is not None and opens_at <= now:
                return self._queues[domain][0]
            heapq.heappop(self._ready_at)
            self._schedule(domain, now)
        return None

    def remove_first(self, now: float) -> None:
        """Remove the delivery that `first` returned, and count it as sent."""
        _, _, domain = heapq.heappop(self._ready_at)
        self._rate_limiter.for_domain(domain).record_send(now)
        self._length -= 1
        queue = self._queues[domain]
        queue.popleft()
        if queue:
            self._schedule(domain, now)
        else:
            del self._queues[domain]

    def opens_at(self) -> float:
        """Return when the next delivery may be sent; infinite while all domains wait for a turn."""
        return self._ready_at[0][0] if self._ready_at else inf

    def waiting_for_turn(self, limit: int) -> dict[str, int]:
        """Return up to `limit` domains that wait for a turn, longest first, with their queues' lengths."""
        return {domain: len(self._queues[domain]) for domain in islice(self._waiting_for_turn, limit)}

    def resume(self, domain: str, now: float) -> None:
        """Reconsider a domain that got its turn."""
        del self._waiting_for_turn[domain]
        self._schedule(domain, now)

    def _schedule(self, domain: str, now: float) -> None:
        opens_at = self._rate_limiter.for_domain(domain).opens_at(now)
        if opens_at is None:
            self._waiting_for_turn[domain] = None
        else:
            heapq.heappush(self._ready_at, (opens_at, next(self._tie_breakers), domain))
