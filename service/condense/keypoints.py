"""Key points: sentences selected by a linear ranker with their caveats, and the reasons for each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from typing_extensions import override

from service.condense.block_reading import Candidate
from service.condense.candidates import MAX_TITLE_CHARACTERS, read_candidates
from service.condense.features import FEATURE_NAMES, ArticleFeatures, IntArray, extract_features
from service.condense.headline import MIN_TITLE_SHARE, repeats_headline
from service.condense.judge.answer import JudgeAnswer
from service.condense.judge.evidence import JudgeWeights, read_evidence
from service.condense.judge.question import JudgeQuestion, build_question
from service.condense.marking import Mark
from service.condense.ports import Summarizer
from service.condense.selection.chain import MAX_CANDIDATES
from service.condense.selection.layout import lay_out, mark_lines
from service.condense.selection.scores import CandidateFacts
from service.condense.selection.selecting import KeyPointSelection, LineSelector, ReadArticle
from service.condense.weights import KeyPointWeights, shipped_judge_weights, shipped_weights
from service.core.model import Block, Summary
from service.text.lexicon import has_cue_words, lexicon_for

MAX_SENTENCES = 2_000  # read of a text; no news article is longer, a hostile text may be
CHARACTERS_PER_WORD = 6  # with its space, in an introduction


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
        selection = self._select(text, spans, title, language, points, answer=answer)
        return Summary(self.name, lay_out(text, selection))

    def question(
        self, text: str, *, blocks: Sequence[Block] = (), title: str = "", language: str = "en"
    ) -> JudgeQuestion:
        """Return what a judge is asked about the article. Raises SummaryRefused."""
        spans = read_candidates(text, blocks, language, MAX_SENTENCES)
        selection = self._select(text, spans, title, language, 1)
        headline = [] if selection.headline is None else [selection.headline]
        ranked = [*selection.ranked[:MAX_CANDIDATES], *headline]
        return build_question(text, title, (span[:2] for span in spans), ranked)

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
        selection = self._select(text, spans, title, language, max(points, 1))
        texts = [text[span.start : span.end] for span in spans]
        weights, marks = self._weights(language), mark_lines(selection)
        return [_explained(texts, place, selection, weights, marks.get(place)) for place in range(len(texts))]

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
        article = ReadArticle(text, language, spans, features, facts)
        judged = read_evidence(answer, spans, self._judge)
        return LineSelector(article, self._weights(language), judged).select(points)


def _word_counts(features: ArticleFeatures, spans: Sequence[Candidate]) -> IntArray:
    """Return the words of each candidate with its introduction."""
    lead = [one.introduction.end - one.introduction.start if one.introduction else 0 for one in spans]
    sizes = np.array([span.end - span.start for span in spans])
    # In an unspaced script, three characters count as a word.
    words: IntArray = np.minimum(features.word_counts, 1 + sizes // 3) + np.array(lead) // CHARACTERS_PER_WORD
    return words


def _explained(
    texts: Sequence[str],
    place: int,
    selection: KeyPointSelection,
    weights: KeyPointWeights,
    mark: Mark | None,
) -> SentenceExplanation:
    scores = selection.scores
    parts = selection.features.table[place] * weights.pick.weights
    by_size = np.argsort(-np.abs(parts), kind="stable")
    named = tuple((FEATURE_NAMES[k], float(parts[k])) for k in by_size if abs(parts[k]) >= 0.005)
    is_shown = any(place in line.places for line in selection.lines)
    explained = SentenceExplanation(
        texts[place],
        float(scores.pick[place]),
        float(scores.order[place]),
        float(scores.qualifies[place]),
        named,
        "caveat" if mark else "point" if is_shown else "",
    )
    if mark is None or mark.claim is None or weights.pair_model is None or selection.pairs is None:
        return explained
    reasons = tuple(weights.pair_model.reasons(selection.pairs, mark.claim, place))
    return replace(explained, qualifies=texts[mark.claim], reasons=reasons, probability=mark.probability)
