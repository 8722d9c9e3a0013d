"""Key points: sentences chosen by a linear ranker with their caveats, and the reasons for each choice."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from service.condense.candidates import candidate_sentences
from service.condense.caveat_model import PairFeatures, PairModel
from service.condense.features import FEATURE_NAMES, ArticleFeatures, FloatArray, IntArray, extract_features
from service.condense.selection import CORE_SENTENCES, MAX_CANDIDATES, best_sentences
from service.core.model import ContextSentence, KeyPoint, Role, Summary
from service.text.lexicon import has_cue_words, lexicon_for
from service.text.sentences import Sentence

MAX_SENTENCES = 2_000
"""What stands behind these is not looked at: no news article is longer, but a hostile text may be."""
MAX_TITLE_CHARACTERS = 1_000
WORDS_PER_POINT = 30
MIN_WORD_BUDGET = 150
MAIN_POINTS = 3
"""So few points have to tell the story; the room for the other side begins with the fourth."""

MAX_CAVEAT_DISTANCE = 60
"""A sentence further off than this is taken for no caveat: many small chances would add up to certainty, and
a long read would be left with one point."""

CaveatLink = tuple[int, float]
"""The point that a sentence qualifies, and how probable it is that it does."""


@dataclass(frozen=True, slots=True)
class KeyPointWeights:
    """The learned part (weights.json, made by bench/learn_keypoints.py).

    `pick` tells how likely editors show a sentence, `order` how much of the story it tells. `risk` is what an
    expected misleading claim costs, in points. `mark` and `context` are the least probabilities for a caveat
    among the key points, and for one that did not fit among them.
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
    """One sentence as `explain` shows it: its scores, what they are made of, and what it is shown as.

    `role` is `point`, `caveat`, `context` or nothing; `qualifies` is the text of the point, `reasons` what
    spoke for that, in log-odds.
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
    """What would be shown of an article, with all that explains it; sentences by their place.

    `chosen` lists points and caveats, `ties` caveat -> point, `context` other sentence -> point.
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
    """Return the weights for languages with cue words (`known`), or those for all others."""
    return parse_weights(_stored(), has_cues=has_cues)


def parse_weights(stored: Mapping[str, Any], *, has_cues: bool) -> KeyPointWeights:
    """Return the weights out of what weights.json holds; without cue words there is no pair model."""
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


class KeyPoints:
    """Caveat's own method: key points that keep their caveats.

    Without cue words for the language, the points are ranked by what needs none, and have no caveats. Other
    weights than those shipped may be given, to measure with.
    """

    name = "keypoints"

    def __init__(
        self, with_cues: KeyPointWeights | None = None, without_cues: KeyPointWeights | None = None
    ) -> None:
        self._given = {True: with_cues, False: without_cues}

    def summarize(self, text: str, *, title: str = "", language: str = "en", points: int = 5) -> Summary:
        """Return at most `points` key points, caveats among them, within 150 words (30 a point above five).

        First the weightiest three in the text's order, then the rest; a caveat follows what it qualifies.
        Raises SummaryRefused for a text in which there is no sentence to show, or that is too large.
        """
        spans = candidate_sentences(text, language, MAX_SENTENCES)
        if points < 1:
            return Summary(self.name, ())
        return _summary(self.name, text, spans, self._select(text, spans, title, language, points))

    def explain(
        self, text: str, *, title: str = "", language: str = "en", points: int = 5
    ) -> list[SentenceExplanation]:
        """Return every sentence with its scores, their parts, and the reasons for each caveat.

        Raises what `summarize` raises.
        """
        spans = candidate_sentences(text, language, MAX_SENTENCES)
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
        # Where a script has no spaces, three of its signs count as a word.
        return select_key_points(
            reading, np.minimum(reading.word_counts, 1 + sizes // 3), points, self._weights(language)
        )


def select_key_points(
    features: ArticleFeatures, word_counts: IntArray, points: int, weights: KeyPointWeights
) -> KeyPointSelection:
    """Return what would be shown of an article; `lengths` are the words that each sentence costs."""
    pick = features.table @ weights.pick + weights.pick_bias
    order = features.table @ weights.order + weights.order_bias
    score = order if points <= MAIN_POINTS else pick
    best = np.argsort(-score, kind="stable")[: max(MAX_CANDIDATES, points + CORE_SENTENCES)]
    likely = must = np.zeros((len(best), len(pick)))
    sides = None
    if weights.pair_model is not None:
        sides = PairFeatures(features, pick)
        likely, must = weights.pair_model.probabilities(sides, best)
        if len(pick) > MAX_CAVEAT_DISTANCE:
            must = np.where(np.abs(np.arange(len(pick)) - best[:, None]) < MAX_CAVEAT_DISTANCE, must, 0)
    risk = weights.risk / 4 if points <= MAIN_POINTS else weights.risk
    worth, together = _candidate_scores(score[best], must, best, risk)
    together -= np.maximum(features.similarities(best) - 0.5, 0)
    budget = max(MIN_WORD_BUDGET, WORDS_PER_POINT * points)
    chosen = best_sentences(worth, together, word_counts[best], points, budget)
    # A caveat worth marking is probable, and its claim misleads without it.
    sure = np.sqrt(likely * must)
    ties = _link_caveats(chosen, best, sure, weights.min_caveat_probability)
    context = _find_context(chosen, ties, best, sure, weights.min_context_probability)
    return KeyPointSelection(
        features, pick, order, sides, [int(best[place]) for place in chosen], ties, context
    )


def _candidate_scores(
    score: FloatArray, must: FloatArray, best: IntArray, risk: float
) -> tuple[FloatArray, FloatArray]:
    """Return what each candidate is worth alone, and what each pair of them is worth more together.

    A candidate is worth its probability of being a point, less the risk that it misleads alone; that risk is
    given back where its caveats are shown too, in the share of their probability.
    """
    misleads = 1 - np.prod(1 - must, axis=1)
    kept = must[:, best] * (misleads / np.maximum(must.sum(axis=1), 1e-9))[:, None]
    return 1 / (1 + np.exp(-score)) - risk * misleads, risk * kept


def _link_caveats(
    chosen: Sequence[int], best: IntArray, sure: FloatArray, least: float
) -> dict[int, CaveatLink]:
    """Return caveat -> its point. A caveat of a caveat qualifies the point at the root."""
    pairs = sorted(
        ((float(sure[a, best[b]]), int(best[a]), int(best[b])) for a in chosen for b in chosen if a != b),
        reverse=True,
    )
    parent: dict[int, CaveatLink] = {}
    for chance, claim, caveat in pairs:
        if chance < least:
            break
        if caveat not in parent and _root(claim, parent) != caveat:
            parent[caveat] = claim, chance
    return {caveat: (_root(claim, parent), chance) for caveat, (claim, chance) in parent.items()}


def _root(claim: int, parent: Mapping[int, CaveatLink]) -> int:
    while claim in parent:
        claim = parent[claim][0]
    return claim


def _find_context(
    chosen: Sequence[int], ties: Mapping[int, CaveatLink], best: IntArray, sure: FloatArray, least: float
) -> dict[int, CaveatLink]:
    """Return the likeliest qualifier of each point without one, where it is sure enough but did not fit."""
    shown = [int(best[place]) for place in chosen]
    spoken_for = {*ties, *(claim for claim, _ in ties.values())}
    found: dict[int, CaveatLink] = {}
    for place, claim in zip(chosen, shown, strict=True):
        if claim not in spoken_for and sure[place].max() >= least:
            row = sure[place].copy()
            row[shown] = 0
            other = int(row.argmax())
            if row[other] >= max(least, found.get(other, (0, 0.0))[1]):
                found[other] = claim, float(row[other])
    return found


def _summary(method: str, text: str, spans: Sequence[Sentence], draft: KeyPointSelection) -> Summary:
    """Return the summary: the weightiest three, then the rest, each in the text's order with its caveats."""
    core = set(draft.chosen[:CORE_SENTENCES])
    weighty = sorted(
        (place for place in draft.chosen if place not in draft.caveats),
        key=lambda place: (place not in core, -draft.order_scores[place]),
    )
    caveats = {point: sorted(c for c, tie in draft.caveats.items() if tie[0] == point) for point in weighty}
    rank = {place: k for k, place in enumerate(_rank(weighty, caveats))}
    key_points: list[KeyPoint] = []
    index: dict[int, int] = {}
    for point in (*sorted(weighty[:MAIN_POINTS]), *sorted(weighty[MAIN_POINTS:])):
        index[point] = len(key_points)
        key_points.append(KeyPoint.from_source(text, *spans[point], rank=rank[point]))
        key_points += [
            KeyPoint.from_source(text, *spans[caveat], Role.CAVEAT, index[point], rank=rank[caveat])
            for caveat in caveats[point]
        ]
    context = [
        ContextSentence(text[slice(*spans[place])], *spans[place], index[claim])
        for place, (claim, _) in sorted(draft.context.items())
    ]
    return Summary(method, tuple(key_points), tuple(context))


def _rank(weighty: Sequence[int], caveats: Mapping[int, Sequence[int]]) -> list[int]:
    """Return points and caveats, the last being the first that a shorter digest leaves out.

    Points with a caveat come first, so that a cut takes other points before it parts the two; further caveats
    of the same point come last.
    """
    first = [place for point in weighty if caveats[point] for place in (point, caveats[point][0])]
    alone = [point for point in weighty if not caveats[point]]
    return [*first, *alone, *(place for point in weighty for place in caveats[point][1:])]


def _explain_sentence(
    text: str, spans: Sequence[Sentence], place: int, draft: KeyPointSelection, weights: KeyPointWeights
) -> SentenceExplanation:
    parts = draft.features.table[place] * weights.pick
    by_size = np.argsort(-np.abs(parts), kind="stable")
    named = tuple((FEATURE_NAMES[k], float(parts[k])) for k in by_size if abs(parts[k]) >= 0.005)
    shown = "point" if place in draft.chosen else ""
    role = "caveat" if place in draft.caveats else "context" if place in draft.context else shown
    cut = text[slice(*spans[place])]
    tie = draft.caveats.get(place) or draft.context.get(place)
    scores = float(draft.pick_scores[place]), float(draft.order_scores[place])
    if tie is None or weights.pair_model is None or draft.pairs is None:
        return SentenceExplanation(cut, *scores, named, role)
    reasons = tuple(weights.pair_model.reasons(draft.pairs, tie[0], place))
    return SentenceExplanation(cut, *scores, named, role, text[slice(*spans[tie[0]])], reasons, tie[1])
