"""Rate limit of the API: a budget of requests a minute for each token, in this process (pure)."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import datetime, timedelta

WINDOW = timedelta(minutes=1)
REQUESTS = 600  # a minute and token; an expensive operation counts as several
MAX_WINDOWS = 10_000  # kept in memory; those whose requests are longest ago are forgotten first


@dataclass(frozen=True, slots=True)
class RateState:
    """The budget after a request: its `limit`, what is `left`, and the `seconds` until it is renewed."""

    limit: int
    left: int
    seconds: int
    allowed: bool

    def headers(self) -> dict[str, str]:
        """Return the headers RateLimit and RateLimit-Policy (draft-ietf-httpapi-ratelimit-headers)."""
        window = int(WINDOW.total_seconds())
        found = {
            "RateLimit-Policy": f'"default";q={self.limit};w={window}',
            "RateLimit": f'"default";r={self.left};t={self.seconds}',
        }
        return found if self.allowed else {**found, "Retry-After": str(self.seconds)}


@dataclass(slots=True)
class RequestBudgets:
    """The budgets of all tokens, in windows of a minute."""

    limit: int = REQUESTS
    _windows: dict[str, tuple[datetime, int]] = field(default_factory=dict)

    def spend(self, key: str, now: datetime, cost: int = 1) -> RateState:
        """Count a request, unless the budget is spent; `key` is the id of the token."""
        began, spent = self._windows.get(key, (now, 0))
        if not began <= now < began + WINDOW:
            began, spent = now, 0
        allowed = spent + cost <= self.limit
        if allowed:
            spent += cost
            self._windows.pop(key, None)
            while len(self._windows) >= MAX_WINDOWS:
                del self._windows[next(iter(self._windows))]
            self._windows[key] = (began, spent)
        seconds = max(1, math.ceil((began + WINDOW - now).total_seconds()))
        return RateState(self.limit, self.limit - spent, seconds, allowed)
