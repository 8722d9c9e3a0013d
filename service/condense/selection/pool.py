"""Pool: the lines that a chain is chosen from, with what each requires beside it (pure)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from service.condense.features import BoolArray, FloatArray, IntArray
from service.condense.marking import CaveatLink
from service.condense.selection.chain import NEVER, ChainPool
from service.condense.selection.lines import SummaryLine
from service.condense.selection.scores import ClaimScores

MAX_REQUIRED_LINES = 3  # a line that needs more company than two others is not worth its room
FIRST_JOINED_PENALTY = 0.3  # of two sentences in one line, in the first lines: they must be short


@dataclass(frozen=True, slots=True)
class LinePool:
    """Lines, and what a chain of them is chosen by."""

    lines: Sequence[SummaryLine]
    chain: ChainPool

    def indices_of(self, places: Iterable[int]) -> list[int]:
        """Return the indices of the lines with these sentences, without those that are in no line."""
        index = {place: k for k, line in enumerate(self.lines) for place in line.places}
        return [index[place] for place in places if place in index]


class PoolBuilder:
    """Builds pools from the candidates of one article.

    `line_of` gives the line of a place, `needed` maps a claim to the caveat that it surely needs. `scores`
    are those of the `claims`, which have all places that may be in a pool.
    """

    def __init__(
        self,
        line_of: Callable[[int], SummaryLine | None],
        needed: Mapping[int, CaveatLink],
        claims: IntArray,
        scores: ClaimScores,
        word_counts: IntArray,
    ) -> None:
        self._line_of = line_of
        self._needed = needed
        self._scores = scores
        self._words = word_counts[claims]
        self._row = {place: row for row, place in enumerate(claims.tolist())}

    def build(self, places: Iterable[int], max_lines: int, first: Sequence[SummaryLine] = ()) -> LinePool:
        """Return the pool of the first places, best first, that fit with all they require.

        The lines in `first` are in it in any case, and first.
        """
        lines = {line.place: line for line in first}
        for place in places:
            added = self._with_required(place)
            if added and place not in lines and len(lines.keys() | added.keys()) <= max_lines:
                lines |= {one: line for one, line in added.items() if one not in lines}
        found = list(lines.values())
        index = {line.place: k for k, line in enumerate(found)}
        required = [
            (k, index[place])
            for k, line in enumerate(found)
            for place in self._required(line)
            if place in index
        ]
        requires = np.zeros((len(found), len(found)), dtype=np.bool_)
        if required:
            requires[tuple(zip(*required, strict=True))] = True
            for _ in range(MAX_REQUIRED_LINES):
                requires |= requires @ requires
            _clear_diagonal(requires)
        return LinePool(found, self._chain(found, requires))

    def _required(self, line: SummaryLine) -> set[int]:
        """Return the places that are only shown together with the line."""
        if not line.must_follow and self._needed.keys().isdisjoint(line.places):
            return set()  # so it is for most lines
        needed = {self._needed[place][0] for place in line.places if place in self._needed}
        return (needed | ({line.above} if line.must_follow else set())) - set(line.places)

    def _with_required(self, place: int) -> dict[int, SummaryLine]:
        """Return the line of a place and all that it requires, by place; nothing if one cannot be shown."""
        found: dict[int, SummaryLine] = {}
        left = [place]
        while left and len(found) < MAX_REQUIRED_LINES:
            one = left.pop()
            line = self._line_of(one) if one in self._row else None
            if line is None or not self._has_room_below(line):
                return {}
            found[one] = line
            left += self._required(line) - found.keys()
        shown = [one for line in found.values() for one in line.places]
        return {} if left or len(set(shown)) < len(shown) else found

    def _has_room_below(self, line: SummaryLine) -> bool:
        """Return whether nothing must stand directly below the candidate that the line leans on."""
        needed = self._needed.get(line.above)
        return not line.must_follow or needed is None or needed[0] == line.place

    def _chain(self, lines: Sequence[SummaryLine], requires: BoolArray) -> ChainPool:
        """Return the scores of the lines: the sums over their sentences, and over the pairs of these."""
        members = np.zeros((len(lines), len(self._row)))
        rows = [k for k, line in enumerate(lines) for _ in line.places]
        members[rows, [self._row[place] for line in lines for place in line.places]] = 1
        shared = members @ members.T > 0
        pairs, first_pairs = (
            members @ pair @ members.T for pair in (self._scores.pair_worth, self._scores.first_pair_worth)
        )
        worth = members @ self._scores.worth + pairs.diagonal()
        first = members @ self._scores.first_worth + first_pairs.diagonal()
        first -= FIRST_JOINED_PENALTY * (members.sum(axis=1) > 1)
        apart = np.where(shared, NEVER, 0.0)
        for pair in (apart, pairs, first_pairs):
            _clear_diagonal(pair)
        words = (members @ self._words).astype(np.int64)
        places = np.array([line.place for line in lines], dtype=np.int64)
        return ChainPool(worth, pairs + apart, first, first_pairs + apart, words, requires, places)


def _clear_diagonal(table: FloatArray | BoolArray) -> None:
    """Set the diagonal of a square table to 0, in place: np.fill_diagonal takes several times as long."""
    table.reshape(-1)[:: len(table) + 1] = 0
