"""Outages: a host that does not answer is left alone for a while; its many feeds must not hold up the rest.

Pure: the moments are those of whatever clock the caller reads.
"""

from __future__ import annotations

from collections.abc import Hashable

MAX_FAILURES = 3
PAUSE_SECONDS = 120.0
"""Seconds for which nobody asks, after so many failures to connect or to hear anything in a row."""
MAX_HOSTS = 10_000


class Outages:
    """Remembers which hosts failed to answer, and since when they rest."""

    def __init__(self) -> None:
        self._strikes: dict[Hashable, tuple[int, float]] = {}

    def is_paused(self, host: Hashable, now: float) -> bool:
        """Tell whether the host is not to be asked at this moment."""
        strikes, since = self._strikes.get(host, (0, 0.0))
        return strikes >= MAX_FAILURES and now < since + PAUSE_SECONDS

    def record_failure(self, host: Hashable, now: float) -> None:
        """Note that the host gave no answer at all."""
        if len(self._strikes) >= MAX_HOSTS:
            self._strikes.clear()
        self._strikes[host] = (self._strikes.get(host, (0, 0.0))[0] + 1, now)

    def record_success(self, host: Hashable) -> None:
        """Note that the host answered, whatever it said."""
        self._strikes.pop(host, None)
