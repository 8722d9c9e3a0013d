"""What the parts of bench/gather.py share: feeds, limits, the clock and the table."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

from service.core import ids as identity
from service.core.model import Feed
from service.gather.http.fetcher import FetchLimits

try:
    from uvloop import run as run_loop
except ImportError:
    from asyncio import run as run_loop

__all__ = ["LIMITS", "NOON", "a_feed", "best", "line", "run_loop"]

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
LIMITS = FetchLimits(allow_private=("127.0.0.1",), per_host=16)


def a_feed(url: str, name: str = "The Example") -> Feed:
    """Return a feed whose pages are not fetched."""
    return Feed(identity.feed_id(url), url, name, ("world",), full_text="never")


def best(work: Callable[[], object], rounds: int = 7) -> float:
    """Return the minimum CPU seconds of a call."""
    shortest = float("inf")
    for _ in range(rounds):
        begun = time.process_time()
        work()
        shortest = min(shortest, time.process_time() - begun)
    return shortest


def line(what: str, ours: str, theirs: str, ratio: float) -> None:
    """Print one row of the table."""
    print(f"{what:<58} {ours:>22} {theirs:>28} {ratio:>7.1f} x")
