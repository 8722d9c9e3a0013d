"""The only module that reads the clock: all other code is given the time."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""Returns the current time, aware and in UTC."""


def utc_now() -> datetime:
    """Return the current time."""
    return datetime.now(UTC)


def monotonic() -> float:
    """Return seconds of a clock that is never set back, to measure durations."""
    return time.monotonic()
