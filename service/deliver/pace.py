"""Pace: how fast messages may leave, in all and to each domain (pure; the caller says what time it is).

Messages are spread evenly rather than sent in bursts: 60 a minute means one a second.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Limits:
    """At most so many messages by this process, over all its connections; 0 means no limit.

    `per_domain_minute` holds for each recipient's domain on its own, `domains` for those that it names.
    """

    per_second: float = 0
    per_minute: float = 0
    per_domain_minute: float = 0
    domains: Mapping[str, float] = field(default_factory=dict)


class Pace:
    """Gives each message the moment at which it may leave. Times are seconds of one clock."""

    def __init__(self, limits: Limits = Limits()) -> None:
        self._limits = limits
        slowest = max(_interval(limits.per_second, 1), _interval(limits.per_minute, 60))
        self._all = _Gate(slowest)
        self.limited = slowest > 0
        self._domains: dict[str, _Gate] = {}
        self.by_domain = bool(limits.per_domain_minute or limits.domains)

    def reserve(self, domain: str, now: float) -> float:
        """Return when the domain may be sent to next, and give that moment away."""
        gate = self._domains.get(domain)
        if gate is None:
            each_minute = self._limits.domains.get(domain, self._limits.per_domain_minute)
            gate = self._domains[domain] = _Gate(_interval(each_minute, 60))
        return gate.reserve(now)

    def wait(self, now: float) -> float:
        """Return for how many seconds nothing may leave."""
        return max(self._all.free_at - now, 0.0)

    def leave(self, now: float) -> None:
        """Count a message that leaves."""
        self._all.reserve(now)


class _Gate:
    def __init__(self, interval: float) -> None:
        self._interval = interval
        self.free_at = 0.0

    def reserve(self, now: float) -> float:
        at = max(self.free_at, now)
        self.free_at = at + self._interval
        return at


def _interval(messages: float, seconds: float) -> float:
    return seconds / messages if messages > 0 else 0.0
