"""Condense: the quality and speed of `keypoints`: condense.py [--data DIR] [--seeds N] [--speed].

With a folder of labelled articles (see _articles.py) it prints the reach table: five folds, articles of
one event never on both sides, everything relearned for each fold, 95 % intervals by drawing events. Then it
compares the CPU time with that of sumy's LexRank in the same run, on generated articles and on those of the
folder; without a folder or with --speed, it does nothing else.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import _one_thread  # noqa: F401 - before numpy
import numpy as np
from _articles import Labelled, load
from _scores import counts_of, interval, rouge, shown_of
from learn_keypoints import learn, tables_of

from service.condense.candidates import read_candidates
from service.condense.keypoints import MAX_SENTENCES, KeyPoints
from service.condense.ports import Summarizer
from service.condense.registry import get_summarizer
from service.condense.weights import parse_weights

FOLDS = 5
TIMED_ARTICLES = 60  # of each set
SCORES = (
    "points",
    "retention",
    "harm",
    "precision",
    "precision, any claim",
    "caveats per 100",
    "words",
)
SYLLABLES = ["ba", "ko", "ri", "ten", "sul", "mar", "ve", "lin", "dor", "sha", "pe", "gu", "tor", "nim"]
PLAIN = (  # noqa: SIM905 - words read best as a line
    "the of and said that it was not but on in for with after however government talks denied plan if"
).split()


def made_up(sentences: int, seed: int) -> str:
    """Return a generated article of `sentences` sentences, with cue words and recurring names."""
    chance = random.Random(seed)
    names = ["".join(chance.choices(SYLLABLES, k=3)) for _ in range(40 + sentences // 4)]
    lines = []
    for _ in range(sentences):
        words = [
            chance.choice(PLAIN if chance.random() < 0.5 else names) for _ in range(chance.randint(8, 32))
        ]
        words[chance.randrange(len(words))] = chance.choice(names).capitalize()
        lines.append(" ".join(words).capitalize() + ".")
    return " ".join(lines)


def milliseconds(
    works: Sequence[Callable[[str], object]], texts: Sequence[str], rounds: int = 5
) -> list[float]:
    """Return the CPU milliseconds per text of each work, the minimum of `rounds` in which all take turns."""
    best = [float("inf")] * len(works)
    for _ in range(rounds):
        for place, work in enumerate(works):
            begin = time.process_time()
            for text in texts:
                work(text)
            best[place] = min(best[place], time.process_time() - begin)
    return [1000 * one / len(texts) for one in best]


def speed(sets: Mapping[str, Sequence[Labelled]]) -> None:
    """Print CPU time per article for growing generated articles and for each set, and sumy LexRank's."""
    texts = {
        f"generated, {sentences} sentences": [made_up(sentences, seed) for seed in range(articles)]
        for sentences, articles in ((10, 40), (50, 20), (200, 5), (1000, 3), (2000, 3))
    }
    texts |= {f"{name}, real": [a.text for a in articles[:TIMED_ARTICLES]] for name, articles in sets.items()}
    ours, theirs = KeyPoints().summarize, get_summarizer("lexrank").summarize
    print(
        f"{'articles':<27} {'sentences':>9} {'keypoints ms':>13} {'µs each':>8} {'LexRank':>11} {'ratio':>6}"
    )
    for name, articles in texts.items():
        count = sum(len(read_candidates(text, (), "en", MAX_SENTENCES)) for text in articles) / len(articles)
        # LexRank reads 200 sentences of an article at most.
        mine, *other = milliseconds([ours, theirs] if count <= 200 else [ours], articles)
        compared = f"{other[0]:>11.1f} {other[0] / mine:>6.1f}" if other else f"{'-':>11}"
        print(f"{name:<27} {count:>9.0f} {mine:>13.2f} {1000 * mine / count:>8.1f} {compared}", flush=True)


def crossed(sets: Mapping[str, Sequence[Labelled]], seed: int) -> dict[str, KeyPoints]:
    """Return for each article's id the method learned without the fold of its event."""
    tables = tables_of(sets)
    methods: dict[str, KeyPoints] = {}
    for fold in range(FOLDS):
        rest = {n: [t for t in held if t.article.fold(seed) != fold] for n, held in tables.items()}
        stored = learn(rest)
        method = KeyPoints(parse_weights(stored, has_cues=True), parse_weights(stored, has_cues=False))
        held = [a for articles in sets.values() for a in articles if a.fold(seed) == fold]
        methods |= dict.fromkeys((article.id for article in held), method)
    return methods


def edited(
    name: str, articles: Sequence[Labelled], method_of: Callable[[str], Summarizer], points: int
) -> None:
    """Print a method's scores on the editors' articles."""
    shown = [
        shown_of(a, method_of(a.id).summarize(a.text, title=a.title, language=a.language, points=points))
        for a in articles
    ]
    rows, groups = [counts_of(one) for one in shown], [one.article.group for one in shown]
    print(f"\n{name}, {len(articles)} articles, {points} key points")
    for score in SCORES:
        value, low, high = interval([row[score] for row in rows], groups)
        of = (
            ""
            if score.endswith(("100", "words", "points"))
            else f"  of {sum(row[score][1] for row in rows):.0f}"
        )
        print(f"  {score:<22} {value:7.3f}  [{low:.3f}, {high:.3f}]{of}")


def abstracted(articles: Sequence[Labelled], method_of: Callable[[str], Summarizer], points: int) -> str:
    """Return the ROUGE-1 gain over Lead-3 of the first three of `points` key points, as text."""
    gains = []
    for a in articles:
        lines = method_of(a.id).summarize(a.text, language=a.language, points=points).key_points
        gains.append((rouge(a, [line.text for line in lines[:3]]) - rouge(a, a.sentences[:3]), 1.0))
    value, low, high = interval(gains, [a.group for a in articles])
    return f"{value:+.2f} [{low:+.2f}, {high:+.2f}]"


def reach(sets: Mapping[str, Sequence[Labelled]], seeds: int) -> None:
    """Print the reach table."""
    for name in ("lead", "lexrank"):
        method = get_summarizer(name)
        edited(name, sets["editors"], lambda _, method=method: method, 5)  # type: ignore[misc]
    for seed in range(seeds):
        methods = crossed(sets, seed)
        for points in (5, 6):
            edited(f"keypoints, folds {seed}", sets["editors"], methods.__getitem__, points)
        print("\nROUGE-1 over Lead-3, three sentences: of three key points, and the first three of five")
        for name in ("cnn", "inshorts", "french"):
            lead = np.mean([rouge(a, a.sentences[:3]) for a in sets[name]])
            three, five = (abstracted(sets[name], methods.__getitem__, points) for points in (3, 5))
            print(f"  {name:<9} Lead-3 {lead:5.2f}   {three}   {five}", flush=True)


def main() -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, help="folder of labelled articles (not part of the project)")
    parser.add_argument("--seeds", type=int, default=1, help="number of different partitions into folds")
    parser.add_argument("--speed", action="store_true", help="only measure speed")
    given = parser.parse_args()
    sets = {} if given.data is None else load(given.data)
    if sets and not given.speed:
        reach(sets, given.seeds)
        print()
    speed(sets)
    return 0


if __name__ == "__main__":
    sys.exit(main())
