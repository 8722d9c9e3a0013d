"""Search for articles, newest first, a page at a time; and how many articles their stories have."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import func, or_, select

from service.core.read_models import ArticleDetails
from service.store.dialect import is_in
from service.store.mappers import SUMMARY_COLUMNS
from service.store.queries import Queries
from service.store.schema import article_topics, articles, story_articles, summaries

MAX_SEARCHED = 20_000  # positions behind the cursor: a title is searched without an index


@dataclass(frozen=True, slots=True)
class ArticleFilter:
    """What articles must have: a part of the title, a feed (id), one of some topics; "" is no filter."""

    text: str = ""
    feed: str = ""
    topics: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FoundArticles:
    """A page of articles. `next` is the cursor of the next one, None at the end.

    `is_partial`: the search stopped at its limit, and older articles can match as well.
    """

    articles: Sequence[ArticleDetails]
    next: int | None
    is_partial: bool = False


@dataclass(frozen=True, slots=True)
class ArticleFinder(Queries):
    """The search. Every coroutine may raise StoreError."""

    async def page(self, wanted: ArticleFilter, *, before: int | None, limit: int) -> FoundArticles:
        """Return the newest articles that match, among those before a cursor (None: all)."""
        column = articles.c.position
        async with self.database.read() as connection:
            newest = await connection.scalar(select(func.max(column))) or 0
        start = min(newest + 1, before) if before is not None else newest + 1
        end = max(0, start - MAX_SEARCHED)
        query = (
            select(articles, *SUMMARY_COLUMNS)
            .outerjoin(summaries, summaries.c.position == column)
            .where(column < start, column >= end)
            .order_by(column.desc())
            .limit(limit + 1)
        )
        if wanted.text:
            title = articles.c.title
            # SQLite folds the case of ASCII letters alone.
            query = query.where(
                or_(
                    title.icontains(wanted.text, autoescape=True),
                    title.contains(wanted.text, autoescape=True),
                )
            )
        if wanted.feed:
            query = query.where(articles.c.feed_id == wanted.feed)
        if wanted.topics:
            those = select(article_topics.c.position).where(
                article_topics.c.topic.in_(wanted.topics), article_topics.c.position.between(end, start)
            )
            query = query.where(column.in_(those))
        found = await self._articles(query)
        if len(found) > limit:
            return FoundArticles(found[:limit], found[limit - 1].article.position)
        is_partial = end > 1
        return FoundArticles(found, end if is_partial else None, is_partial)

    async def story_sizes(self, ids: Collection[str]) -> Mapping[str, int]:
        """Return article id -> number of articles of its story, of those that have one."""
        if not ids:
            return {}
        async with self.database.read() as connection:
            these = (
                select(articles.c.id, story_articles.c.story)
                .join(story_articles, story_articles.c.position == articles.c.position)
                .where(is_in(connection, articles.c.id, ids))
            )
            stories = {row.id: row.story for row in await connection.execute(these)}
            counted = (
                select(story_articles.c.story, func.count().label("number"))
                .where(is_in(connection, story_articles.c.story, list({*stories.values()})))
                .group_by(story_articles.c.story)
            )
            sizes = {row.story: row.number for row in await connection.execute(counted)} if stories else {}
        return {key: sizes[story] for key, story in stories.items()}
