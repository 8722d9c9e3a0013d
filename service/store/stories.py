"""The story of each article, assigned once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from typing_extensions import override

from service.compose.ports import StoryStore
from service.core.model import Article
from service.store.database import Database
from service.store.dialect import is_in
from service.store.mappers import article_of
from service.store.schema import articles, story_articles


@dataclass(frozen=True, slots=True)
class SqlStoryStore(StoryStore):
    """StoryStore on the table story_articles."""

    database: Database

    @override
    async def articles_between(
        self, after: int, through: int, limit: int
    ) -> Sequence[tuple[Article, str | None]]:
        arrived = (
            select(articles, story_articles.c.story)
            .join(story_articles, story_articles.c.position == articles.c.position, isouter=True)
            .where(articles.c.position > after, articles.c.position <= through)
            .order_by(articles.c.position)
            .limit(limit)
        )
        async with self.database.read() as connection:
            rows = (await connection.execute(arrived)).mappings().all()
        return [(article_of(row), row["story"]) for row in rows]

    @override
    async def record_stories(self, stories: Mapping[str, str]) -> Mapping[str, str]:
        async with self.database.write() as connection:
            known = select(articles.c.id, articles.c.position).where(
                is_in(connection, articles.c.id, list(stories))
            )
            rows = (await connection.execute(known)).all()
            new = [{"position": row.position, "story": stories[row.id]} for row in rows]
            if new:
                insert = self.database.insert(story_articles).on_conflict_do_nothing()
                await connection.execute(insert, new)
            stored = (
                select(articles.c.id, story_articles.c.story)
                .join(story_articles, story_articles.c.position == articles.c.position)
                .where(is_in(connection, articles.c.id, list(stories)))
            )
            return {row.id: row.story for row in (await connection.execute(stored)).all()}
