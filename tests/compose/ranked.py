"""Stories to rank, which differ in nothing but what a test names."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from itertools import count

from service.compose.ranking import RankedStory, Ranker
from service.compose.stories.group import GroupedStory
from service.compose.stories.updates import StoryUpdate
from service.core.model import CondensedArticle
from tests.builders import NOON, an_article, an_edition, condensed

PLAIN = "It is as described on the page of the agency."
_positions = count(1)


def a_report(
    title: str = "Something happened", text: str = PLAIN, hours_old: float = 2, **changes
) -> CondensedArticle:
    """Return an article with the text as its only key point, without a place in its feed."""
    moment = NOON - timedelta(hours=hours_old)
    defaults = {"published_at": moment, "gathered_at": moment, "position": next(_positions)}
    return condensed(an_article(title, text, **(defaults | changes)), text)


def an_update(
    title: str = "Something happened", publishers: int = 1, new_points=None, **changes
) -> StoryUpdate:
    """Return a story of one report that this number of publishers told; an update with `new_points`."""
    return StoryUpdate(GroupedStory((a_report(title, **changes),), publishers), new_points)


def told_by(publishers: Sequence[str], title: str = "Something happened", **changes) -> StoryUpdate:
    """Return a story with a report of each of these publishers, all independent."""
    reports = tuple(a_report(title, publisher=one, feed_id=f"feed of {one}", **changes) for one in publishers)
    return StoryUpdate(GroupedStory(reports, len(set(publishers))))


def ranked(*updates: StoryUpdate, weights=None, **edition) -> list[RankedStory]:
    return Ranker(weights or {}).rank(updates, an_edition(**edition), NOON)


def headlines(*updates: StoryUpdate, **settings) -> list[str]:
    """Return the headlines of these stories in the order of an issue at noon."""
    return [one.update.story.articles[0].article.title for one in ranked(*updates, **settings)]


def part(name: str, update: StoryUpdate, **settings) -> float:
    """Return a part of the story's score, 0 if it has no such part."""
    [only] = ranked(update, **settings)
    return dict(only.score.parts).get(name, 0.0)
