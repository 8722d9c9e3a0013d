"""The story of each article, assigned once, and the articles that an operator split from a story."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, update
from typing_extensions import override

from service.compose.ports import StoryStore
from service.core.ids import split_story_id
from service.core.model import Article
from service.core.read_models import StorySplit
from service.store.database import Database
from service.store.dialect import Query, is_in
from service.store.mappers import article_of
from service.store.schema import articles, story_articles, story_splits

COUNT_SPLITS = select(func.count()).select_from(story_splits)


@dataclass(frozen=True, slots=True)
class SqlStoryStore(StoryStore):
    """StoryStore on the tables story_articles and story_splits."""

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
    async def split_count(self) -> int:
        async with self.database.read() as connection:
            return await connection.scalar(COUNT_SPLITS) or 0

    @override
    async def record_stories(self, stories: Mapping[str, str], *, split_count: int) -> Mapping[str, str]:
        async with self.database.write() as connection:
            if await connection.scalar(COUNT_SPLITS) != split_count:
                return {}
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

    async def stories_of(self, article_ids: Collection[str]) -> Mapping[str, str]:
        """Return article id -> story id, of those articles that have a story."""
        async with self.database.read() as connection:
            these = (
                select(articles.c.id, story_articles.c.story)
                .join(story_articles, story_articles.c.position == articles.c.position)
                .where(is_in(connection, articles.c.id, article_ids))
            )
            return {row.id: row.story for row in await connection.execute(these)}

    async def articles_of(self, story: str) -> Sequence[str]:
        """Return the ids of a story's articles, in gather order."""
        # No index on the story: assignment writes this table all day, and only commands read it this way.
        members = (
            select(articles.c.id)
            .join(story_articles, story_articles.c.position == articles.c.position)
            .where(story_articles.c.story == story)
            .order_by(articles.c.position)
        )
        async with self.database.read() as connection:
            return (await connection.scalars(members)).all()

    async def splits_of(self, article_ids: Collection[str]) -> Sequence[StorySplit]:
        """Return the splits of these articles, the oldest first."""
        async with self.database.read() as connection:
            these = (
                select(articles.c.id, story_splits.c.story, story_splits.c.at)
                .join(story_splits, story_splits.c.position == articles.c.position)
                .where(is_in(connection, articles.c.id, article_ids))
                .order_by(story_splits.c.at)
            )
            return [StorySplit(row.id, row.story, row.at) for row in await connection.execute(these)]

    async def split(self, article_id: str, at: datetime) -> str | None:
        """Give an article a story of its own, permanently; return its id.

        None if the article has no story, or is the only one of its story. The other articles keep the story,
        also if its id is that of this article.
        """
        own = (
            select(story_articles.c.position, story_articles.c.story)
            .join(articles, articles.c.position == story_articles.c.position)
            .where(articles.c.id == article_id)
        )
        async with self.database.write() as connection:
            row = (await connection.execute(own)).one_or_none()
            if row is None or await connection.scalar(_size_of(row.story)) == 1:
                return None
            story = split_story_id(article_id, row.story)
            mine = (story_articles.c.position == row.position, story_articles.c.story == row.story)
            moved = await connection.execute(update(story_articles).where(*mine).values(story=story))
            if not moved.rowcount:  # another process was faster
                return None
            values = {"position": row.position, "story": row.story, "at": at}
            await connection.execute(story_splits.insert().values(values))
            return story


def _size_of(story: str) -> Query:
    """Return the query for the number of articles of a story."""
    return select(func.count()).select_from(story_articles).where(story_articles.c.story == story)
