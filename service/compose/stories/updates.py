"""Story updates: what is new in a story that was sent before (pure).

A story continues for days. A group that got it gets it again only if it has a new key point, and then only
the new points, marked as an update.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from service.compose.ports import KeyPointMerger
from service.compose.stories.figures import leading_article
from service.compose.stories.group import GroupedStory
from service.compose.stories.independence import count_independent_publishers
from service.core.model import SentIssue, StoryPoint


@dataclass(frozen=True, slots=True)
class StoryUpdate:
    """A story to send.

    `new_points` are the points of an update, and `first_issue` is the issue that showed the story first; both
    are None for a new story.
    """

    story: GroupedStory
    new_points: tuple[StoryPoint, ...] | None = None
    first_issue: SentIssue | None = None


def story_updates(
    stories: Sequence[GroupedStory],
    *,
    served_through: int,
    sent: Mapping[str, SentIssue],
    merge: KeyPointMerger,
    points: int,
) -> tuple[StoryUpdate, ...]:
    """Return the stories to send to a group with the cursor `served_through`.

    `sent` has the articles (ids) that the group got recently, with the issues. A story with such an article
    becomes an update of at most `points` new points; without a new point it is left out.
    """
    updates = (_story_update(story, served_through, sent, merge, points) for story in stories)
    return tuple(update for update in updates if update is not None)


def continues(story: GroupedStory, position: int) -> bool:
    """Return whether the story has articles up to the position and behind it."""
    positions = [condensed.article.position for condensed in story.articles]
    return min(positions) <= position < max(positions)


def _story_update(
    story: GroupedStory,
    served_through: int,
    sent: Mapping[str, SentIssue],
    merge: KeyPointMerger,
    points: int,
) -> StoryUpdate | None:
    new = tuple(c for c in story.articles if c.article.position > served_through)
    known = [c for c in story.articles if c.article.position <= served_through and c.article.id in sent]
    if not new:
        return None
    if len(new) < len(story.articles):
        lead = leading_article(new, new[0])
        new = (lead, *(condensed for condensed in new if condensed is not lead))
        story = GroupedStory(new, count_independent_publishers([c.article for c in new]))
    if not known:
        return StoryUpdate(story)
    new_points = merge(new, points=points, known=known)
    first = min((sent[one.article.id] for one in known), key=lambda issue: issue.at)
    return StoryUpdate(story, new_points, first) if new_points else None
