"""Lines: deliveries in line, a line for each domain, which moves as fast as its limit allows (pure)."""

from __future__ import annotations

import heapq
from collections import deque
from itertools import count, islice
from math import inf

from service.deliver.leases import LeasedDelivery
from service.deliver.limits.rate_limit import RateLimiter


class DomainQueues:
    """One line for each domain. Its length is how many deliveries wait in all of them."""

    def __init__(self, rate_limiter: RateLimiter) -> None:
        self._pace = rate_limiter
        self._lines: dict[str, deque[LeasedDelivery]] = {}
        # Every line stands here, by the moment at which it moves on, or there, because it waits for a turn.
        self._moving: list[tuple[float, int, str]] = []
        self._stuck: dict[str, None] = {}
        self._places = count()
        self._length = 0

    def __len__(self) -> int:
        """Return how many deliveries wait."""
        return self._length

    def add(self, leased: LeasedDelivery, now: float) -> None:
        """Let a delivery stand at the end of its domain's line, a transactional one at its head."""
        self._length += 1
        domain = leased.domain
        if domain in self._lines:
            line = self._lines[domain]
            (line.appendleft if leased.delivery.transactional else line.append)(leased)
        else:
            self._lines[domain] = deque([leased])
            self._place(domain, now)

    def first(self, now: float) -> LeasedDelivery | None:
        """Return the delivery that may leave next by its domain's pace; None when none may yet."""
        while self._moving and self._moving[0][0] <= now:
            domain = self._moving[0][2]
            opens_at = self._pace.for_domain(domain).opens_at(now)
            if opens_at is not None and opens_at <= now:
                return self._lines[domain][0]
            heapq.heappop(self._moving)
            self._place(domain, now)
        return None

    def remove_first(self, now: float) -> None:
        """Let the delivery that `first` returned go."""
        _, _, domain = heapq.heappop(self._moving)
        self._pace.for_domain(domain).record_send(now)
        self._length -= 1
        line = self._lines[domain]
        line.popleft()
        if line:
            self._place(domain, now)
        else:
            del self._lines[domain]

    def opens_at(self) -> float:
        """Return when the next line moves on; never, while all of them wait for a turn."""
        return self._moving[0][0] if self._moving else inf

    def waiting_for_turn(self, limit: int) -> dict[str, int]:
        """Return domains that wait for a turn, longest waiting first, and how many stand in their lines."""
        return {domain: len(self._lines[domain]) for domain in islice(self._stuck, limit)}

    def resume(self, domain: str, now: float) -> None:
        """Let a line move on that was given its turn."""
        del self._stuck[domain]
        self._place(domain, now)

    def _place(self, domain: str, now: float) -> None:
        opens_at = self._pace.for_domain(domain).opens_at(now)
        if opens_at is None:
            self._stuck[domain] = None
        else:
            heapq.heappush(self._moving, (opens_at, next(self._places), domain))
