"""Weights: the learned parameters of `keypoints` (weights.json, written by bench/learn_keypoints.py)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from service.condense.caveat_model import PairModel
from service.condense.features import FEATURE_NAMES, FloatArray
from service.condense.judge.evidence import JudgeWeights


class Head(NamedTuple):
    """A linear model of one sentence: a weight for each of FEATURE_NAMES, and a constant."""

    weights: FloatArray
    bias: float

    def scores(self, table: FloatArray) -> FloatArray:
        """Return the log-odds of each sentence of a table of sentences x features."""
        return table @ self.weights + self.bias


@dataclass(frozen=True, slots=True)
class KeyPointWeights:
    """The parameters for languages with cue words, or for those without.

    `pick` weighs whether editors show a sentence, `order` how much of the news it has, `qualifies` whether it
    is a caveat of anything in its article; None without cue words. `caveat_worth` is the worth, in points, of
    a sentence that is certainly a caveat, and `risk` the cost of a claim that is expected to mislead.
    """

    pick: Head
    order: Head
    qualifies: Head | None
    pair_model: PairModel | None
    risk: float
    caveat_worth: float


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


@cache
def shipped_judge_weights() -> JudgeWeights:
    """Return what the package takes a judge's answer to be worth."""
    return JudgeWeights(**_stored()["judge"])


def parse_weights(stored: Mapping[str, Any], *, has_cues: bool) -> KeyPointWeights:
    """Return the weights in the content of weights.json; without cue words nothing is known of caveats."""
    heads = stored["with cues" if has_cues else "without cues"]
    limits = stored["choose"]
    return KeyPointWeights(
        _head(heads["pick"]),
        _head(heads["order"]),
        _head(heads["qualifies"]) if has_cues else None,
        PairModel(stored["pairs"], stored["pairs"]["bias"]) if has_cues else None,
        limits["risk"],
        limits["caveat"],
    )


def _head(stored: Mapping[str, float]) -> Head:
    return Head(np.array([stored.get(name, 0.0) for name in FEATURE_NAMES]), stored["bias"])
