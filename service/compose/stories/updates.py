"""Again: what is new of a story that its readers were told before (pure).

A story goes on for days. Readers who know it get it once more only when there is a key point in it that they
were not told, and then those points alone, marked as an update. Which they are the teller knows.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from service.compose.ports import Teller
from service.compose.stories.group import Telling
from service.compose.stories.independence import count_voices
from service.core.model import StoryPoint


@dataclass(frozen=True, slots=True)
class Chapter:
    """What there is to tell of a story now. `news` are the points of an update, None for a new story."""

    telling: Telling
    news: tuple[StoryPoint, ...] | None = None


def chapters(
    tellings: Sequence[Telling], *, after: int, told: Collection[str], tell: Teller, points: int
) -> tuple[Chapter, ...]:
    """Return what there is to tell of these stories to readers who stand at the position `after`.

    `told` are the ids of the articles that they were told lately. Of a story with some of them, the points
    are those that say something new; a story that has none is left away.
    """
    found = (_chapter(telling, after, told, tell, points) for telling in tellings)
    return tuple(chapter for chapter in found if chapter is not None)


def goes_on(telling: Telling, after: int) -> bool:
    """Tell whether the story has articles from before the position `after` and from behind it."""
    positions = [told.article.position for told in telling.articles]
    return min(positions) <= after < max(positions)


def _chapter(
    telling: Telling, after: int, told: Collection[str], tell: Teller, points: int
) -> Chapter | None:
    fresh = tuple(a for a in telling.articles if a.article.position > after)
    known = [a for a in telling.articles if a.article.position <= after and a.article.id in told]
    if not fresh:
        return None
    now = telling
    if len(fresh) < len(telling.articles):
        now = Telling(fresh, count_voices([told.article for told in fresh]))
    if not known:
        return Chapter(now)
    news = tell(fresh, points=points, told=known)
    return Chapter(now, news) if news else None
