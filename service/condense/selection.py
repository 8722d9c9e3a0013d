"""Choose: the set of sentences worth most together, within a number of sentences and of words."""

from __future__ import annotations

from functools import cache
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from service.condense.features import FloatArray, IntArray

MAX_CANDIDATES = 12
"""Sets are looked through completely among this many best sentences: 1,585 sets of up to five."""
CORE_SENTENCES = 5
"""Sets of more sentences than this grow from the best set of this size, one by one."""


@cache
def _subsets(candidates: int, points: int) -> NDArray[np.float32]:
    rows = [
        chosen
        for size in range(1, min(points, candidates) + 1)
        for chosen in combinations(range(candidates), size)
    ]
    table = np.zeros((len(rows), candidates), dtype=np.float32)
    for row, chosen in enumerate(rows):
        table[row, chosen] = 1
    return table


def best_sentences(
    scores: FloatArray, pair_scores: FloatArray, word_counts: IntArray, max_points: int, max_words: int
) -> list[int]:
    """Return the places of the best set, at most `points` of them within `words` words, the core first.

    A set is worth the sum of its `worth` and of `together[i, j]` over its ordered pairs. The arrays hold the
    candidates best first. When nothing fits, the best alone is returned.
    """
    few = min(len(scores), MAX_CANDIDATES)
    sets = _subsets(few, min(max_points, CORE_SENTENCES))
    value = sets @ scores[:few].astype(np.float32)
    value += ((sets @ pair_scores[:few, :few].astype(np.float32)) * sets).sum(axis=1)
    value[sets @ word_counts[:few].astype(np.float32) > max_words] = -np.inf
    best = int(value.argmax())
    chosen = [0] if value[best] == -np.inf else [int(place) for place in np.flatnonzero(sets[best])]
    return _extend(chosen, scores, pair_scores, word_counts, max_points, max_words)


def _extend(  # noqa: PLR0917 - what `best_set` was given
    chosen: list[int], worth: FloatArray, together: FloatArray, lengths: IntArray, points: int, words: int
) -> list[int]:
    """Return the set with what adds most to it, one by one, while it fits."""
    both = together + together.T
    while CORE_SENTENCES <= len(chosen) < points:
        gain = worth + both[chosen].sum(axis=0)
        gain[chosen] = -np.inf
        gain[lengths + lengths[chosen].sum() > words] = -np.inf
        best = int(gain.argmax())
        if gain[best] == -np.inf:
            break
        chosen.append(best)
    return chosen
