"""Key points: sentences selected by a linear ranker with their caveats, and the reasons for each."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from typing_extensions import override

from service.condense.candidates import candidate_sentences
from service.condense.caveat_model import PairFeatures, PairModel
from service.condense.features import FEATURE_NAMES, ArticleFeatures, FloatArray, IntArray, extract_features
from service.condense.ports import Summarizer
from service.condense.selection import CORE_SENTENCES, MAX_CANDIDATES, best_sentences
from service.core.model import Block, ContextSentence, KeyPoint, Role, Summary
from service.text.lexicon import has_cue_words, lexicon_for
from service.text.sentences import Sentence

MAX_SENTENCES = 2_000  # read of a text; no news article is longer, a hostile text may be
MAX_TITLE_CHARACTERS = 1_000
WORDS_PER_POINT = 30
MIN_WORD_BUDGET = 150  # of all key points together
MAIN_POINTS = 3  # so few points must give the main news; from the fourth on, caveats weigh in full

MAX_CAVEAT_DISTANCE = 60
"""In sentences. In a long article, many small probabilities would add up to certainty and leave one point."""

CaveatLink = tuple[int, float]
"""The place of the point that a sentence qualifies, and the probability of it."""


@dataclass(frozen=True, slots=True)
class KeyPointWeights:
    """The learned parameters (weights.json, written by bench/learn_keypoints.py).

    `pick` weighs whether editors show a sentence, `order` how much of the news it has. `risk` is the cost, in
    points, of a claim that is expected to mislead. The two probabilities are the least ones for a caveat
    among the key points and for a context sentence.
    """

    pick: FloatArray
    pick_bias: float
    order: FloatArray
    order_bias: float
    pair_model: PairModel | None
    risk: float
    min_caveat_probability: float
    min_context_probability: float


@dataclass(frozen=True, slots=True)
class SentenceExplanation:
    """One sentence with its scores and its role: `point`, `caveat`, `context` or "".

    `parts` are the contributions to `pick` by feature. `qualifies` is the text of the qualified point,
    `probability` that of the relation, `reasons` the contributions to its log-odds.
    """

    text: str
    pick: float
    order: float
    parts: tuple[tuple[str, float], ...]
    role: str
    qualifies: str = ""
    reasons: tuple[tuple[str, float], ...] = ()
    probability: float = 0.0


@dataclass(frozen=True, slots=True)
class KeyPointSelection:
    """The selected sentences of an article by their place, with what explains the selection.

    `chosen` lists points and caveats, `caveats` maps caveat -> point, `context` other sentence -> point.
    """

    features: ArticleFeatures
    pick_scores: FloatArray
    order_scores: FloatArray
    pairs: PairFeatures | None
    chosen: list[int]
    caveats: Mapping[int, CaveatLink]
    context: Mapping[int, CaveatLink]


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
        limits["context"],
    )


class KeyPoints(Summarizer):
    """Caveat's own method: key points that keep their caveats.

    In a language without cue words, the points are ranked by the other features and have no caveats. Weights
    other than the package's can be given for benchmarks.
    """

    name = "keypoints"

    def __init__(
        self, with_cues: KeyPointWeights | None = None, without_cues: KeyPointWeights | None = None
    ) -> None:
        self._given = {True: with_cues, False: without_cues}

    @override
    def summarize(
        self,
        text: str,
        *,
        blocks: Sequence[Block] = (),
        title: str = "",
        language: str = "en",
        points: int = 5,
    ) -> Summary:
        spans = candidate_sentences(text, blocks, language, MAX_SENTENCES)
        if points < 1:
            return Summary(self.name, ())
        return _summary(self.name, text, spans, self._select(text, spans, title, language, points))

    def explain(
        self,
        text: str,
        *,
        blocks: Sequence[Block] = (),
        title: str = "",
        language: str = "en",
        points: int = 5,
    ) -> list[SentenceExplanation]:
        """Return every candidate sentence with its scores and reasons. Raises SummaryRefused."""
        spans = candidate_sentences(text, blocks, language, MAX_SENTENCES)
        draft = self._select(text, spans, title, language, max(points, 1))
        weights = self._weights(language)
        return [_explain_sentence(text, spans, place, draft, weights) for place in range(len(spans))]

    def _weights(self, language: str) -> KeyPointWeights:
        known = has_cue_words(language)
        return self._given[known] or shipped_weights(has_cues=known)

    def _select(
        self, text: str, spans: Sequence[Sentence], title: str, language: str, points: int
    ) -> KeyPointSelection:
        reading = extract_features(
            [text[start:end] for start, end in spans], title[:MAX_TITLE_CHARACTERS], lexicon_for(language)
        )
        sizes = np.array([end - start for start, end in spans])
        # In an unspaced script, three characters count as a word.
        return select_key_points(
            reading, np.minimum(reading.word_counts, 1 + sizes // 3), points, self._weights(language)
        )


def select_key_points(
    features: ArticleFeatures, word_counts: IntArray, points: int, weights: KeyPointWeights
) -> KeyPointSelection:
    """Return the selection for an article; `word_counts` has the length of each sentence."""
    pick = features.table @ weights.pick + weights.pick_bias
    order = features.table @ weights.order + weights.order_bias
    score = order if points <= MAIN_POINTS else pick
    best = np.argsort(-score, kind="stable")[: max(MAX_CANDIDATES, points + CORE_SENTENCES)]
    is_caveat = is_needed = np.zeros((len(best), len(pick)))
    pairs = None
    if weights.pair_model is not None:
        pairs = PairFeatures(features, pick)
        is_caveat, is_needed = weights.pair_model.probabilities(pairs, best)
        if len(pick) > MAX_CAVEAT_DISTANCE:
            is_needed = np.where(
                np.abs(np.arange(len(pick)) - best[:, None]) < MAX_CAVEAT_DISTANCE, is_needed, 0
            )
    risk = weights.risk / 4 if points <= MAIN_POINTS else weights.risk
    scores, pair_scores = _candidate_scores(score[best], is_needed, best, risk)
    pair_scores -= np.maximum(features.similarities(best) - 0.5, 0)
    max_words = max(MIN_WORD_BUDGET, WORDS_PER_POINT * points)
    chosen = best_sentences(scores, pair_scores, word_counts[best], points, max_words)
    # A caveat is marked if it is probable and its claim misleads without it.
    certainty = np.sqrt(is_caveat * is_needed)
    caveats = _link_caveats(chosen, best, certainty, weights.min_caveat_probability)
    context = _find_context(chosen, caveats, best, certainty, weights.min_context_probability)
    return KeyPointSelection(
        features, pick, order, pairs, [int(best[place]) for place in chosen], caveats, context
    )


def _candidate_scores(
    score: FloatArray, is_needed: FloatArray, best: IntArray, risk: float
) -> tuple[FloatArray, FloatArray]:
    """Return the score of each candidate, and the additional score of each pair.

    The score is the probability of being a point, less the risk that the sentence misleads alone. A pair with
    a caveat gets that risk back, in proportion to the caveat's probability.
    """
    misleads = 1 - np.prod(1 - is_needed, axis=1)
    regained = is_needed[:, best] * (misleads / np.maximum(is_needed.sum(axis=1), 1e-9))[:, None]
    return 1 / (1 + np.exp(-score)) - risk * misleads, risk * regained


def _link_caveats(
    chosen: Sequence[int], best: IntArray, certainty: FloatArray, least: float
) -> dict[int, CaveatLink]:
    """Return caveat -> point. A caveat of a caveat qualifies the point of the latter."""
    pairs = sorted(
        (
            (float(certainty[a, best[b]]), int(best[a]), int(best[b]))
            for a in chosen
            for b in chosen
            if a != b
        ),
        reverse=True,
    )
    parent: dict[int, CaveatLink] = {}
    for probability, claim, caveat in pairs:
        if probability < least:
            break
        if caveat not in parent and _root(claim, parent) != caveat:
            parent[caveat] = claim, probability
    return {caveat: (_root(claim, parent), probability) for caveat, (claim, probability) in parent.items()}


def _root(claim: int, parent: Mapping[int, CaveatLink]) -> int:
    while claim in parent:
        claim = parent[claim][0]
    return claim


def _find_context(
    chosen: Sequence[int],
    caveats: Mapping[int, CaveatLink],
    best: IntArray,
    certainty: FloatArray,
    least: float,
) -> dict[int, CaveatLink]:
    """Return the most probable caveat of each point without one, if it is probable enough but did not fit."""
    shown = [int(best[place]) for place in chosen]
    with_caveat = {*caveats, *(claim for claim, _ in caveats.values())}
    found: dict[int, CaveatLink] = {}
    for place, claim in zip(chosen, shown, strict=True):
        if claim not in with_caveat and certainty[place].max() >= least:
            row = certainty[place].copy()
            row[shown] = 0
            other = int(row.argmax())
            if row[other] >= max(least, found.get(other, (0, 0.0))[1]):
                found[other] = claim, float(row[other])
    return found


def _summary(method: str, text: str, spans: Sequence[Sentence], selection: KeyPointSelection) -> Summary:
    """Return the summary: the three main points, then the others, each group in the text's order.

    A caveat follows the point that it qualifies.
    """
    core = set(selection.chosen[:CORE_SENTENCES])
    ordered = sorted(
        (place for place in selection.chosen if place not in selection.caveats),
        key=lambda place: (place not in core, -selection.order_scores[place]),
    )
    caveats = {
        point: sorted(c for c, link in selection.caveats.items() if link[0] == point) for point in ordered
    }
    rank = {place: k for k, place in enumerate(_rank(ordered, caveats))}
    key_points: list[KeyPoint] = []
    index: dict[int, int] = {}
    for point in (*sorted(ordered[:MAIN_POINTS]), *sorted(ordered[MAIN_POINTS:])):
        index[point] = len(key_points)
        key_points.append(KeyPoint.from_source(text, *spans[point], rank=rank[point]))
        key_points += [
            KeyPoint.from_source(text, *spans[caveat], Role.CAVEAT, index[point], rank=rank[caveat])
            for caveat in caveats[point]
        ]
    context = [
        ContextSentence(text[slice(*spans[place])], *spans[place], index[claim])
        for place, (claim, _) in sorted(selection.context.items())
    ]
    return Summary(method, tuple(key_points), tuple(context))


def _rank(ordered: Sequence[int], caveats: Mapping[int, Sequence[int]]) -> list[int]:
    """Return points and caveats by rank; a shorter digest leaves out the last ones.

    Points with a caveat come first, so that a cut removes other points before it separates the two;
    additional caveats of a point come last.
    """
    first = [place for point in ordered if caveats[point] for place in (point, caveats[point][0])]
    alone = [point for point in ordered if not caveats[point]]
    return [*first, *alone, *(place for point in ordered for place in caveats[point][1:])]


def _explain_sentence(
    text: str, spans: Sequence[Sentence], place: int, selection: KeyPointSelection, weights: KeyPointWeights
) -> SentenceExplanation:
    parts = selection.features.table[place] * weights.pick
    by_size = np.argsort(-np.abs(parts), kind="stable")
    named = tuple((FEATURE_NAMES[k], float(parts[k])) for k in by_size if abs(parts[k]) >= 0.005)
    shown = "point" if place in selection.chosen else ""
    role = "caveat" if place in selection.caveats else "context" if place in selection.context else shown
    cut = text[slice(*spans[place])]
    link = selection.caveats.get(place) or selection.context.get(place)
    scores = float(selection.pick_scores[place]), float(selection.order_scores[place])
    if link is None or weights.pair_model is None or selection.pairs is None:
        return SentenceExplanation(cut, *scores, named, role)
    reasons = tuple(weights.pair_model.reasons(selection.pairs, link[0], place))
    return SentenceExplanation(cut, *scores, named, role, text[slice(*spans[link[0]])], reasons, link[1])
