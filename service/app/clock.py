"""The only clock: everything else is given the moment at which it happens."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""Tells the moment, as an aware UTC datetime."""


def utc_now() -> datetime:
    """Return this moment."""
    return datetime.now(UTC)


def monotonic() -> float:
    """Return seconds that only ever go forward, for measuring how long something takes."""
    return time.monotonic()
