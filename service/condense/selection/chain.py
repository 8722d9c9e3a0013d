"""Chain: the order in which an article's sentences enter its summary, the same for every length (pure).

The best set of six sentences is looked for first. It is then ordered from within: the three that tell most
of the news come first, and the sentence whose loss costs least comes last. So the lines of a shorter summary
are among those of a longer one, and neither is much worse than the best set of its own size.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from service.condense.features import BoolArray, FloatArray, IntArray

MAX_CANDIDATES = 12  # all their sets of up to six are compared: 2,509 sets
SET_SIZE = 6
FIRST_SIZE = 3  # these few must tell the main news; from the fourth line on, caveats weigh in full
WORDS_PER_LINE = 30
MAX_SET_WORDS = 150  # of up to six lines together
ALWAYS = 100.0  # the worth of a line that is chosen in any case
NEVER = -100.0  # what a pair of lines is worth that share a sentence: they are not chosen together


@dataclass(frozen=True, slots=True)
class ChainPool:
    """The candidates of a chain, from best to worst.

    `worth` is what each adds to a set, and `pair_worth[i, j]` what a set has in addition for holding both;
    `first_worth` and `first_pair_worth` are the same for the first three lines. `requires[i, j]` says that i
    is only shown together with j, and does not enter before it unless j requires i as well; the relation is
    transitive. `places` is their order in the text.
    """

    worth: FloatArray
    pair_worth: FloatArray
    first_worth: FloatArray
    first_pair_worth: FloatArray
    word_counts: IntArray
    requires: BoolArray
    places: IntArray


def max_words(points: int) -> int:
    """Return the words that so many lines may have together."""
    return max(MAX_SET_WORDS, WORDS_PER_LINE * (points - 1))


def order_lines(pool: ChainPool, openings: Sequence[int] = ()) -> list[list[int]]:
    """Return the indices of the best set's lines, in the groups and the order in which they enter.

    The pool has at most MAX_CANDIDATES lines, with all that they require. Of the `openings`, the first that
    belongs to the best set enters first, with what it requires. Lines that require each other are a group.
    """
    if not len(pool.worth):
        return []
    chosen = _filled(pool, _best_set(pool))
    closures = [_closure(pool, one) for one in openings]
    opening = next((one for one in closures if one <= chosen and len(one) <= FIRST_SIZE), set[int]())
    first = _first_lines(pool, chosen, opening)
    groups = [
        *_by_loss(pool, opening, set(), in_first=True),
        *_by_loss(pool, first - opening, opening, in_first=True),
        *_by_loss(pool, chosen - first, first, in_first=False),
    ]
    if len(groups[0]) > 1 and not opening:  # a single line prefers a sentence that needs no other
        alone = next((group for group in groups if not pool.requires[group].any()), groups[0])
        groups = [alone, *(group for group in groups if group is not alone)]
    return groups


def first_lines(groups: Sequence[Sequence[int]], points: int) -> list[int]:
    """Return the lines of the first groups, at most `points` of them; no group but the first is parted."""
    lines: list[int] = []
    for group in groups:
        if len(lines) + len(group) > points:
            break
        lines += group
    return lines or [one for group in groups[:1] for one in group[:1]]


def grow_lines(pool: ChainPool, count: int, points: int) -> list[int]:
    """Return at most `points` indices: the first `count` lines, and each time the one that adds most."""
    lines = list(range(count))
    for limit in range(SET_SIZE + 1, points + 1):
        _grow(pool, lines, limit)
    return lines


def _closure(pool: ChainPool, place: int) -> set[int]:
    return {place, *np.flatnonzero(pool.requires[place]).tolist()}


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


def _best_subset(
    worth: FloatArray, pair_worth: FloatArray, requires: BoolArray, size: int, words: IntArray | None = None
) -> set[int] | None:
    """Return the subset with the highest worth that has all that its members require; None if none fits."""
    sets = _subsets(len(worth), size)
    totals = worth.astype(np.float32) @ sets
    # Summed over the few rows: over as many columns, it would take four times as long.
    totals += ((pair_worth.astype(np.float32) @ sets) * sets).sum(axis=0)
    if words is not None:
        totals[words.astype(np.float32) @ sets > MAX_SET_WORDS] = -np.inf
    for one, other in zip(*(axis.tolist() for axis in requires.nonzero()), strict=True):
        totals[sets[one] > sets[other]] = -np.inf
    best = int(totals.argmax())
    return None if totals[best] == -np.inf else set(np.flatnonzero(sets[:, best]).tolist())


def _best_set(pool: ChainPool) -> set[int]:
    few = slice(0, MAX_CANDIDATES)
    found = _best_subset(
        pool.worth[few],
        pool.pair_worth[few, few],
        pool.requires[few, few],
        SET_SIZE,
        pool.word_counts[few],
    )
    if found is not None:
        return found
    return _closure(pool, int(pool.requires.sum(axis=1).argmin()))


def _filled(pool: ChainPool, chosen: set[int]) -> set[int]:
    """Return the set with what else it has room for.

    In a long article, a claim has so many possible caveats that it seems worth less than nothing.
    """
    lines = sorted(chosen)
    _grow(pool, lines, SET_SIZE)
    return set(lines)


def _first_lines(pool: ChainPool, chosen: set[int], opening: set[int]) -> set[int]:
    """Return the lines of the set, three at most, that tell most of the news; the opening is among them."""
    places = sorted(chosen)
    at = np.ix_(places, places)
    worth = pool.first_worth[places] + ALWAYS * np.array([place in opening for place in places])
    found = _best_subset(worth, pool.first_pair_worth[at], pool.requires[at], FIRST_SIZE)
    return opening if found is None else {places[k] for k in found}


def _by_loss(pool: ChainPool, members: set[int], before: set[int], *, in_first: bool) -> list[list[int]]:
    """Return the members in groups, those first whose loss would cost most; `before` are the lines before.

    A group is a line, or lines that require each other.
    """
    worth = pool.first_worth if in_first else pool.worth
    pairs = pool.first_pair_worth if in_first else pool.pair_worth
    # Lists, since numpy would take most of the time to be called for single numbers.
    alone, both_ways = worth.tolist(), (pairs + pairs.T).tolist()
    requires = pool.requires.tolist()
    left = set(members)
    groups: list[list[int]] = []
    while left:
        kept = sorted(left | before)
        free = [place for place in left if not _needed_by_others(requires, place, left)]
        loss = {place: alone[place] + sum(both_ways[place][one] for one in kept) for place in free}
        least = min(free, key=lambda place: (loss[place], -place))
        group = {least} | {one for one in left if requires[one][least]}
        groups.insert(0, sorted(group, key=pool.places.__getitem__))
        left -= group
    return groups


def _needed_by_others(requires: Sequence[Sequence[bool]], place: int, left: set[int]) -> bool:
    return any(requires[one][place] and not requires[place][one] for one in left)


def _grow(pool: ChainPool, lines: list[int], limit: int) -> None:
    """Add lines to a chain, up to so many, each the one that adds most with what it requires."""
    both_ways = pool.pair_worth + pool.pair_worth.T
    while len(lines) < limit:
        missing = pool.requires.copy()
        missing[np.diag_indices(len(missing))] = True
        missing[:, lines] = False
        size = missing.sum(axis=1)
        words = missing @ pool.word_counts + pool.word_counts[lines].sum()
        gains = missing @ (pool.worth + both_ways[lines].sum(axis=0))
        is_apart = gains < NEVER / 2
        gains /= np.maximum(size, 1)
        gains[is_apart | (size == 0) | (size > limit - len(lines)) | (words > max_words(limit))] = -np.inf
        gains[lines] = -np.inf
        best = int(gains.argmax())
        if gains[best] == -np.inf:
            return
        added = np.flatnonzero(missing[best]).tolist()
        lines += sorted(added, key=lambda one: (int(pool.requires[one].sum()), int(pool.places[one])))
