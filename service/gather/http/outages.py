"""Outages: pause requests to a host that does not respond, so that its feeds do not delay the others.

Pure: the caller gives the time, in seconds of a clock of its choice.
"""

from __future__ import annotations

from collections.abc import Hashable

MAX_FAILURES = 3  # in a row: failures to connect, or to receive anything
PAUSE_SECONDS = 120.0
MAX_HOSTS = 10_000  # kept in memory


class Outages:
    """Counts the failures of each host in a row, with the time of the last one."""

    def __init__(self) -> None:
        self._failures: dict[Hashable, tuple[int, float]] = {}

    def is_paused(self, host: Hashable, now: float) -> bool:
        """Return whether no request may go to the host at this time."""
        failures, failed_at = self._failures.get(host, (0, 0.0))
        return failures >= MAX_FAILURES and now < failed_at + PAUSE_SECONDS

    def record_failure(self, host: Hashable, now: float) -> None:
        """Record that the host did not respond."""
        if len(self._failures) >= MAX_HOSTS:
            self._failures.clear()
        self._failures[host] = (self._failures.get(host, (0, 0.0))[0] + 1, now)

    def record_success(self, host: Hashable) -> None:
        """Record that the host responded, with any status."""
        self._failures.pop(host, None)
