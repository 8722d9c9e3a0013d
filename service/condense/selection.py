"""Selection: the set of sentences with the highest total score, within a number of sentences and of words."""

from __future__ import annotations

from functools import cache
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from service.condense.features import FloatArray, IntArray

MAX_CANDIDATES = 12  # all their sets of up to five are compared: 1,585 sets
CORE_SENTENCES = 5  # a larger set is the best set of this size, extended one by one


@cache
def _subsets(candidates: int, size_limit: int) -> NDArray[np.float32]:
    """Return the sets as columns of 0 and 1, one row per candidate."""
    sets = [
        chosen
        for size in range(1, min(size_limit, candidates) + 1)
        for chosen in combinations(range(candidates), size)
    ]
    table = np.zeros((candidates, len(sets)), dtype=np.float32)
    for column, chosen in enumerate(sets):
        table[chosen, column] = 1
    return table


def best_sentences(
    scores: FloatArray, pair_scores: FloatArray, word_counts: IntArray, max_points: int, max_words: int
) -> list[int]:
    """Return the places of the best set of at most `max_points` sentences and `max_words` words, core first.

    The score of a set is the sum of its `scores` and of `pair_scores[i, j]` over its ordered pairs. The
    arrays list the candidates from best to worst. If no set fits, the best sentence is returned alone.
    """
    few = min(len(scores), MAX_CANDIDATES)
    sets = _subsets(few, min(max_points, CORE_SENTENCES))
    totals = scores[:few].astype(np.float32) @ sets
    # Summed over the few rows: over as many columns, it would take four times as long.
    totals += ((pair_scores[:few, :few].astype(np.float32) @ sets) * sets).sum(axis=0)
    totals[word_counts[:few].astype(np.float32) @ sets > max_words] = -np.inf
    best = int(totals.argmax())
    chosen = [0] if totals[best] == -np.inf else [int(place) for place in np.flatnonzero(sets[:, best])]
    both_ways = pair_scores + pair_scores.T
    while CORE_SENTENCES <= len(chosen) < max_points:
        gains = scores + both_ways[chosen].sum(axis=0)
        gains[chosen] = -np.inf
        gains[word_counts + word_counts[chosen].sum() > max_words] = -np.inf
        best = int(gains.argmax())
        if gains[best] == -np.inf:
            break
        chosen.append(best)
    return chosen
