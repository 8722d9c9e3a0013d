"""Again: what is new of a story that its readers were told before (pure).

A story goes on for days. Readers who know it get it once more only when there is a key point in it that they
were not told, and then those points alone, marked as an update. Which they are the teller knows.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from service.compose.ports import KeyPointMerger
from service.compose.stories.group import GroupedStory
from service.compose.stories.independence import count_independent_publishers
from service.core.model import StoryPoint


@dataclass(frozen=True, slots=True)
class StoryUpdate:
    """What there is to tell of a story now. `news` are the points of an update, None for a new story."""

    story: GroupedStory
    new_points: tuple[StoryPoint, ...] | None = None


def story_updates(
    stories: Sequence[GroupedStory],
    *,
    served_through: int,
    sent: Collection[str],
    merge: KeyPointMerger,
    points: int,
) -> tuple[StoryUpdate, ...]:
    """Return what there is to tell of these stories to readers who stand at the position `after`.

    `told` are the ids of the articles that they were told lately. Of a story with some of them, the points
    are those that say something new; a story that has none is left away.
    """
    found = (_story_update(telling, served_through, sent, merge, points) for telling in stories)
    return tuple(chapter for chapter in found if chapter is not None)


def continues(story: GroupedStory, position: int) -> bool:
    """Tell whether the story has articles from before the position `after` and from behind it."""
    positions = [told.article.position for told in story.articles]
    return min(positions) <= position < max(positions)


def _story_update(
    telling: GroupedStory, after: int, told: Collection[str], tell: KeyPointMerger, points: int
) -> StoryUpdate | None:
    fresh = tuple(a for a in telling.articles if a.article.position > after)
    known = [a for a in telling.articles if a.article.position <= after and a.article.id in told]
    if not fresh:
        return None
    now = telling
    if len(fresh) < len(telling.articles):
        now = GroupedStory(fresh, count_independent_publishers([told.article for told in fresh]))
    if not known:
        return StoryUpdate(now)
    news = tell(fresh, points=points, known=known)
    return StoryUpdate(now, news) if news else None
