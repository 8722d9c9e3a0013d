"""Scores of summaries against labels: points, retention, harm, precision, ROUGE-1, with intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from _articles import Labelled, overlap
from numpy.typing import NDArray
from rouge_score.tokenizers import DefaultTokenizer

from service.core.model import Role, Summary

DRAWS = 2000
_STEMMER = DefaultTokenizer(use_stemmer=True)


@dataclass(frozen=True, slots=True)
class Shown:
    """What a summary shows of a labelled article, as indices of its sentences; `ties` are (point, caveat)."""

    article: Labelled
    sentences: frozenset[int]
    ties: tuple[tuple[int, int], ...] = ()
    words: int = 0


def shown_of(article: Labelled, summary: Summary) -> Shown:
    """Return which labelled sentences the summary shows: those of which it covers at least half."""
    covered = [_covered(article, line.start, line.end) for line in summary.key_points]
    main = [cover[0] if cover else -1 for cover in covered]
    ties = tuple(
        (main[point.qualifies], main[place])
        for place, point in enumerate(summary.key_points)
        if point.role is Role.CAVEAT and point.qualifies is not None
    )
    words = sum(len(point.text.split()) for point in summary.key_points)
    return Shown(article, frozenset(k for cover in covered for k in cover), ties, words)


def _covered(article: Labelled, start: int, end: int) -> list[int]:
    shares = [(min(end, e) - max(start, s), e - s, k) for k, (s, e) in enumerate(article.spans)]
    return [k for common, size, k in sorted(shares, reverse=True) if common * 2 >= max(size, 1)]


def counts_of(shown: Shown) -> dict[str, tuple[float, float]]:
    """Return each score of one article as (part, whole); the score of many is the ratio of their sums."""
    article = shown.article
    must = [pair for pair in article.pairs if pair.must]
    claimed = [pair for pair in must if pair.claim in shown.sentences]
    kept = [pair for pair in claimed if shown.sentences & set(pair.caveats)]
    true = {(pair.claim, caveat) for pair in article.pairs for caveat in pair.caveats}
    any_claim = {caveat for _, caveat in true}
    return {
        "points": (len(shown.sentences & set(article.points)) / max(1, len(article.points)), 1),
        "retention": (len(kept), len(claimed)),
        "harm": (len(claimed) - len(kept), len(must)),
        "precision": (sum(tie in true for tie in shown.ties), len(shown.ties)),
        "precision, any claim": (sum(tie[1] in any_claim for tie in shown.ties), len(shown.ties)),
        "caveats per 100": (100 * len(shown.ties), 1),
        "words": (shown.words, 1),
    }


def rouge(article: Labelled, texts: Sequence[str]) -> float:
    """Return ROUGE-1 F (0 to 100) of the texts against the reference."""
    return 100 * overlap((t for text in texts for t in _STEMMER.tokenize(text)), article.reference)


def interval(
    parts: Sequence[tuple[float, float]], groups: Sequence[int], seed: int = 1
) -> tuple[float, float, float]:
    """Return a ratio of sums with its 95 % interval, drawing events (not articles) with replacement."""
    names = {group: k for k, group in enumerate(dict.fromkeys(groups))}
    table = np.zeros((len(names), 2))
    for part, group in zip(parts, groups, strict=True):
        table[names[group]] += part
    draws = np.random.default_rng(seed).multinomial(
        len(table), np.full(len(table), 1 / len(table)), size=DRAWS
    )
    sums: NDArray[np.float64] = draws @ table
    ratios = sums[:, 0] / np.maximum(sums[:, 1], 1e-9)
    low, high = np.percentile(ratios, [2.5, 97.5])
    whole = table.sum(axis=0)
    return float(whole[0] / max(whole[1], 1e-9)), float(low), float(high)
