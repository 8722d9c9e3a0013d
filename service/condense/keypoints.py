"""Key points: sentences selected by a linear ranker with their caveats, and the reasons for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from typing_extensions import override

from service.condense.block_reading import Candidate
from service.condense.candidates import MAX_TITLE_CHARACTERS, key_point, read_candidates
from service.condense.caveat_model import PairFeatures
from service.condense.features import (
    FEATURE_NAMES,
    ArticleFeatures,
    BoolArray,
    FloatArray,
    IntArray,
    extract_features,
)
from service.condense.headline import MIN_TITLE_SHARE, repeats_headline
from service.condense.judge.answer import JudgeAnswer
from service.condense.judge.evidence import Evidence, JudgeWeights, read_evidence
from service.condense.judge.question import JudgeQuestion, build_question
from service.condense.ports import Summarizer
from service.condense.selection import CORE_SENTENCES, MAX_CANDIDATES, best_sentences
from service.condense.weights import KeyPointWeights, shipped_judge_weights, shipped_weights
from service.core.model import Block, Role, Summary
from service.text.lexicon import has_cue_words, lexicon_for

MAX_SENTENCES = 2_000  # read of a text; no news article is longer, a hostile text may be
WORDS_PER_POINT = 30
CHARACTERS_PER_WORD = 6  # with its space, in an introduction
MIN_WORD_BUDGET = 150  # of all key points together
MAIN_POINTS = 3  # so few points must give the main news; from the fourth on, caveats weigh in full

DAMAGE_PENALTY = 1.8
"""In log-odds, of a sentence whose quotation mark has no partner. Without it 4 % of the points of news sites
with damaged texts had such a mark; a ban on them loses one caveat in twenty that must not be dropped."""

CaveatLink = tuple[int, float]
"""The place of the point that a sentence qualifies, and the probability of it."""


@dataclass(frozen=True, slots=True)
class SentenceExplanation:
    """One sentence with its scores and its role: `point`, `caveat` or "".

    `pick` and `order` are log-odds, `parts` the contributions to `pick` by feature. `caveat` is the
    probability that it qualifies anything in the article. `qualifies` is the text of the qualified point,
    `probability` that of the relation, `reasons` the contributions to its log-odds.
    """

    text: str
    pick: float
    order: float
    caveat: float
    parts: tuple[tuple[str, float], ...]
    role: str
    qualifies: str = ""
    reasons: tuple[tuple[str, float], ...] = ()
    probability: float = 0.0


@dataclass(frozen=True, slots=True)
class CandidateFacts:
    """What limits the selection, for each candidate.

    `word_counts` has its words with its introduction. Only those `shown` are selected. Those `damaged` lack
    a quotation mark and score lower. Those `in_headline` repeat the headline, which shows them.
    """

    word_counts: IntArray
    shown: BoolArray
    damaged: BoolArray
    in_headline: BoolArray


@dataclass(frozen=True, slots=True)
class KeyPointSelection:
    """The selected sentences of an article by their place, with what explains the selection.

    `qualifies` is the probability that a sentence is a caveat of anything in the article, 0 in a language
    without cue words. `claims` are the sentences that could be chosen, best first, then `headline`, the one
    that the headline repeats. `chosen` lists points and caveats, `caveats` maps caveat -> point.
    """

    features: ArticleFeatures
    pick_scores: FloatArray
    order_scores: FloatArray
    qualifies: FloatArray
    pairs: PairFeatures | None
    claims: IntArray
    chosen: list[int]
    caveats: Mapping[int, CaveatLink]
    headline: int | None


class KeyPoints(Summarizer):
    """Caveat's own method: key points that keep their caveats.

    In a language without cue words, the points are ranked by the other features and have no caveats. Weights
    other than the package's can be given for benchmarks.
    """

    name = "keypoints"

    def __init__(
        self,
        with_cues: KeyPointWeights | None = None,
        without_cues: KeyPointWeights | None = None,
        judge: JudgeWeights | None = None,
    ) -> None:
        self._given = {True: with_cues, False: without_cues}
        self._judge = judge or shipped_judge_weights()

    @override
    def summarize(
        self,
        text: str,
        *,
        blocks: Sequence[Block] = (),
        title: str = "",
        language: str = "en",
        points: int = 5,
        answer: JudgeAnswer | None = None,
    ) -> Summary:
        """Return the key points; the `answer` of a judge to the article's `question` is evidence."""
        spans = read_candidates(text, blocks, language, MAX_SENTENCES)
        if points < 1:
            return Summary(self.name, ())
        return _summary(
            self.name, text, spans, self._select(text, spans, title, language, points, answer=answer)
        )

    def question(
        self, text: str, *, blocks: Sequence[Block] = (), title: str = "", language: str = "en"
    ) -> JudgeQuestion:
        """Return what a judge is asked about the article. Raises SummaryRefused."""
        spans = read_candidates(text, blocks, language, MAX_SENTENCES)
        selection = self._select(text, spans, title, language, CORE_SENTENCES)
        return build_question(text, title, (span[:2] for span in spans), selection.claims.tolist())

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
        spans = read_candidates(text, blocks, language, MAX_SENTENCES)
        draft = self._select(text, spans, title, language, max(points, 1))
        weights = self._weights(language)
        return [_explain_sentence(text, spans, place, draft, weights) for place in range(len(spans))]

    def _weights(self, language: str) -> KeyPointWeights:
        known = has_cue_words(language)
        return self._given[known] or shipped_weights(has_cues=known)

    def _select(
        self,
        text: str,
        spans: Sequence[Candidate],
        title: str,
        language: str,
        points: int,
        *,
        answer: JudgeAnswer | None = None,
    ) -> KeyPointSelection:
        lexicon, title = lexicon_for(language), title[:MAX_TITLE_CHARACTERS]
        sentences = [text[span.start : span.end] for span in spans]
        features = extract_features(sentences, title, lexicon)
        shown = np.array([span.shown for span in spans])
        damaged = np.array([span.damaged for span in spans])
        alike = features.table[:, FEATURE_NAMES.index("like_title")] >= MIN_TITLE_SHARE
        for place in np.flatnonzero(shown & alike):
            alike[place] = repeats_headline(sentences[place], title, lexicon)
        facts = CandidateFacts(_word_counts(features, spans), shown, damaged, shown & alike)
        evidence = read_evidence(answer, spans, self._judge)
        return select_key_points(features, facts, points, self._weights(language), evidence)


def _word_counts(features: ArticleFeatures, spans: Sequence[Candidate]) -> IntArray:
    """Return the words of each candidate with its introduction."""
    lead = [one.introduction.end - one.introduction.start if one.introduction else 0 for one in spans]
    sizes = np.array([span.end - span.start for span in spans])
    # In an unspaced script, three characters count as a word.
    words: IntArray = np.minimum(features.word_counts, 1 + sizes // 3) + np.array(lead) // CHARACTERS_PER_WORD
    return words


def select_key_points(
    features: ArticleFeatures,
    facts: CandidateFacts,
    points: int,
    weights: KeyPointWeights,
    evidence: Evidence | None = None,
) -> KeyPointSelection:
    """Return the selection for an article; the most important sentence in the headline may have caveats."""
    pick, order = weights.pick.scores(features.table), weights.order.scores(features.table)
    qualifies = _probability(weights.qualifies.scores(features.table)) if weights.qualifies else 0 * pick
    score = (order if points <= MAIN_POINTS else pick) - DAMAGE_PENALTY * facts.damaged
    if evidence is not None:
        score, qualifies = evidence.pick_scores(score), evidence.caveat_probabilities(qualifies)
    worth = _probability(score)
    if points > MAIN_POINTS:
        worth = worth + weights.caveat_worth * qualifies
    ranked = np.argsort(-worth, kind="stable")
    best = ranked[(facts.shown & ~facts.in_headline)[ranked]][: max(MAX_CANDIDATES, points + CORE_SENTENCES)]
    claims = np.concatenate([best, ranked[facts.in_headline[ranked]][:1]])
    is_caveat = is_needed = np.zeros((len(claims), len(pick)))
    pairs = None
    if weights.pair_model is not None:
        pairs = PairFeatures(features, pick)
        is_caveat, is_needed = weights.pair_model.probabilities(pairs, claims)
    if evidence is not None:
        is_caveat, is_needed = evidence.pair_probabilities(is_caveat, is_needed, claims)
    risk = weights.risk / 4 if points <= MAIN_POINTS else weights.risk
    scores, pair_scores = _candidate_scores(worth[claims], is_needed, claims, risk)
    pair_scores -= np.maximum(features.similarities(claims) - 0.5, 0)
    count = len(best)
    # What the headline says is always shown.
    scores = scores[:count] + (pair_scores + pair_scores.T)[:count, count:].sum(axis=1)
    max_words = max(MIN_WORD_BUDGET, WORDS_PER_POINT * points)
    chosen = (
        best_sentences(scores, pair_scores[:count, :count], facts.word_counts[best], points, max_words)
        if count
        else []
    )
    # A caveat is marked if it is probable and its claim misleads without it.
    certainty = np.sqrt(is_caveat * is_needed)
    qualified = [*chosen, *range(count, len(claims))]
    caveats = _link_caveats(chosen, qualified, claims, certainty, weights.min_caveat_probability)
    headline = int(claims[count]) if len(claims) > count else None
    return KeyPointSelection(
        features, pick, order, qualifies, pairs, claims, best[chosen].tolist(), caveats, headline
    )


def _probability(log_odds: FloatArray) -> FloatArray:
    probability: FloatArray = 1 / (1 + np.exp(-log_odds))
    return probability


def _candidate_scores(
    worth: FloatArray, is_needed: FloatArray, best: IntArray, risk: float
) -> tuple[FloatArray, FloatArray]:
    """Return the score of each candidate, and the additional score of each pair.

    The score is the worth of a sentence, less the risk that it misleads alone. A pair with a caveat gets that
    risk back, in proportion to the caveat's probability.
    """
    misleads = 1 - np.prod(1 - is_needed, axis=1)
    regained = is_needed[:, best] * (misleads / np.maximum(is_needed.sum(axis=1), 1e-9))[:, None]
    return worth - risk * misleads, risk * regained


def _link_caveats(
    chosen: Sequence[int], qualified: Sequence[int], claims: IntArray, certainty: FloatArray, least: float
) -> dict[int, CaveatLink]:
    """Return caveat -> point or headline. A caveat of a caveat qualifies the point of the latter.

    `qualified` are the chosen claims, and the one in the headline.
    """
    places = claims.tolist()
    table = certainty[:, claims].tolist()
    pairs = sorted(
        (
            (table[a][b], places[a], places[b])
            for a in qualified
            for b in chosen
            if a != b and table[a][b] >= least
        ),
        reverse=True,
    )
    parent: dict[int, CaveatLink] = {}
    for probability, claim, caveat in pairs:
        if caveat not in parent and _root(claim, parent) != caveat:
            parent[caveat] = claim, probability
    return {caveat: (_root(claim, parent), probability) for caveat, (claim, probability) in parent.items()}


def _root(claim: int, parent: Mapping[int, CaveatLink]) -> int:
    while claim in parent:
        claim = parent[claim][0]
    return claim


def _summary(method: str, text: str, spans: Sequence[Candidate], selection: KeyPointSelection) -> Summary:
    """Return the summary: the three main points, then the others, each group in the text's order.

    A caveat follows the point that it qualifies; the caveats of the headline come first.
    """
    core = set(selection.chosen[:CORE_SENTENCES])
    ordered = sorted(
        (place for place in selection.chosen if place not in selection.caveats),
        key=lambda place: (place not in core, -selection.order_scores[place]),
    )
    of_headline = sorted(c for c, link in selection.caveats.items() if link[0] == selection.headline)
    caveats = {
        point: sorted(c for c, link in selection.caveats.items() if link[0] == point) for point in ordered
    }
    rank = {place: k for k, place in enumerate([*of_headline, *_rank(ordered, caveats)])}
    key_points = [key_point(text, spans[one], Role.CAVEAT, rank=rank[one]) for one in of_headline]
    index: dict[int, int] = {}
    for point in (*sorted(ordered[:MAIN_POINTS]), *sorted(ordered[MAIN_POINTS:])):
        index[point] = len(key_points)
        key_points.append(key_point(text, spans[point], rank=rank[point]))
        key_points += [
            key_point(text, spans[caveat], Role.CAVEAT, index[point], rank=rank[caveat])
            for caveat in caveats[point]
        ]
    return Summary(method, tuple(key_points))


def _text_of(text: str, candidate: Candidate) -> str:
    return text[candidate.start : candidate.end]


def _rank(ordered: Sequence[int], caveats: Mapping[int, Sequence[int]]) -> list[int]:
    """Return points and caveats by rank; a shorter digest leaves out the last ones.

    Points with a caveat come first, so that a cut removes other points before it separates the two;
    additional caveats of a point come last.
    """
    first = [place for point in ordered if caveats[point] for place in (point, caveats[point][0])]
    alone = [point for point in ordered if not caveats[point]]
    return [*first, *alone, *(place for point in ordered for place in caveats[point][1:])]


def _explain_sentence(
    text: str, spans: Sequence[Candidate], place: int, selection: KeyPointSelection, weights: KeyPointWeights
) -> SentenceExplanation:
    parts = selection.features.table[place] * weights.pick.weights
    by_size = np.argsort(-np.abs(parts), kind="stable")
    named = tuple((FEATURE_NAMES[k], float(parts[k])) for k in by_size if abs(parts[k]) >= 0.005)
    shown = "point" if place in selection.chosen else ""
    role = "caveat" if place in selection.caveats else shown
    cut = _text_of(text, spans[place])
    link = selection.caveats.get(place)
    pick, order = float(selection.pick_scores[place]), float(selection.order_scores[place])
    scores = pick, order, float(selection.qualifies[place])
    if link is None or weights.pair_model is None or selection.pairs is None:
        return SentenceExplanation(cut, *scores, named, role)
    reasons = tuple(weights.pair_model.reasons(selection.pairs, link[0], place))
    return SentenceExplanation(cut, *scores, named, role, _text_of(text, spans[link[0]]), reasons, link[1])
