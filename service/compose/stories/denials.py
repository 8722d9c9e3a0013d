"""Denials: which caveat of an article speaks against its own headline (pure)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from service.core.model import CaveatKind, Grade, KeyPoint, Role, StoryPoint
from service.text.similarity import sentence_features

DOUBTS = (CaveatKind.DENIED, CaveatKind.DISPUTED, CaveatKind.UNCONFIRMED)
"""Kinds of caveats that speak against what they qualify, the strongest first."""

MIN_SHARED_WORDS = 2
"""Content words that a caveat of the whole story shares with a headline that it is about. One is too few:
"The company denied a delay" is about another matter than "Company opens plant"."""

_Point = TypeVar("_Point", KeyPoint, StoryPoint)


def headline_doubt(title: str, language: str, points: Iterable[_Point]) -> _Point | None:
    """Return the point of an article that speaks most against its title, None if there is none.

    It is a caveat of the headline, or one of the whole story that is about the same.
    """
    doubts = [
        point
        for point in points
        if point.role is Role.CAVEAT
        and point.kind in DOUBTS
        and (point.is_of_headline or (point.grade is Grade.STORY and _is_about(point.text, title, language)))
    ]
    return min(doubts, key=lambda point: DOUBTS.index(point.kind) if point.kind else 0, default=None)


def _is_about(sentence: str, title: str, language: str) -> bool:
    shared = sentence_features(sentence, language).terms & sentence_features(title, language).terms
    return len(shared) >= MIN_SHARED_WORDS
