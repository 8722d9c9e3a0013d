"""Learn the weights of `keypoints` from labelled articles: learn_keypoints.py --data DIR [--out FILE].

The same data gives the same file. Everything is a logistic regression with a ridge, fitted by Newton's
method.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import _one_thread  # noqa: F401 - before numpy
import numpy as np
from _articles import Labelled, load
from numpy.typing import NDArray

from service.condense.caveat_model import NAMES_AND_LIMITS, PAIR_FEATURE_NAMES, PairFeatures
from service.condense.features import FEATURE_NAMES, SURFACE_FEATURES, extract_features
from service.text.lexicon import lexicon_for

Array = NDArray[np.float64]

PICK_MIX = {"editors": 4.0, "cnn": 1.0, "inshorts": 0.5, "french": 1.0}
ORDER_MIX = {"cnn": 1.0, "inshorts": 0.5, "french": 1.0}
"""The total weight of each set; within a set all articles weigh the same."""
RIDGE = 1e-2
QUALIFIES_RIDGE = 2e-2
PAIR_RIDGE = 3e-2
CLAIMS = 8
"""Pairs are learned for this many of an article's likeliest points: those that could be shown."""
CHOOSE = {"risk": 1.0, "caveat": 0.3}
EXPERT = {NAMES_AND_LIMITS: [3.0, 3.0], "agree met by explicit": [1.5, 1.5]}
"""Weights set by hand, where the case is plain and the labelled articles are few: a sentence that names the
claim's kind and limits it (two cases, both so tied), and an agreement with an explicit limit."""
WEIGHTS = Path(__file__).resolve().parent.parent / "service/condense/weights.json"


def logistic(table: Array, label: Array, weight: Array, ridge: float) -> tuple[Array, float]:
    """Return weights and bias of a logistic regression, in the features' own scales.

    Features are standardised and clipped at 8 for the fit; the ridge is on the mean loss.
    """
    weight = weight / weight.sum()
    mean = weight @ table
    spread = np.sqrt(weight @ (table - mean) ** 2)
    spread[spread < 1e-6] = 1
    scaled = np.hstack([np.clip((table - mean) / spread, -8, 8), np.ones((len(table), 1))])
    penalty = np.full(scaled.shape[1], ridge)
    penalty[-1] = 0
    beta = np.zeros(scaled.shape[1])
    for _ in range(40):
        chance = 1 / (1 + np.exp(-scaled @ beta))
        slope = scaled.T @ (weight * (chance - label)) + penalty * beta
        bend = (scaled * (weight * chance * (1 - chance))[:, None]).T @ scaled + np.diag(penalty + 1e-9)
        step = np.linalg.solve(bend, slope)
        beta -= step
        if np.abs(step).max() < 1e-8:
            break
    own = beta[:-1] / spread
    return own, float(beta[-1] - own @ mean)


class Table:
    """The features of one article, with and without cue words; computed once."""

    def __init__(self, article: Labelled) -> None:
        self.article = article
        self.full = extract_features(article.sentences, article.title, lexicon_for(article.language))
        self.light = extract_features(article.sentences, article.title, lexicon_for(""))
        self.label = np.zeros(len(article.sentences))
        self.label[[place for place in article.points if place < len(self.label)]] = 1
        self.qualifies = np.zeros(len(article.sentences))
        caveats = {place for pair in article.pairs for place in pair.caveats}
        self.qualifies[[place for place in caveats if place < len(self.label)]] = 1
        # Of an article that is labelled in part, the other sentences are unknown.
        named = {*caveats, *article.no_caveat, *(pair.claim for pair in article.pairs)}
        self.is_whole = bool(article.points)
        self.known = np.full(len(self.label), self.is_whole)
        self.known[[place for place in named if place < len(self.label)]] = True
        self.judged = np.full(len(self.label), self.is_whole)
        self.judged[[place for place in article.wrong if place < len(self.label)]] = True


Tables = Mapping[str, Sequence[Table]]


def tables_of(sets: Mapping[str, Sequence[Labelled]]) -> dict[str, list[Table]]:
    """Return the features of all sets."""
    return {name: [Table(article) for article in articles] for name, articles in sets.items()}


def qualifies_head(tables: Sequence[Table]) -> tuple[Array, float]:
    """Return weights and bias of the head: how likely a sentence is a caveat of anything in its article."""
    known = np.concatenate([table.known for table in tables])
    weights = [np.full(len(table.label), 1 / len(table.label)) for table in tables]
    return logistic(
        np.vstack([table.full.table for table in tables])[known],
        np.concatenate([table.qualifies for table in tables])[known],
        np.concatenate(weights)[known],
        QUALIFIES_RIDGE,
    )


def head(tables: Tables, mix: Mapping[str, float], *, light: bool) -> tuple[Array, float]:
    """Return weights and bias of one head: how likely a sentence is one of the labelled points."""
    rows, labels, weights = [], [], []
    for name, share in mix.items():
        for table in tables[name]:
            weight = share / len(tables[name]) / len(table.label)
            rows.append((table.light if light else table.full).table[table.judged])
            labels.append(table.label[table.judged])
            weights.append(np.full(int(table.judged.sum()), weight))
    return logistic(np.vstack(rows), np.concatenate(labels), np.concatenate(weights), RIDGE)


def pair_models(tables: Sequence[Table], pick: tuple[Array, float]) -> dict[str, list[float]]:
    """Return the pair model: for every feature its weight as a caveat and as a `must`, and the biases."""
    rows, labels = [], []
    for table in tables:
        worth = table.full.table @ pick[0] + pick[1]
        claims = np.sort(np.argsort(-worth, kind="stable")[:CLAIMS])
        sides = PairFeatures(table.full, worth)
        between = sides.between(claims)
        label = pair_labels(table.article, claims)
        for k, claim in enumerate(claims):
            others = table.known & (np.arange(sides.sentence_count) != claim)
            left = np.repeat(sides.claim[claim][None], sides.sentence_count, axis=0)
            rows.append(np.hstack([left, sides.caveat, between[k]])[others])
            labels.append(label[k][others])
    features, label = np.vstack(rows), np.vstack(labels)
    even = np.ones(len(features))
    fits = [logistic(features, label[:, which], even, PAIR_RIDGE) for which in (0, 1)]
    named = {name: [rounded(fit[0][k]) for fit in fits] for k, name in enumerate(PAIR_FEATURE_NAMES)}
    return {"bias": [rounded(fit[1]) for fit in fits]} | named | EXPERT


def pair_labels(article: Labelled, claims: NDArray[Any]) -> Array:
    """Return claims x sentences x (caveat, must)."""
    label = np.zeros((len(claims), len(article.sentences), 2))
    for k, claim in enumerate(claims):
        for pair in article.pairs:
            if pair.claim == claim:
                for caveat in pair.caveats:
                    if caveat < len(article.sentences):
                        label[k, caveat] = np.maximum(label[k, caveat], (1, pair.must))
    return label


def rounded(value: float) -> float:
    """Return the value with four significant digits."""
    return float(f"{value:.4g}")


def learn(tables: Tables) -> dict[str, Any]:
    """Return the content of weights.json, learned from the tables."""
    stored: dict[str, Any] = {}
    for name, light in (("with cues", False), ("without cues", True)):
        heads = {"pick": head(tables, PICK_MIX, light=light), "order": head(tables, ORDER_MIX, light=light)}
        if not light:
            heads["qualifies"] = qualifies_head(tables["editors"])
        stored[name] = {
            which: {"bias": rounded(bias)}
            | {
                n: rounded(w)
                for n, w in zip(FEATURE_NAMES, weights, strict=True)
                if not light or n in SURFACE_FEATURES
            }
            for which, (weights, bias) in heads.items()
        }
    pick = stored["with cues"]["pick"]
    stored["pairs"] = pair_models(
        tables["editors"], (np.array([pick[n] for n in FEATURE_NAMES]), pick["bias"])
    )
    stored["choose"] = dict(CHOOSE)
    return stored


def main() -> int:
    """Learn the weights, write the file, and print its size."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--data", type=Path, help="folder of labelled articles (not part of the project)")
    parser.add_argument(
        "--labels",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="file of `caveat label export`; repeatable",
    )
    parser.add_argument("--out", type=Path, default=WEIGHTS)
    given = parser.parse_args()
    if given.data is None:
        print("nothing learned: the labelled articles are not part of the project; name a folder with --data")
        return 0
    stored = learn(tables_of(load(given.data, given.labels)))
    stored["judge"] = json.loads(WEIGHTS.read_text(encoding="utf-8"))["judge"]  # of bench/judge.py
    given.out.write_text(json.dumps(stored, indent=1) + "\n", encoding="utf-8")
    print(f"{given.out}: {given.out.stat().st_size:,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
