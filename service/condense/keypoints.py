"""Key points: sentences chosen by a linear ranker with their caveats, and the reasons for each choice."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from service.condense.caveats import PairModel, Sides
from service.condense.choose import CANDIDATES, CORE, best_set
from service.condense.features import NAMES, Float, Reading, read
from service.condense.readable import readable
from service.condense.sentences import Sentence
from service.condense.words import speaks, words_of
from service.core.model import ContextLine, KeyPoint, Role, Summary

MOST_SENTENCES = 2_000
"""What stands behind these is not looked at: no news article is longer, but a hostile text may be."""
WORDS_PER_POINT = 30
FEWEST_WORDS = 150
FEW = 3
"""So few points have to tell the story; the room for the other side begins with the fourth."""


@dataclass(frozen=True, slots=True)
class Weights:
    """The learned part (weights.json, made by bench/learn_keypoints.py).

    `pick` tells how likely editors show a sentence, `order` how much of the story it tells. `risk` is what an
    expected misleading claim costs, in points; `mark` and `context` are the least probabilities for a caveat and for
    a context line.
    """

    pick: Float
    pick_bias: float
    order: Float
    order_bias: float
    pairs: PairModel | None
    risk: float
    mark: float
    context: float


@dataclass(frozen=True, slots=True)
class Line:
    """One sentence as `explain` shows it: its scores, what they are made of, and what it is shown as."""

    text: str
    pick: float
    order: float
    parts: tuple[tuple[str, float], ...]
    role: str
    qualifies: str = ""
    reasons: tuple[tuple[str, float], ...] = ()
    probability: float = 0.0


@dataclass(frozen=True, slots=True)
class _Draft:
    spans: Sequence[Sentence]
    reading: Reading
    pick: Float
    order: Float
    chosen: list[int]
    ties: dict[int, tuple[int, float]]
    context: dict[int, tuple[int, float]]
    sides: Sides | None


@cache
def weights_for(known: bool) -> Weights:  # noqa: FBT001 - the cache's key
    """Return the weights for languages with cue words, or those for all others."""
    stored = json.loads(Path(__file__).with_name("weights.json").read_text(encoding="utf-8"))
    return weights_from(stored, known=known)


def weights_from(stored: Mapping[str, Any], *, known: bool) -> Weights:
    """Return the weights as weights.json holds them; without cue words there is no pair model."""
    heads = stored["with cues" if known else "without cues"]
    pick, order = (np.array([heads[head].get(name, 0.0) for name in NAMES]) for head in ("pick", "order"))
    pairs = PairModel(stored["pairs"], stored["pairs"]["bias"]) if known else None
    choose = stored["choose"]
    return Weights(
        pick,
        heads["pick"]["bias"],
        order,
        heads["order"]["bias"],
        pairs,
        choose["risk"],
        choose["mark"],
        choose["context"],
    )


class KeyPoints:
    """Caveat's own method: key points that keep their caveats.

    Without a list of cue words for the language the points are ranked by what needs none, and have no caveats.
    """

    name = "keypoints"

    def __init__(self, with_cues: Weights | None = None, without_cues: Weights | None = None) -> None:
        self._given = {True: with_cues, False: without_cues}

    def summarize(self, text: str, *, title: str = "", language: str = "en", points: int = 5) -> Summary:
        """Return at most `points` key points, caveats among them, within 150 words (30 a point above five).

        First the weightiest three in the text's order, then the rest; a caveat follows the point it qualifies.
        Raises SummaryRefused for a text in which there is no sentence to show, or that is too large.
        """
        if points < 1:
            return Summary(self.name, ())
        return _summary(self.name, text, self._draft(text, title, language, points))

    def explain(self, text: str, *, title: str = "", language: str = "en", points: int = 5) -> list[Line]:
        """Return every sentence with its scores, their parts, and the reasons for each caveat; as `summarize` raises."""
        draft = self._draft(text, title, language, points)
        weights = self._weights(language)
        return [_line(text, place, draft, weights) for place in range(len(draft.spans))]

    def _weights(self, language: str) -> Weights:
        known = speaks(language)
        return self._given[known] or weights_for(known)

    def _draft(self, text: str, title: str, language: str, points: int) -> _Draft:
        spans = readable(text, language)[:MOST_SENTENCES]
        return draft_of(
            [text[start:end] for start, end in spans], spans, title, language, points, self._weights(language)
        )


def draft_of(
    sentences: Sequence[str],
    spans: Sequence[Sentence],
    title: str,
    language: str,
    points: int,
    weights: Weights,
) -> _Draft:
    """Return what would be shown of an article given as sentences, with all that explains it."""
    reading = read(sentences, title, words_of(language))
    pick = reading.table @ weights.pick + weights.pick_bias
    order = reading.table @ weights.order + weights.order_bias
    sides = Sides(reading, pick) if weights.pairs is not None else None
    sizes = np.array([end - start for start, end in spans])
    best = np.argsort(-(order if points <= FEW else pick), kind="stable")[: max(CANDIDATES, points + CORE)]
    likely, must = (
        weights.pairs.probabilities(sides, best)
        if weights.pairs is not None and sides is not None
        else (np.zeros((len(best), len(pick))),) * 2
    )
    counted = np.minimum(reading.lengths, 1 + sizes // 3)[best]
    chosen = _choose(
        _worth(pick[best], order[best], points),
        must,
        best,
        reading,
        counted,
        points,
        weights.risk / (4 if points <= FEW else 1),
    )
    ties = _ties(chosen, best, likely, weights.mark)
    context = _context(chosen, ties, best, likely, weights.context)
    return _Draft(spans, reading, pick, order, [int(best[k]) for k in chosen], ties, context, sides)


def _worth(pick: Float, order: Float, points: int) -> Float:
    """Return the probability of being an editors' point, or with three points or fewer of telling most of the story."""
    return 1 / (1 + np.exp(-(order if points <= FEW else pick)))


def _choose(
    worth: Float, must: Float, best: Any, reading: Reading, lengths: Any, points: int, risk: float
) -> list[int]:
    """Return places in `best`: the set of most worth, less the harm of claims shown without their caveat."""
    any_caveat = 1 - np.prod(1 - must, axis=1)
    kept = must[:, best] * (any_caveat / np.maximum(must.sum(axis=1), 1e-9))[:, None]
    alike = np.maximum(reading.likeness(best) - 0.5, 0)
    return best_set(
        worth - risk * any_caveat,
        risk * kept - alike,
        lengths,
        points,
        max(FEWEST_WORDS, WORDS_PER_POINT * points),
    )


def _ties(chosen: list[int], best: Any, likely: Float, least: float) -> dict[int, tuple[int, float]]:
    """Return caveat -> (its point, probability). A caveat of a caveat qualifies the point at the root."""
    pairs = sorted(
        ((float(likely[a, best[b]]), int(best[a]), int(best[b])) for a in chosen for b in chosen if a != b),
        reverse=True,
    )
    parent: dict[int, tuple[int, float]] = {}
    for chance, claim, caveat in pairs:
        if chance < least:
            break
        if caveat not in parent and _root(claim, parent) != caveat:
            parent[caveat] = claim, chance
    return {caveat: (_root(claim, parent), chance) for caveat, (claim, chance) in parent.items()}


def _root(claim: int, parent: Mapping[int, tuple[int, float]]) -> int:
    while claim in parent:
        claim = parent[claim][0]
    return claim


def _context(
    chosen: list[int], ties: Mapping[int, tuple[int, float]], best: Any, likely: Float, least: float
) -> dict[int, tuple[int, float]]:
    """Return sentence -> (point, probability): the likeliest qualifier, not shown, of a point without a caveat."""
    shown = {int(best[place]) for place in chosen}
    qualified = {claim for claim, _ in ties.values()}
    found: dict[int, tuple[int, float]] = {}
    for place in chosen:
        claim = int(best[place])
        if claim in ties or claim in qualified:
            continue
        row = likely[place].copy()
        row[list(shown)] = 0
        other = int(row.argmax())
        if row[other] >= max(least, found.get(other, (0, 0.0))[1]):
            found[other] = claim, float(row[other])
    return found


def _summary(method: str, text: str, draft: _Draft) -> Summary:
    """Return the summary: the weightiest three first, each part in the text's order, caveats after their point."""
    points = [place for place in draft.chosen if place not in draft.ties]
    core = set(draft.chosen[:CORE])
    weighty = sorted(points, key=lambda place: (place not in core, -draft.order[place]))
    caveats = {point: sorted(c for c, (claim, _) in draft.ties.items() if claim == point) for point in points}
    rank = {place: k for k, place in enumerate(_ranked(weighty, caveats))}
    key_points: list[KeyPoint] = []
    index: dict[int, int] = {}
    for point in (*sorted(weighty[:3]), *sorted(weighty[3:])):
        index[point] = len(key_points)
        key_points.append(KeyPoint.cut(text, *draft.spans[point], rank=rank[point]))
        for caveat in caveats[point]:
            span = draft.spans[caveat]
            key_points.append(KeyPoint.cut(text, *span, Role.CAVEAT, index[point], rank[caveat]))
    context = [
        ContextLine(text[slice(*draft.spans[place])], *draft.spans[place], index[claim])
        for place, (claim, _) in sorted(draft.context.items())
    ]
    return Summary(method, tuple(key_points), tuple(context))


def _ranked(weighty: Sequence[int], caveats: Mapping[int, Sequence[int]]) -> list[int]:
    """Return points and caveats, the last being the first that a shorter digest leaves out.

    Points with a caveat come first, so that a cut takes other points before it parts the two; further caveats of the
    same point come last.
    """
    first = [place for point in weighty if caveats[point] for place in (point, caveats[point][0])]
    alone = [point for point in weighty if not caveats[point]]
    return [*first, *alone, *(place for point in weighty for place in caveats[point][1:])]


def _line(text: str, place: int, draft: _Draft, weights: Weights) -> Line:
    parts = draft.reading.table[place] * weights.pick
    order = np.argsort(-np.abs(parts), kind="stable")
    named = tuple((NAMES[k], float(parts[k])) for k in order if abs(parts[k]) >= 0.005)
    claim, chance = draft.ties.get(place) or draft.context.get(place) or (None, 0.0)
    shown = "point" if place in draft.chosen else ""
    role = "caveat" if place in draft.ties else "context" if place in draft.context else shown
    cut = text[slice(*draft.spans[place])]
    scores = float(draft.pick[place]), float(draft.order[place])
    if claim is None or weights.pairs is None or draft.sides is None:
        return Line(cut, *scores, named, role)
    reasons = tuple(weights.pairs.reasons(draft.sides, claim, place))
    return Line(cut, *scores, named, role, text[slice(*draft.spans[claim])], reasons, chance)
