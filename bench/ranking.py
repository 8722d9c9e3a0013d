"""Ranking: how often the order of stories agrees with an editor's, and what it costs.

quality  pairwise accuracy with 95 % intervals (bootstrap by day) on days that no weight was learned on,
         compared with the order by age, by publishers and by place in the feed; each part left out; the
         agreement of the two judgements. The days are invented (tests/compose/news_days.tsv)
learned  weights learned on the other days, cross-validated by day, to compare with
         those in service/compose/scoring/weights.py
speed    milliseconds for one edition's order of 2,000 stories, the first time and with the cache

python3 dev.py bench ranking [--stories 2000] [--editions 50]
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from service.compose.ranking import Ranker
from service.compose.scoring.weights import WEIGHTS
from service.compose.stories.updates import StoryUpdate
from service.core.model import Score
from tests.builders import NOON, an_edition
from tests.compose.news_days import LAST_FITTED_DAY, LAST_SEEN_DAY, NewsPair, read_days, read_pairs

Points = Mapping[int, Sequence[float]]
"""The points of each day's stories by their numbers; the story with more points is ranked higher."""

DRAWS = 2_000  # of days, for an interval
PENALTY, STEP, ROUNDS = 1.0, 0.005, 4_000  # of the logistic regression: L2, length of a step, steps
NO_CHOICE = ("source weight", "topics", "followed words")  # parts that no story of the days has


def scores_of(updates: Sequence[StoryUpdate]) -> list[Score]:
    """Return the scores of a day's stories by their numbers, for a newsletter of all topics."""
    ranked = Ranker({}).rank(updates, an_edition(topics=()), NOON)
    by_story = {id(one.update): one.score for one in ranked}
    return [by_story[id(update)] for update in updates]


def accuracy(points: Points, pairs: Sequence[NewsPair], *, wanted: str = "first") -> float:
    """Return the share of pairs that the points order as the judgement does; equal points are half right."""
    right = 0.0
    for pair in pairs:
        ours, theirs = points[pair.day][pair.a], points[pair.day][pair.b]
        right += 0.5 if ours == theirs else float((ours > theirs) == getattr(pair, wanted))
    return right / len(pairs)


def interval(points: Points, pairs: Sequence[NewsPair]) -> tuple[float, float]:
    """Return the 95 % interval of the accuracy, by drawing days."""
    dice = Random(1)
    by_day: dict[int, list[NewsPair]] = {}
    for pair in pairs:
        by_day.setdefault(pair.day, []).append(pair)
    days = sorted(by_day)
    drawn = sorted(
        accuracy(points, [pair for day in dice.choices(days, k=len(days)) for pair in by_day[day]])
        for _ in range(DRAWS)
    )
    return drawn[DRAWS // 40], drawn[-DRAWS // 40]


def by(value: Callable[[StoryUpdate], float], days: Mapping[int, Sequence[StoryUpdate]]) -> Points:
    """Return a value of each story as its points."""
    return {day: [value(update) for update in updates] for day, updates in days.items()}


def newest(update: StoryUpdate) -> float:
    """Return the time of the story's first article."""
    return update.story.articles[0].article.effective_published_at.timestamp()


def place(update: StoryUpdate) -> float:
    """Return the story's place in its feed as points; a story without one comes last."""
    rank = update.story.articles[0].article.feed_rank
    return -float("inf") if rank is None else -rank


def quality(days: Mapping[int, Sequence[StoryUpdate]], pairs: Sequence[NewsPair]) -> None:
    """Print the accuracy of each order on the days after those that weights were learned on."""
    alike = [pair for pair in pairs if pair.first == pair.second]
    print(f"{len(pairs):,} pairs; both judgements agree on {len(alike) / len(pairs):.3f}")
    held_out = [pair for pair in alike if pair.day > LAST_FITTED_DAY]
    scores = {day: scores_of(updates) for day, updates in days.items()}
    ours = {day: [score.total for score in found] for day, found in scores.items()}
    orders = {
        "score": ours,
        "publishers, then age": by(
            lambda update: update.story.independent_publishers * 1e12 + newest(update), days
        ),
        "publishers": by(lambda update: float(update.story.independent_publishers), days),
        "place in the feed": by(place, days),
        "age": by(newest, days),
    }
    for name, used in (
        ("days written when words and weights were settled", [p for p in held_out if p.day > LAST_SEEN_DAY]),
        ("days before, not learned on", [p for p in held_out if p.day <= LAST_SEEN_DAY]),
        ("both", held_out),
    ):
        print(f"\naccuracy on {len(used)} pairs on which both agree: {name}")
        for order, points in orders.items():
            low, high = interval(points, used)
            print(f"  {order:<24} {accuracy(points, used):.3f}  [{low:.3f}, {high:.3f}]")
    fitted = [pair for pair in alike if pair.day <= LAST_FITTED_DAY]
    print(f"\nscore, learned days        {accuracy(ours, fitted):.3f}")
    print("\nthe same without one part, on both")
    for part in (name for name in WEIGHTS if name not in NO_CHOICE):
        without = {
            day: [score.total - dict(score.parts).get(part, 0.0) for score in found]
            for day, found in scores.items()
        }
        print(f"  {part:<24} {accuracy(without, held_out):.3f}")


def learned(days: Mapping[int, Sequence[StoryUpdate]], pairs: Sequence[NewsPair]) -> None:
    """Print weights learned by logistic regression on the first days, with the signs of those in the code."""
    names = [name for name in WEIGHTS if name not in NO_CHOICE]
    # The parts of the code, each divided by its weight: its trait, with the limit on the words of headlines.
    rows = {
        day: np.array(
            [
                [dict(score.parts).get(name, 0.0) / WEIGHTS[name] for name in names]
                for score in scores_of(updates)
            ]
        )
        for day, updates in days.items()
    }
    used = [pair for pair in pairs if pair.first == pair.second and pair.day <= LAST_FITTED_DAY]
    signs = np.sign([WEIGHTS[name] for name in names])
    right = 0.0
    for day in range(1, LAST_FITTED_DAY + 1):
        weights = fitted_weights(rows, [pair for pair in used if pair.day != day], signs)
        tried = [pair for pair in used if pair.day == day]
        right += len(tried) * accuracy({day: list(rows[day] @ weights)}, tried)
    weights = fitted_weights(rows, used, signs)
    print(
        f"\nlearned on {len(used)} pairs of the first {LAST_FITTED_DAY} days, behind the weight in the code;"
    )
    print(f"accuracy on each of these days with the weights of the others {right / len(used):.3f}")
    for name, weight in zip(names, weights, strict=True):
        print(f"  {name:<24} {WEIGHTS[name]:6.2f} {weight:6.2f}")


def fitted_weights(
    rows: Mapping[int, np.ndarray], pairs: Sequence[NewsPair], signs: np.ndarray
) -> np.ndarray:
    """Return the weights of a regularised logistic regression on the pairs; none has the wrong sign."""
    differences = np.array([rows[pair.day][pair.a] - rows[pair.day][pair.b] for pair in pairs])
    preferred = np.array([pair.first for pair in pairs], dtype=float)
    weights = np.zeros(len(signs))
    for _ in range(ROUNDS):
        expected = 1 / (1 + np.exp(-differences @ weights))
        weights += STEP * (differences.T @ (preferred - expected) - PENALTY * weights)
        weights = np.where(weights * signs < 0, 0.0, weights)
    return weights


def speed(days: Mapping[int, Sequence[StoryUpdate]], stories: int, editions: int) -> None:
    """Print the time of one edition's order, the first time and when the stories are known."""
    known = [update for updates in days.values() for update in updates]
    updates = [replace(known[n % len(known)]) for n in range(stories)]
    updates = [
        StoryUpdate(
            replace(
                one.story,
                articles=(
                    replace(
                        one.story.articles[0],
                        article=replace(one.story.articles[0].article, id=f"{n}", position=n),
                    ),
                ),
            )
        )
        for n, one in enumerate(updates)
    ]
    ranker = Ranker({})

    def timed(**wishes: object) -> float:
        start = time.process_time()
        ranker.rank(updates, an_edition(topics=(), **wishes), NOON)
        return (time.process_time() - start) * 1e3

    first = timed()
    plain = sorted(timed() for _ in range(editions))
    following = sorted(timed(follow=(f"word{n}", "budget", "harbour")) for n in range(editions))
    print(f"\none edition's order of {stories:,} stories, ms of CPU (median of {editions} editions)")
    print(f"  first edition            {first:8.1f}")
    print(f"  further editions         {plain[len(plain) // 2]:8.1f}")
    print(f"  with three other words to follow in each {following[len(following) // 2]:8.1f}")


def main() -> None:
    """Run the three parts."""
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("--stories", type=int, default=2_000, help="stories of an edition (2000)")
    options.add_argument("--editions", type=int, default=50, help="editions to time (50)")
    chosen = options.parse_args()
    days, pairs = read_days(), read_pairs()
    quality(days, pairs)
    learned(days, pairs)
    speed(days, chosen.stories, chosen.editions)


if __name__ == "__main__":
    main()
