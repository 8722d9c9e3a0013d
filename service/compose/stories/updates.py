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
from service.core.model import CondensedArticle, SentIssue, StoryPoint


@dataclass(frozen=True, slots=True)
class StoryUpdate:
    """A story to send.

    `new_points` are the points of an update, and `first_issue` is the issue that showed the story first; both
    are None for a new story.
    """

    story: GroupedStory
    new_points: tuple[StoryPoint, ...] | None = None
    first_issue: SentIssue | None = None


@dataclass(frozen=True, slots=True)
class GrowingStory:
    """A story with articles behind a cursor.

    `update` is what a group gets that knows nothing of the story: these articles alone. `older` are its other
    articles.
    """

    update: StoryUpdate
    older: tuple[CondensedArticle, ...] = ()


@dataclass(frozen=True, slots=True)
class GrowingStories:
    """The stories that have articles behind a cursor, for all groups with this cursor.

    `updates` are what a group gets that knows none of them. `has_older`: some have older articles.
    """

    stories: tuple[GrowingStory, ...]
    updates: tuple[StoryUpdate, ...]
    has_older: bool


KnownGrowth = dict[tuple[int, int], tuple[GroupedStory, GrowingStory | None]]
"""Growing stories by the identity of the whole story, which is kept, and the cursor; None for no growth."""


def growing_stories(
    stories: Sequence[GroupedStory], served_through: int, known: KnownGrowth | None = None
) -> GrowingStories:
    """Return those of the stories that have articles behind the cursor `served_through`, in their order.

    Those that are `known` are not made again, and new ones are added.
    """
    known = {} if known is None else known
    growing = []
    for story in stories:
        key = id(story), served_through
        if key not in known:
            known[key] = story, _growing_story(story, served_through)
        if (found := known[key][1]) is not None:
            growing.append(found)
    return GrowingStories(
        tuple(growing), tuple(one.update for one in growing), any(one.older for one in growing)
    )


def story_updates(
    growing: GrowingStories, *, sent: Mapping[str, SentIssue], merge: KeyPointMerger, points: int
) -> tuple[StoryUpdate, ...]:
    """Return the stories to send to a group.

    `sent` has the articles (ids) that the group got recently, with the issues. A story with such an article
    becomes an update of at most `points` new points; without a new point it is left out.
    """
    if not sent or not growing.has_older:
        return growing.updates
    updates = (_story_update(story, sent, merge, points) for story in growing.stories)
    return tuple(update for update in updates if update is not None)


def _growing_story(story: GroupedStory, served_through: int) -> GrowingStory | None:
    new = tuple(c for c in story.articles if c.article.position > served_through)
    if not new:
        return None
    if len(new) == len(story.articles):
        return GrowingStory(StoryUpdate(story))
    lead = leading_article(new, new[0])
    new = (lead, *(condensed for condensed in new if condensed is not lead))
    alone = GroupedStory(new, count_independent_publishers([c.article for c in new]))
    older = tuple(c for c in story.articles if c.article.position <= served_through)
    return GrowingStory(StoryUpdate(alone), older)


def _story_update(
    growing: GrowingStory, sent: Mapping[str, SentIssue], merge: KeyPointMerger, points: int
) -> StoryUpdate | None:
    known = [condensed for condensed in growing.older if condensed.article.id in sent]
    if not known:
        return growing.update
    story = growing.update.story
    new_points = merge(story.articles, points=points, known=known)
    first = min((sent[one.article.id] for one in known), key=lambda issue: issue.at)
    return StoryUpdate(story, new_points, first) if new_points else None
