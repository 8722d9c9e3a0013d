"""Selecting: the sentences of an article that are shown, and what explains the choice (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from service.condense.block_reading import Candidate
from service.condense.caveat_model import PairFeatures
from service.condense.features import ArticleFeatures
from service.condense.judge.evidence import Evidence
from service.condense.marking import CaveatEvidence, CaveatLink, needed_caveats
from service.condense.references import find_references
from service.condense.selection.chain import MAX_CANDIDATES, SET_SIZE, first_lines, grow_lines, order_lines
from service.condense.selection.lines import SummaryLine, find_line
from service.condense.selection.pool import MAX_REQUIRED_LINES, PoolBuilder
from service.condense.selection.scores import (
    CandidateFacts,
    SentenceScores,
    judge_pairs,
    score_claims,
    score_sentences,
)
from service.condense.weights import KeyPointWeights

MAX_CLAIMS = 16  # whose caveats are looked for, of a summary of up to six lines
MAX_CLAIMS_OF_LONG = 64  # of a longer summary
MIN_OPENING = 0.3  # of the probability of a tie, for a claim and its caveat to open the summary


@dataclass(frozen=True, slots=True)
class ReadArticle:
    """An article as the selection reads it: its text and candidates, and what is known of these."""

    text: str
    language: str
    candidates: Sequence[Candidate]
    features: ArticleFeatures
    facts: CandidateFacts


@dataclass(frozen=True, slots=True)
class KeyPointSelection:
    """The selected lines of an article in the order in which they entered, with what explains them.

    `best` are the lines of the best set, from which shorter summaries are taken.
    `ranked` are the places of the sentences that could be selected, best first. `headline` is the place of
    the sentence that the headline repeats, None without one.
    """

    features: ArticleFeatures
    scores: SentenceScores
    evidence: CaveatEvidence
    pairs: PairFeatures | None
    lines: Sequence[SummaryLine]
    best: Sequence[SummaryLine]
    ranked: Sequence[int]
    headline: int | None


class LineSelector:
    """Selects the lines of one article: `weights` are those of its language, `judged` a judge's answer."""

    def __init__(
        self, article: ReadArticle, weights: KeyPointWeights, judged: Evidence | None = None
    ) -> None:
        self._article = article
        self._weights = weights
        self._judged = judged
        self._scores = score_sentences(article.features, article.facts, weights, judged)
        self._pairs = PairFeatures(article.features, self._scores.pick) if weights.pair_model else None
        facts, ranked = article.facts, np.argsort(-self._scores.worth, kind="stable")
        self._ranked: list[int] = ranked[(facts.shown & ~facts.in_headline)[ranked]].tolist()
        repeated: list[int] = ranked[facts.in_headline[ranked]].tolist()
        self._headline = repeated[0] if repeated else None
        self._references = find_references(article.text, article.candidates, article.language)
        self._lines: dict[int, SummaryLine | None] = {}

    def select(self, points: int) -> KeyPointSelection:
        """Return the selection of at most `points` lines; the most important headline may have caveats."""
        builder, evidence, opening = self._builder(MAX_CLAIMS)
        pool = builder.build(self._ranked[:MAX_CLAIMS], MAX_CANDIDATES)
        if not pool.lines and self._ranked:  # of a text whose sentences all lean, one is better than nothing
            single = self._ranked[0]
            pool = builder.build((), 1, [SummaryLine((single,), self._article.candidates[single])])
        groups = order_lines(pool.chain, pool.indices_of(opening))
        best = [pool.lines[k] for group in groups for k in group]
        chosen = [pool.lines[k] for k in first_lines(groups, points)]
        if points > SET_SIZE and chosen:
            builder, evidence, _ = self._builder(MAX_CLAIMS_OF_LONG)
            pool = builder.build(self._ranked[:MAX_CLAIMS_OF_LONG], MAX_CLAIMS_OF_LONG, chosen)
            chosen = [pool.lines[k] for k in grow_lines(pool.chain, len(chosen), points)]
        return KeyPointSelection(
            self._article.features,
            self._scores,
            evidence,
            self._pairs,
            chosen,
            best,
            self._ranked,
            self._headline,
        )

    def _builder(self, claim_count: int) -> tuple[PoolBuilder, CaveatEvidence, list[int]]:
        """Return what builds pools of the best sentences, and their claims that surely need a caveat."""
        places = self._with_antecedents(self._ranked[:claim_count])
        evidence = self._judge(places)
        needed = self._needed(evidence)
        missing = [caveat for caveat, _ in needed.values() if caveat not in places]
        if missing:
            places = self._with_antecedents([*places, *missing])
            evidence = self._judge(places)
            needed = self._needed(evidence)
        scores = score_claims(self._scores, evidence, self._weights.risk)
        if self._headline is not None:
            scores = scores.beside_last()
        words = self._article.facts.word_counts
        sure = sorted((link[1], claim) for claim, link in needed.items() if link[1] >= MIN_OPENING)
        # What the headline says is shown above all lines: only its caveat is missing.
        opening = [needed[claim][0] if claim == self._headline else claim for _, claim in reversed(sure)]
        return PoolBuilder(self._line_of, needed, evidence.claims, scores, words), evidence, opening

    def _judge(self, places: Sequence[int]) -> CaveatEvidence:
        headline = [] if self._headline is None else [self._headline]
        claims = np.array([*places, *headline], dtype=np.int64)
        features = self._article.features
        return judge_pairs(
            features, self._scores, claims, self._weights, judged=self._judged, pairs=self._pairs
        )

    def _needed(self, evidence: CaveatEvidence) -> dict[int, CaveatLink]:
        """Return the caveat without which each claim is not shown; one that cannot be shown is not needed.

        A caveat that leans on something, but on no person, leans on its claim, and is shown below it.
        """
        found = needed_caveats(evidence, self._headline)
        for claim, (caveat, _) in sorted(found.items(), key=lambda one: -one[1][1]):
            line = self._line_of(caveat)
            leans = line is None or line.must_follow or len(line.places) > 1
            if leans and self._can_stand_below(claim, caveat):
                candidate, alone = self._article.candidates[caveat], not self._needs_antecedent(caveat)
                above = -1 if claim == self._headline else claim
                self._lines[caveat] = SummaryLine((caveat,), candidate, above, may_stand_alone=alone)
        return {claim: link for claim, link in found.items() if self._line_of(link[0]) is not None}

    def _can_stand_below(self, claim: int, caveat: int) -> bool:
        """Return whether a caveat that leans is clear below a claim, or below the headline."""
        facts = self._article.facts
        may_stand = (facts.shown & ~facts.in_headline)[[claim, caveat]]
        is_clear = claim == caveat - 1 or not self._needs_antecedent(caveat)
        return (
            is_clear and bool(may_stand[1]) and (claim == self._headline or (may_stand[0] and claim < caveat))
        )

    def _needs_antecedent(self, place: int) -> bool:
        reference = self._references[place]
        return reference is not None and reference.needs_antecedent

    def _with_antecedents(self, places: Sequence[int]) -> list[int]:
        """Return the places with those that their lines lean on, in order and once each."""
        found = dict.fromkeys(places)
        left = list(places)
        for _ in range(MAX_REQUIRED_LINES):
            lines = [line for line in map(self._line_of, left) if line is not None]
            leant_on = [place for line in lines for place in line.leans_on()]
            left = [place for place in leant_on if place not in found]
            found |= dict.fromkeys(left)
        return list(found)

    def _line_of(self, place: int) -> SummaryLine | None:
        if place not in self._lines:
            article = self._article
            self._lines[place] = find_line(
                article.text, article.candidates, self._references, article.facts, place
            )
        return self._lines[place]
