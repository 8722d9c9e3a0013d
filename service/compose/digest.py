"""Digest: the stories of an edition at one time, and what it loses first if it is too large (pure)."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from service.compose.layout import LEAD_POINTS, STORY_POINTS, SharedStories, in_sections, lay_out
from service.compose.ports import KeyPointMerger
from service.compose.ranking import RankedStory
from service.compose.stories.shortening import first_points, headline_caveats
from service.core.model import Digest, Edition, Placement, Story, StoryPoint

HeadlinePoints = Callable[[Story], tuple[StoryPoint, ...]]
"""Returns the points with which a story is shown as one line: the caveats of its headline."""


def make_digest(
    edition: Edition,
    ranked: Sequence[RankedStory],
    *,
    at: datetime,
    merge: KeyPointMerger,
    shared: SharedStories | None = None,
) -> Digest:
    """Return the digest of these stories, in their order, dated `at`; `shared` are those of the pass."""
    layout = lay_out(edition, ranked, merge, shared)
    return Digest(edition, at, layout.stories, layout.left_out)


def shown_headline_points(story: Story) -> tuple[StoryPoint, ...]:
    """Return the caveats of a story's headline that are among its points."""
    return headline_caveats(story.points)


def reductions(digest: Digest, headline_points: HeadlinePoints = shown_headline_points) -> Iterator[Digest]:
    """Yield ever smaller digests, each one step smaller than the one before, down to the first story.

    First the lists of articles become compact. Then the stories lose points, the last story first, until they
    have one. Then they become one line. Then lines move to the web page. Then the first story loses points.
    Last, the corrections are removed; they wait for the next issue.
    """
    if not digest.compact and any(len(story.articles) > 1 for story in digest.stories):
        digest = replace(digest, compact=True)
        yield digest
    digest = yield from _with_fewer_points(digest, Placement.STORY, STORY_POINTS)
    while stories := digest.placed(Placement.STORY):
        digest = _shortened(digest, _least(stories), headline_points)
        yield digest
    for story in reversed(digest.placed(Placement.SHORT)):
        digest = _with(digest, story, replace(story, placement=Placement.WEB))
        yield digest
    digest = yield from _with_fewer_points(digest, Placement.LEAD, LEAD_POINTS)
    if digest.corrections:
        yield replace(digest, corrections=())


def _with_fewer_points(digest: Digest, placement: Placement, points: int) -> Generator[Digest, None, Digest]:
    """Yield the digest with fewer `points` in its stories of this placement; return the last one."""
    for limit in range(points - 1, 0, -1):
        for story in reversed(digest.placed(placement)):
            if (fewer := first_points(story.points, limit)) != story.points:
                digest = _with(digest, story, replace(story, points=fewer))
                yield digest
    return digest


def _least(stories: Sequence[Story]) -> Story:
    """Return the story with the lowest score, of equals the last one: sections change the order."""
    return min(reversed(stories), key=lambda story: story.score.total)


def _shortened(digest: Digest, story: Story, headline_points: HeadlinePoints) -> Digest:
    """Return the digest with the story as its first line; without sections where too few stories are left."""
    line = replace(story, placement=Placement.SHORT, section="", points=headline_points(story))
    detailed = [one for one in digest.placed(Placement.LEAD, Placement.STORY) if one is not story]
    others = digest.placed(Placement.SHORT, Placement.WEB)
    detailed = in_sections(detailed, digest.edition.topics)
    return replace(digest, stories=(*detailed, line, *others))


def _with(digest: Digest, story: Story, changed: Story) -> Digest:
    stories = tuple(changed if one is story else one for one in digest.stories)
    return replace(digest, stories=stories)
