"""The digest: which stories an edition gets, in which order, and how many (pure)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from service.compose.stories import Telling
from service.core import identity
from service.core.contracts import Teller
from service.core.model import Article, Digest, Edition, Role, Story

SAME_PUBLISHER = timedelta(hours=6)
SAME_TOPICS = timedelta(hours=2)


def make_digest(edition: Edition, tellings: Sequence[Telling], *, at: datetime, tell: Teller) -> Digest:
    """Return the digest of these stories for the edition: ordered, capped, each with its points.

    `at` is the moment that the digest stands for. Only the stories that get in are told.
    """
    chosen = in_order(tellings, edition.stories)
    stories = tuple(_story(telling, tell, edition.points) for telling in chosen)
    return Digest(edition, at, stories, left_out=len(tellings) - len(stories))


def in_order(tellings: Sequence[Telling], limit: int) -> list[Telling]:
    """Return the first `limit` stories: those with more independent voices first, then fresh and varied.

    For variety every story that is in already makes those of its publisher count as six hours older, and
    those of its topics as two. Equal stories keep gather order, so that the same input gives the same page.
    """
    left = sorted(tellings, key=lambda t: t.articles[0].article.position)
    publishers: Counter[str] = Counter()
    topics: Counter[tuple[str, ...]] = Counter()
    chosen: list[Telling] = []
    while left and len(chosen) < limit:
        best = max(left, key=lambda t: (t.voices, _seems_from(t, publishers, topics)))
        left.remove(best)
        chosen.append(best)
        lead = best.articles[0].article
        publishers[lead.publisher] += 1
        topics[lead.topics] += 1
    return chosen


def lighter(digest: Digest) -> Digest | None:
    """Return the digest with its last story left out, or its only story without its last point.

    A point goes together with its caveats. None when there is but one point left.
    """
    if len(digest.stories) > 1:
        return replace(digest, stories=digest.stories[:-1], left_out=digest.left_out + 1)
    points = digest.stories[0].points if digest.stories else ()
    last = max((n for n, point in enumerate(points) if point.role is Role.POINT), default=0)
    if last == 0:
        return None
    return replace(digest, stories=(replace(digest.stories[0], points=points[:last]),))


def moment_of(article: Article) -> datetime:
    """Return when the article came out, as far as that can be believed: never after we first saw it."""
    if article.published_at is None:
        return article.gathered_at
    return min(article.published_at, article.gathered_at)


def _seems_from(telling: Telling, publishers: Counter[str], topics: Counter[tuple[str, ...]]) -> datetime:
    lead = telling.articles[0].article
    newest = max(moment_of(told.article) for told in telling.articles)
    return newest - publishers[lead.publisher] * SAME_PUBLISHER - topics[lead.topics] * SAME_TOPICS


def _story(telling: Telling, tell: Teller, points: int) -> Story:
    articles = tuple(told.article for told in telling.articles)
    return Story(
        id=identity.story_id([article.id for article in articles]),
        articles=articles,
        points=tell(telling.articles, points=points),
    )
