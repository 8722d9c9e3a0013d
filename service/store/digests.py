"""Digests of issues: what an issue was rendered from, for its web page, its other forms and explanations.

A digest is stored once, compressed. It names its articles by id; their texts are those of the table
`articles`, where an article of an issue keeps its sent text.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from weakref import ref

from sqlalchemy import Connection, and_, exists, or_, select
from typing_extensions import override

from service.compose.ports import DigestStore
from service.core.identity_cache import IdentityCache
from service.core.model import (
    Article,
    CaveatKind,
    Correction,
    DeliveryState,
    Digest,
    EarlierFigure,
    Edition,
    Grade,
    Placement,
    Role,
    Score,
    SentIssue,
    SourceHealth,
    Story,
    StoryPoint,
)
from service.core.read_models import StoredIssue
from service.store.columns import CompressedText, compressed
from service.store.connection import StoreConnection
from service.store.database import Database
from service.store.dialect import is_in
from service.store.mappers import article_of, edition_of
from service.store.schema import CANCELLED, articles, deliveries, editions, issue_digests, issues
from service.store.sent_corrections import CorrectionQueries

MAYBE_ARRIVED = (DeliveryState.SENT, DeliveryState.ATTEMPTING, DeliveryState.UNCERTAIN)

Articles = Mapping[str, Article]

MAX_STORY_TEXTS = 10_000  # of a few hundred bytes
MAX_DIGEST_TEXTS = 32  # of up to 60 kB


class DigestTexts:
    """The stored texts of digests: each is made once for all issues that have it, and so is that of a story.

    As in an identity cache, a story is found by its identity, and not kept in memory for it.
    """

    def __init__(self) -> None:
        self._stories = IdentityCache[Story, str](MAX_STORY_TEXTS)
        self._digests: dict[tuple[str, tuple[int, ...]], tuple[list[ref[Story]], CompressedText]] = {}

    def of(self, digest: Digest) -> CompressedText:
        """Return the stored form of `digest_values`."""
        rest = _json(_values_but_stories(digest))
        key, stories = (rest, tuple(map(id, digest.stories))), list(map(ref, digest.stories))
        found = self._digests.get(key)
        if found is None or found[0] != stories:  # a story that is gone may have left its identity to another
            if len(self._digests) >= MAX_DIGEST_TEXTS:
                self._digests.clear()
            found = self._digests[key] = stories, compressed(self._text(rest, digest))
        return found[1]

    def _text(self, rest: str, digest: Digest) -> str:
        texts = (self._stories.get(story, None, partial(_story_text, story)) for story in digest.stories)
        return f'{rest[:-1]},"stories":[{",".join(texts)}]}}'


@dataclass(frozen=True, slots=True)
class SqlDigestStore(DigestStore):
    """DigestStore on the table issue_digests."""

    database: Database

    @override
    async def digest(self, issue_id: str) -> Digest | None:
        found = await self.part(issue_id)
        return None if found is None else found[0]

    async def part(
        self, issue_id: str, first: int = 0, count: int | None = None
    ) -> tuple[Digest, int] | None:
        """Return the digest with only `count` stories from index `first` on, and the number of all stories.

        Only the articles of these stories are read. `count` None: all stories.
        """
        query = (
            select(issue_digests.c.digest, editions)
            .join(issues, issues.c.number == issue_digests.c.issue)
            .join(editions, editions.c.key == issues.c.edition_key)
            .where(issues.c.id == issue_id)
        )
        async with self.database.read() as connection:
            row = (await connection.execute(query)).mappings().one_or_none()
            if row is None:
                return None
            every = row["digest"]["stories"]
            stored = {**row["digest"], "stories": every[first:][:count]}
            known = await stored_articles(connection, article_ids(stored))
        corrections = await CorrectionQueries(self.database).of_issue(issue_id)
        digest = digest_of(stored, edition_of(row), known, [one.correction for one in corrections])
        return digest, len(every)

    async def issue(self, issue_id: str) -> StoredIssue | None:
        """Return what is known of an issue besides its digest; None for none and for a transactional mail."""
        # Who got it before it was cancelled holds a link to its page.
        has_it = or_(deliveries.c.state.in_(MAYBE_ARRIVED), deliveries.c.doubts > 0)
        withdrawn = and_(CANCELLED, ~exists().where(deliveries.c.issue == issues.c.number, has_it))
        query = (
            select(*issues.c["id", "subject", "created_at"], withdrawn.label("is_withdrawn"), editions)
            .join(editions, editions.c.key == issues.c.edition_key)
            .where(issues.c.id == issue_id)
        )
        async with self.database.read() as connection:
            row = (await connection.execute(query)).mappings().one_or_none()
        if row is None:
            return None
        return StoredIssue(
            id=row["id"],
            newsletter=row["newsletter"],
            subject=row["subject"],
            edition=edition_of(row),
            created_at=row["created_at"],
            is_withdrawn=bool(row["is_withdrawn"]),
        )


def record(connection: Connection, number: int, digest: Digest, texts: DigestTexts) -> None:
    """Store the digest of a new issue; its text is one of `texts`."""
    connection.execute(issue_digests.insert(), {"issue": number, "digest": texts.of(digest)})


async def stored_articles(connection: StoreConnection, ids: Sequence[str]) -> dict[str, Article]:
    """Return the articles with these ids that still exist, by id."""
    rows = await connection.execute(select(articles).where(is_in(connection, articles.c.id, ids)))
    return {row["id"]: article_of(row) for row in rows.mappings()}


def article_ids(stored: Mapping[str, Any]) -> list[str]:
    """Return the ids of all articles that a stored digest names: of stories and of earlier figures."""
    stories = stored["stories"]
    named = [name for story in stories for name in story["articles"]]
    points = [point for story in stories for point in story.get("points", ())]
    return list(dict.fromkeys([*named, *(article for point in points for _, article, _ in point[8])]))


def digest_values(digest: Digest) -> dict[str, Any]:
    """Return the digest as JSON, without its edition and its corrections, which have tables of their own."""
    return {**_values_but_stories(digest), "stories": [_story_values(story) for story in digest.stories]}


def _json(values: Mapping[str, Any]) -> str:
    return json.dumps(values, separators=(",", ":"))


def _values_but_stories(digest: Digest) -> dict[str, Any]:
    values = {
        "at": digest.at.isoformat(),
        "left_out": digest.left_out,
        "compact": digest.compact,
        "unhealthy": [
            [one.name, one.topics, one.is_healthy, one.last_healthy_at and one.last_healthy_at.isoformat()]
            for one in digest.unhealthy_sources
        ],
    }
    return values | {"dropped": digest.dropped} if digest.dropped else values


def digest_of(
    stored: Mapping[str, Any], edition: Edition, known: Articles, corrections: Sequence[Correction] = ()
) -> Digest:
    """Return the digest; stories without a `known` article are left out."""
    complete = [story for story in stored["stories"] if known.keys() & set(story["articles"])]
    return Digest(
        edition,
        datetime.fromisoformat(stored["at"]),
        tuple(_story_of(story, known) for story in complete),
        left_out=stored["left_out"],
        corrections=tuple(corrections),
        unhealthy_sources=tuple(
            SourceHealth(name, tuple(topics), healthy, datetime.fromisoformat(last) if last else None)
            for name, topics, healthy, last in stored["unhealthy"]
        ),
        compact=stored["compact"],
        dropped=tuple(stored.get("dropped", ())),
    )


def _story_text(story: Story) -> str:
    return _json(_story_values(story))


def _story_values(story: Story) -> dict[str, Any]:
    first = story.first_issue
    values = {
        "id": story.id,
        "articles": [article.id for article in story.articles],
        "placement": story.placement,
        "points": [_point_values(point) for point in story.points],
        "score": [[name, round(value, 4)] for name, value in story.score.parts],
        "section": story.section,
        "update": story.is_update,
        "judges": story.judges,
        "first": first and [first.id, first.at.isoformat()],
    }
    # Most stories of a large issue are one line: what is empty is not written.
    return {name: value for name, value in values.items() if value}


def _story_of(stored: Mapping[str, Any], known: Articles) -> Story:
    first = stored.get("first")
    return Story(
        id=stored["id"],
        articles=tuple(known[name] for name in stored["articles"] if name in known),
        points=tuple(_point_of(point, known) for point in stored.get("points", ()) if point[0] in known),
        is_update=stored.get("update", False),
        judges=tuple(stored.get("judges", ())),
        placement=Placement(stored["placement"]),
        section=stored.get("section", ""),
        score=Score(tuple((name, value) for name, value in stored.get("score", ()))),
        first_issue=SentIssue(first[0], datetime.fromisoformat(first[1])) if first else None,
    )


def _point_values(point: StoryPoint) -> list[Any]:
    return [
        point.article.id,
        point.text,
        point.start,
        point.end,
        point.role,
        point.qualifies,
        point.introduction,
        point.quoted,
        [[one.text, one.article.id, one.sentence] for one in point.earlier],
        point.grade,
        point.kind,
        point.hint,
        point.follows,
        point.rank,
        point.is_cut,
    ]


def _point_of(stored: Sequence[Any], known: Articles) -> StoryPoint:
    name, text, start, end, role, qualifies, introduction, quoted, earlier, grade, kind, *rest = stored
    hint, follows, rank, is_cut = rest
    return StoryPoint(
        text,
        Role(role),
        known[name],
        start,
        end,
        qualifies,
        introduction,
        quoted,
        tuple(EarlierFigure(one, known[of], sentence) for one, of, sentence in earlier if of in known),
        Grade(grade),
        CaveatKind(kind) if kind else None,
        hint,
        follows,
        rank,
        is_cut,
    )
