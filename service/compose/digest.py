"""The digest: which stories an edition gets, in which order, and how many (pure)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from service.compose.ports import Teller
from service.compose.stories.updates import Chapter
from service.core import ids as identity
from service.core.model import Article, Digest, Edition, Role, Story

SAME_PUBLISHER = timedelta(hours=6)
SAME_TOPICS = timedelta(hours=2)


def make_digest(edition: Edition, chapters: Sequence[Chapter], *, at: datetime, tell: Teller) -> Digest:
    """Return the digest of these stories for the edition: ordered, capped, each with its points.

    `at` is the moment that the digest stands for. Only the stories that get in are told.
    """
    chosen = in_order(chapters, edition.stories)
    stories = tuple(_story(chapter, tell, edition.points) for chapter in chosen)
    return Digest(edition, at, stories, left_out=len(chapters) - len(stories))


def in_order(chapters: Sequence[Chapter], limit: int) -> list[Chapter]:
    """Return the first `limit` stories: those with more independent voices first, then fresh and varied.

    For variety every story that is in already makes those of its publisher count as six hours older, and
    those of its topics as two. Equal stories keep gather order, so that the same input gives the same page.
    """
    left = sorted(chapters, key=lambda c: _lead(c).position)
    publishers: Counter[str] = Counter()
    topics: Counter[tuple[str, ...]] = Counter()
    chosen: list[Chapter] = []
    while left and len(chosen) < limit:
        best = max(left, key=lambda c: (c.telling.voices, _seems_from(c, publishers, topics)))
        left.remove(best)
        chosen.append(best)
        publishers[_lead(best).publisher] += 1
        topics[_lead(best).topics] += 1
    return chosen


def lighter(digest: Digest) -> Digest | None:
    """Return the digest with its last story left out, or its only story without its last point.

    A point goes together with its caveats. Then the corrections go, which wait for the next issue. None when
    there is but one point left.
    """
    if len(digest.stories) > 1:
        return replace(digest, stories=digest.stories[:-1], left_out=digest.left_out + 1)
    points = digest.stories[0].points if digest.stories else ()
    last = max((n for n, point in enumerate(points) if point.role is Role.POINT), default=0)
    if last == 0:
        return replace(digest, corrections=()) if digest.corrections else None
    return replace(digest, stories=(replace(digest.stories[0], points=points[:last]),))


def _lead(chapter: Chapter) -> Article:
    return chapter.telling.articles[0].article


def _seems_from(chapter: Chapter, publishers: Counter[str], topics: Counter[tuple[str, ...]]) -> datetime:
    lead = _lead(chapter)
    newest = max(told.article.moment for told in chapter.telling.articles)
    return newest - publishers[lead.publisher] * SAME_PUBLISHER - topics[lead.topics] * SAME_TOPICS


def _story(chapter: Chapter, tell: Teller, points: int) -> Story:
    articles = tuple(told.article for told in chapter.telling.articles)
    return Story(
        id=chapter.telling.articles[0].story or identity.story_id([article.id for article in articles]),
        articles=articles,
        points=tell(chapter.telling.articles, points=points) if chapter.news is None else chapter.news,
        update=chapter.news is not None,
    )
