"""Stories: which articles tell one event (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from service.core.model import CondensedArticle


@dataclass(frozen=True, slots=True)
class Telling:
    """The articles that tell one event, the one that leads first. `voices` counts independent publishers."""

    articles: tuple[CondensedArticle, ...]
    voices: int = 1


def group_stories(articles: Sequence[CondensedArticle]) -> tuple[Telling, ...]:
    """Return the stories that these articles tell, in gather order of their first article."""
    return tuple(Telling((article,)) for article in articles)
