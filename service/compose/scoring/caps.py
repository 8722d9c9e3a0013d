"""Caps: how many of an issue's first stories may be of one publisher or one topic (pure).

A story above a cap moves behind the next ones that are not, unless they score much less: a disaster does not
wait for trifles of another topic. A last cap holds whatever the scores are. No story is removed. A cap ends
where nothing else is left, so a newsletter of one source or one topic keeps its order.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence
from typing import NamedTuple

LEAST_PUBLISHER_SHARE, LEAST_TOPIC_SHARE = 1 / 3, 1 / 2
"""The share of the first stories that a publisher or topic may have when there are many of them."""
FAIR_SHARES = 1.5  # with few of them, each may have this many times its equal share
LAST_OF_CAP, LAST_SHARE = 1.5, 3 / 4
"""The last cap: this many times the cap, and at most this share of the first stories."""
MOST_LOST = 1.0  # points by which the next story may score less; as much as three publishers add
MIN_CAP = 2  # a smaller cap would order two stories of an issue by their publishers alone


class CappedKind(NamedTuple):
    """What is counted of a story: the publisher of its first article, and its topic ("" for none)."""

    publisher: str
    topic: str


def capped_order(kinds: Sequence[CappedKind], scores: Sequence[float], places: int) -> list[int]:
    """Return the indices of the stories, given with falling scores, with the caps applied.

    The caps hold for the first `places` stories, as long as others remain; the rest stays in order.
    """
    counted = _Counted(kinds, places)
    chosen: list[int] = []
    waiting: deque[int] = deque()  # above a cap
    behind: list[int] = []  # above the last cap, which counts whatever the score is
    following = 0
    while len(chosen) < min(places, len(kinds)):
        while following < len(kinds) and counted.is_above(kinds[following], counted.caps):
            waiting.append(following)
            following += 1
        while waiting and counted.is_above(kinds[waiting[0]], counted.last_caps):
            behind.append(waiting.popleft())
        has_next = following < len(kinds)
        if waiting and not (has_next and scores[waiting[0]] - scores[following] <= MOST_LOST):
            taken = waiting.popleft()
        elif has_next:
            taken, following = following, following + 1
        else:
            break
        counted.add(kinds[taken])
        chosen.append(taken)
    return chosen + sorted((*waiting, *behind, *range(following, len(kinds))))


class _Counted:
    """How many chosen stories each publisher and each topic has, and how many each may have."""

    def __init__(self, kinds: Sequence[CappedKind], places: int) -> None:
        shares = (LEAST_PUBLISHER_SHARE, LEAST_TOPIC_SHARE)
        values = [set(column) for column in zip(*kinds, strict=True)] or [set(), set()]
        self.caps = [cap(places, known, share) for known, share in zip(values, shares, strict=True)]
        self.last_caps = [last_cap(places, known, share) for known, share in zip(values, shares, strict=True)]
        self._counts = (Counter[str](), Counter[str]())

    def is_above(self, kind: CappedKind, caps: Sequence[int]) -> bool:
        """Return whether one more story of this kind is above one of the caps."""
        compared = zip(kind, self._counts, caps, strict=True)
        return any(value and count[value] >= most for value, count, most in compared)

    def add(self, kind: CappedKind) -> None:
        """Count a chosen story."""
        for value, count in zip(kind, self._counts, strict=True):
            count[value] += 1


def cap(places: int, values: set[str], least_share: float) -> int:
    """Return how many of the first `places` stories may have the same one of these values."""
    known = len(values - {""}) or 1
    if known == 1:
        return places
    return max(MIN_CAP, round(places * min(1.0, max(least_share, FAIR_SHARES / known))))


def last_cap(places: int, values: set[str], least_share: float) -> int:
    """Return how many of the first `places` stories may have the same one of these values at most."""
    first = cap(places, values, least_share)
    return max(first, min(round(first * LAST_OF_CAP), round(places * LAST_SHARE)))
