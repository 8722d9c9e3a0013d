"""Weights: what each trait of a story is worth in its score."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

WEIGHTS: Mapping[str, float] = MappingProxyType(
    {
        "publishers": 2.0,
        "position": 0.8,
        "source weight": 0.6,
        "length": 0.25,
        "toll": 1.2,
        "harm": 0.8,
        "affairs": 0.9,
        "scale": 0.5,
        "research": 0.3,
        "soft": -1.2,
        "series": -1.2,
        "sport": -0.6,
        "freshness": 0.4,
        "topics": 0.2,
        "followed words": 4.0,
        "update": 0.6,
    }
)
"""The traits are about 0 to 1; learned with `bench/ranking.py`, except those that depend on the reader."""
