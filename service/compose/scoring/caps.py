"""Caps: how many of an issue's first stories may be of one publisher or one topic (pure).

A story above a cap moves behind the next ones that are not; it is never removed. A cap ends where nothing
else is left, so a newsletter of one source or one topic keeps its order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

LEAST_PUBLISHER_SHARE, LEAST_TOPIC_SHARE = 1 / 3, 1 / 2
"""The share of the first stories that a publisher or topic may have when there are many of them."""
FAIR_SHARES = 1.5  # with few of them, each may have this many times its equal share
MIN_CAP = 2  # a smaller cap would order two stories of an issue by their publishers alone


class CappedKind(NamedTuple):
    """What is counted of a story: the publisher of its first article, and its topic ("" for none)."""

    publisher: str
    topic: str


def capped_order(kinds: Sequence[CappedKind], places: int) -> list[int]:
    """Return the indices of the stories, given in the order of their scores, with the caps applied.

    The caps hold for the first `places` stories, as long as others remain; the rest stays in order.
    """
    limits = (
        cap(places, {kind.publisher for kind in kinds}, LEAST_PUBLISHER_SHARE),
        cap(places, {kind.topic for kind in kinds}, LEAST_TOPIC_SHARE),
    )
    chosen: list[int] = []
    passed: list[int] = []
    counts = (Counter[str](), Counter[str]())
    for index, kind in enumerate(kinds):
        if len(chosen) == places:
            passed.extend(range(index, len(kinds)))
            break
        values = (kind.publisher, kind.topic)
        counted = list(zip(values, counts, limits, strict=True))
        if any(value and count[value] >= limit for value, count, limit in counted):
            passed.append(index)
            continue
        chosen.append(index)
        for value, count, _ in counted:
            count[value] += 1
    return chosen + passed


def cap(places: int, values: set[str], least_share: float) -> int:
    """Return how many of the first `places` stories may have the same one of these values."""
    known = len(values - {""}) or 1
    if known == 1:
        return places
    return max(MIN_CAP, round(places * min(1.0, max(least_share, FAIR_SHARES / known))))
