"""Judge: what a judge's answers are worth on labelled articles: judge.py --data DIR [--answers FILE].

It scores the answers of the file (lines that `caveat judge import` takes), or simulates judges: some know
the labels with a recall and a precision, one answers at random. The weights of `keypoints` are
learned without the event of each article. `--questions FILE` writes the questions about the articles instead.
`--learn` writes what the answers are worth to weights.json; without answers, what simulated ones are worth.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import _one_thread  # noqa: F401 - before numpy
import numpy as np
from _articles import Labelled, Pair, load
from _scores import counts_of, interval, shown_of
from condense import crossed
from learn_keypoints import WEIGHTS, rounded

from service.condense.judge.answer import JudgeAnswer, read_answer
from service.condense.judge.exchange import AnswerLine, question_line, read_answer_line
from service.condense.judge.question import MAX_PAIRS, MAX_POINTS, JudgeQuestion
from service.condense.keypoints import KeyPoints
from service.core.errors import JudgeAnswerRefused
from service.core.model import TextSpan

SCORES = ("points", "retention", "harm", "caveats per 100", "precision", "precision, any claim", "words")
SIMULATED = ((0.3, 0.5), (0.5, 0.7), (0.7, 0.7), (0.9, 0.9), (1.0, 1.0))
"""Recall and precision of the simulated judges; the last one knows the labels, which is the upper bound."""
DRAWS = 4
"""Judges of each kind: the harm of one differs by .01 to .02 from that of another."""
USEFUL = 0.4
"""Of a pair flagged as only useful, the probability that the claim misleads without the caveat. Labels say
nearly 0; but then the caveat would not be tied, and readers gain by it. The chosen lines hardly change."""

Fields = dict[str, Any]
"""An answer as a judge gives it: `points` and `pairs` by number."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A labelled article, its question, and the labelled sentence of each number (-1: none)."""

    article: Labelled
    question: JudgeQuestion
    sentences: tuple[int, ...]

    def numbers(self, sentence: int) -> list[int]:
        """Return the candidates that show this labelled sentence."""
        return [number for number in self.question.candidates if self.sentences[number] == sentence]

    def true_points(self) -> list[int]:
        """Return the candidates that editors show."""
        return [number for sentence in self.article.points for number in self.numbers(sentence)]

    def true_pairs(self) -> list[tuple[int, int, Pair]]:
        """Return the labelled pairs of candidates, each claim with the best of its caveats."""
        found = []
        for pair in self.article.pairs:
            caveats = [number for sentence in pair.caveats for number in self.numbers(sentence)]
            found += [(claim, caveats[0], pair) for claim in self.numbers(pair.claim) if caveats]
        return found

    def strengths(self) -> dict[tuple[int, int], int]:
        """Return the labelled pairs with any of their caveats: 2 if the claim misleads without it, else 1."""
        return {
            (claim, caveat): 1 + pair.must
            for pair in self.article.pairs
            for claim in self.numbers(pair.claim)
            for sentence in pair.caveats
            for caveat in self.numbers(sentence)
        }


def asked(article: Labelled, method: KeyPoints) -> Asked:
    """Return the question about a labelled article."""
    question = method.question(article.text, title=article.title, language=article.language)
    return Asked(article, question, tuple(_sentence(article, span) for span in question.spans))


def _sentence(article: Labelled, span: TextSpan) -> int:
    """Return the labelled sentence that most of the span's characters are in."""
    common = [min(span.end, end) - max(span.start, start) for start, end in article.spans]
    best = int(np.argmax(common))
    return best if common[best] * 2 >= span.end - span.start else -1


def simulated(everything: Sequence[Asked], recall: float, precision: float, seed: int) -> list[Fields]:
    """Return the answers of a judge that finds each label with `recall`.

    As many wrong ones are added, over all articles, as the precision says. A wrong pair is likelier the
    nearer its two sentences are.
    """
    chance = np.random.default_rng(seed)
    answers: list[Fields] = []
    for one in everything:
        points = [number for number in one.true_points() if chance.random() < recall]
        pairs = [
            [claim, caveat, pair.kind, pair.must]
            for claim, caveat, pair in one.true_pairs()
            if chance.random() < recall
        ]
        answers.append({"points": points, "pairs": pairs})
    wrong = (1 - precision) / precision / len(answers)
    rates = [wrong * sum(len(answer[part]) for answer in answers) for part in ("points", "pairs")]
    for one, answer in zip(everything, answers, strict=True):
        _add_wrong(one, answer, chance, rates)
    return answers


def _add_wrong(one: Asked, answer: Fields, chance: np.random.Generator, rates: Sequence[float]) -> None:
    numbers, points = one.question.candidates, set(one.true_points())
    other = [number for number in numbers if number not in points]
    count = min(chance.poisson(rates[0]), len(other))
    answer["points"] += (
        [int(number) for number in chance.choice(other, count, replace=False)] if count else []
    )
    true = {(claim, caveat) for claim, caveat, _ in one.true_pairs()}
    pairs = [(a, b) for a in numbers for b in numbers if a != b and (a, b) not in true]
    count = min(chance.poisson(rates[1]), len(pairs))
    if count:
        near = np.array([1 / (1 + abs(a - b)) for a, b in pairs])
        drawn = chance.choice(len(pairs), count, replace=False, p=near / near.sum())
        answer["pairs"] += [[*pairs[k], "limited", bool(chance.random() < 0.5)] for k in drawn]


def at_random(everything: Sequence[Asked], confirmed: float, seed: int) -> list[Fields]:
    """Return valid answers that know nothing; this share of their pairs is confirmed."""
    chance = np.random.default_rng(seed)
    answers: list[Fields] = []
    for one in everything:
        numbers = one.question.candidates
        points = chance.permutation(numbers)[:MAX_POINTS].tolist()
        drawn = [chance.permutation(numbers)[:2].tolist() for _ in range(chance.integers(0, MAX_PAIRS + 1))]
        kept = [two for two in drawn if len(two) == 2 and chance.random() < confirmed]
        pairs = [[*two, "denied", bool(chance.random() < 0.5)] for two in kept]
        answers.append({"points": points, "pairs": pairs})
    return answers


def learned(answered: Sequence[tuple[Asked, JudgeAnswer]]) -> dict[str, float]:
    """Return what the answers are worth, as JudgeWeights: how often they agree with the labels.

    A choice of points counts as its log-likelihood ratio, a pair that was not flagged as its likelihood
    ratio, a flagged pair by how often such pairs are labelled. That a sentence is the claim of a flagged pair
    counts as its log odds ratio, among the chosen and the other candidates (Mantel and Haenszel).
    """
    # Label x answer, and choice x label x claim; one case of each added.
    points, pairs, claims = np.ones((2, 2)), np.ones((3, 3)), np.ones((2, 2, 2))
    for one, answer in answered:
        spans, true_points, strength = one.question.spans, set(one.true_points()), one.strengths()
        named = {(pair.claim, pair.caveat): 1 + pair.must for pair in answer.pairs}
        for a in one.question.candidates:
            label, choice = int(a in true_points), int(spans[a] in answer.points)
            points[label, choice] += 1
            claims[choice, label, int(any(spans[a] == claim for claim, _ in named))] += 1
            for b in one.question.candidates:
                if a != b:
                    pairs[strength.get((a, b), 0), named.get((spans[a], spans[b]), 0)] += 1
    rates = points / points.sum(axis=1, keepdims=True)
    passed, chosen = np.log(rates[1] / rates[0])
    unflagged = (pairs[1:, 0].sum() / pairs[1:].sum()) / (pairs[0, 0] / pairs[0].sum())
    sizes = claims.sum(axis=(1, 2))
    agreeing = (claims[:, 1, 1] * claims[:, 0, 0] / sizes).sum()
    opposing = (claims[:, 1, 0] * claims[:, 0, 1] / sizes).sum()
    weights = {
        "chosen": chosen,
        "passed": passed,
        "claimed": np.log(agreeing / opposing),
        "qualifies": pairs[1:, 1:].sum() / pairs[:, 1:].sum(),
        "needed": pairs[2, 2] / pairs[:, 2].sum(),
        "useful": USEFUL,
        "unflagged": unflagged,
    }
    return {name: rounded(float(value)) for name, value in weights.items()}


def print_agreement(answered: Sequence[tuple[Asked, JudgeAnswer]]) -> None:
    """Print how far the answers agree with the labels of what the judge could choose."""
    points, pairs = np.zeros(3), np.zeros(3)  # labelled, answered, both
    for one, answer in answered:
        spans, true_points, strength = one.question.spans, set(one.true_points()), one.strengths()
        chosen = {spans.index(span) for span in answer.points}
        points += len(true_points), len(chosen), len(true_points & chosen)
        named = {(spans.index(pair.claim), spans.index(pair.caveat)) for pair in answer.pairs}
        claims = {claim for claim, _ in strength}
        pairs += len(claims), len(named), len(named & strength.keys())
    for name, (labelled, given, both) in (("points", points), ("pairs", pairs)):
        print(f"{name}: {given:.0f} answered, {both:.0f} of them among the labels ({labelled:.0f} in all)")


@dataclass(frozen=True, slots=True)
class Bench:
    """What answers are scored with: the method for an article's id, learned without its event."""

    method_of: Callable[[str], KeyPoints]
    points: int

    def score(self, name: str, everything: Sequence[Asked], answers: Sequence[JudgeAnswer | None]) -> None:
        """Print the scores of the key points with these answers as evidence; None: without."""
        shown = []
        for one, answer in zip(everything, answers, strict=True):
            a = one.article
            summary = self.method_of(a.id).summarize(
                a.text, title=a.title, language=a.language, points=self.points, answer=answer
            )
            shown.append(shown_of(a, summary))
        rows, groups = [counts_of(one) for one in shown], [one.article.group for one in shown]
        values = [interval([row[which] for row in rows], groups) for which in SCORES]
        print(f"{name:<34}" + "".join(f" {value:9.3f}" for value, _, _ in values), flush=True)

    def simulate(self, everything: Sequence[Asked]) -> None:
        """Print the scores with simulated judges."""
        for recall, precision in SIMULATED:
            answered = drawn(everything, partial(simulated, recall=recall, precision=precision))
            self.score(f"recall {recall}, precision {precision}", *answered)
        for share in (1.0, 0.5):
            answered = drawn(everything, partial(at_random, confirmed=share))
            self.score(f"at random, {share:.0%} of pairs confirmed", *answered)


LEARNED_FROM = partial(simulated, recall=0.7, precision=0.7)


def drawn(
    everything: Sequence[Asked], judge: Callable[..., list[Fields]]
) -> tuple[list[Asked], list[JudgeAnswer | None]]:
    """Return the articles DRAWS times, with the answers of as many judges of a kind."""
    several = [*everything] * DRAWS
    fields = [answer for seed in range(DRAWS) for answer in judge(everything, seed=seed)]
    return several, read_all(several, fields)


def read_all(everything: Sequence[Asked], fields: Sequence[Fields]) -> list[JudgeAnswer | None]:
    """Return the answers, None for one that cannot be used."""
    found: list[JudgeAnswer | None] = []
    for one, answer in zip(everything, fields, strict=True):
        try:
            found.append(read_answer(answer, one.question))
        except JudgeAnswerRefused:
            found.append(None)
    return found


def answers_in(file: Path, everything: Sequence[Asked]) -> list[JudgeAnswer | None]:
    """Return the answers of a file, None for an article without a usable one; print why others are not used.

    An answer is found by the key of its question, which the candidates are a part of: questions must come
    from `--questions` of the same weights.
    """
    lines: dict[str, AnswerLine] = {}
    for number, text in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            line = read_answer_line(text)
            lines[line.key] = line
        except JudgeAnswerRefused as refused:
            print(f"{file}:{number}: {refused}")
    found: list[JudgeAnswer | None] = []
    for one in everything:
        line = lines.pop(one.question.key, None)
        try:
            found.append(line.answer(one.question) if line else None)
        except JudgeAnswerRefused as refused:
            print(f"{file}: {one.article.id}: {refused}")
            found.append(None)
    usable = sum(answer is not None for answer in found)
    print(f"{usable} articles have an answer; {len(lines)} answers have a key of no article")
    return found


def store_worth(everything: Sequence[Asked], answers: Sequence[JudgeAnswer | None]) -> None:
    """Write what the answers are worth to weights.json."""
    worth = learned([(one, answer) for one, answer in zip(everything, answers, strict=True) if answer])
    stored = json.loads(WEIGHTS.read_text(encoding="utf-8")) | {"judge": worth}
    WEIGHTS.write_text(json.dumps(stored, indent=1) + "\n", encoding="utf-8")
    print(f"{WEIGHTS}: {worth}")


def main() -> int:
    """Score answers, write questions, or learn."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, help="folder of labelled articles (not part of the project)")
    parser.add_argument("--answers", type=Path, help="file of answers, one a line")
    parser.add_argument("--questions", type=Path, help="file to write the questions to, one a line")
    parser.add_argument("--learn", action="store_true", help="write the worth of the answers to weights.json")
    parser.add_argument("--points", type=int, default=5, help="number of lines of a summary")
    parser.add_argument("--seed", type=int, default=0, help="number of the partition into folds")
    given = parser.parse_args()
    if given.data is None:
        print(
            "nothing measured: the labelled articles are not part of the project; name a folder with --data"
        )
        return 0
    sets = load(given.data)
    bench = Bench(crossed(sets, given.seed).__getitem__, given.points)
    everything = [asked(article, bench.method_of(article.id)) for article in sets["editors"]]
    if given.questions:
        lines = [json.dumps(question_line(one.question), ensure_ascii=False) + "\n" for one in everything]
        given.questions.write_text("".join(lines), encoding="utf-8")
        return 0
    answers = answers_in(given.answers, everything) if given.answers else None
    if given.learn:
        if answers is None:
            everything, answers = drawn(everything, LEARNED_FROM)
        store_worth(everything, answers)
        return 0
    print(f"{'':<34}" + "".join(f" {name.split(', ')[-1][:9]:>9}" for name in SCORES))
    if answers is None:
        bench.score("without a judge", everything, [None] * len(everything))
        bench.simulate(everything)
        return 0
    both = [(one, answer) for one, answer in zip(everything, answers, strict=True) if answer]
    bench.score("without a judge", [one for one, _ in both], [None] * len(both))
    bench.score(given.answers.name, [one for one, _ in both], [answer for _, answer in both])
    print_agreement(both)
    return 0


if __name__ == "__main__":
    sys.exit(main())
