"""Weights: what each trait of a story is worth in its score (pure)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType

Parts = tuple[tuple[str, float], ...]
"""The parts of a score by name, as `core.model.Score` has them."""

WEIGHTS: Mapping[str, float] = MappingProxyType(
    {
        "publishers": 1.8,
        "position": 0.45,
        "source weight": 0.6,
        "length": 0.1,
        "topic": 1.4,
        "toll": 2.0,
        "harm": 2.8,
        "affairs": 1.9,
        "acts": 1.9,
        "scale": 2.0,
        "research": 1.8,
        "soft": -2.0,
        "series": -2.3,
        "minor": -1.6,
        "sport": -0.5,
        "freshness": 0.25,
        "topics": 0.2,
        "followed words": 20.0,
        "update": 1.0,
    }
)
"""The weight of each trait; a trait is about 0 to 1. `bench/ranking.py` learns them from judged pairs.

Not learned: the source weight is the operator's, topics and followed words are the reader's. A followed word
outweighs everything else, because its stories come first.
"""

NEWS_WORDS = ("toll", "harm", "affairs", "acts", "scale", "research")
MOST_OF_NEWS_WORDS = 1.8  # together: less than eight publishers, so that no headline can shout its way up


def weighted_parts(values: Mapping[str, float]) -> Parts:
    """Return the parts of a score from the values of its traits, without those that are 0.

    What the words of a headline add is limited together: their parts are reduced in proportion.
    """
    parts = {name: WEIGHTS[name] * value for name, value in values.items() if value}
    words = sum(parts.get(name, 0.0) for name in NEWS_WORDS)
    if words > 0:
        reduced = MOST_OF_NEWS_WORDS * (1 - math.exp(-words / MOST_OF_NEWS_WORDS)) / words
        parts |= {name: parts[name] * reduced for name in NEWS_WORDS if name in parts}
    return tuple(parts.items())
