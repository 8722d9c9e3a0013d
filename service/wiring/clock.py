"""The only clock: everything else is given the moment at which it happens."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""Tells the moment, as an aware UTC datetime."""


def utc_now() -> datetime:
    """Return this moment."""
    return datetime.now(UTC)
