"""Weights: the learned parameters of `keypoints` (weights.json, written by bench/learn_keypoints.py)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from service.condense.caveat_model import PairModel
from service.condense.features import FEATURE_NAMES, FloatArray


@dataclass(frozen=True, slots=True)
class KeyPointWeights:
    """The parameters for languages with cue words, or for those without.

    `pick` weighs whether editors show a sentence, `order` how much of the news it has. `risk` is the cost, in
    points, of a claim that is expected to mislead. `min_caveat_probability` is the least one for a mark.
    """

    pick: FloatArray
    pick_bias: float
    order: FloatArray
    order_bias: float
    pair_model: PairModel | None
    risk: float
    min_caveat_probability: float


@cache
def _stored() -> Mapping[str, Any]:
    stored: Mapping[str, Any] = json.loads(
        Path(__file__).with_name("weights.json").read_text(encoding="utf-8")
    )
    return stored


@cache
def shipped_weights(*, has_cues: bool) -> KeyPointWeights:
    """Return the weights of the package, for languages with or without cue words."""
    return parse_weights(_stored(), has_cues=has_cues)


def parse_weights(stored: Mapping[str, Any], *, has_cues: bool) -> KeyPointWeights:
    """Return the weights in the content of weights.json; without cue words there is no pair model."""
    heads = stored["with cues" if has_cues else "without cues"]
    pick, order = (
        np.array([heads[head].get(name, 0.0) for name in FEATURE_NAMES]) for head in ("pick", "order")
    )
    pairs = PairModel(stored["pairs"], stored["pairs"]["bias"]) if has_cues else None
    limits = stored["choose"]
    return KeyPointWeights(
        pick,
        heads["pick"]["bias"],
        order,
        heads["order"]["bias"],
        pairs,
        limits["risk"],
        limits["mark"],
    )
