"""Released articles: which ones an edition may show, and the articles with their summaries and stories."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, select

from service.compose.ports import ReleasedPosition
from service.core.model import CondensedArticle, Edition
from service.store.dialect import is_in
from service.store.mappers import SUMMARY_COLUMNS, article_of, summary_of
from service.store.schema import article_topics, articles, story_articles, summaries

MAX_ARTICLES_PER_ISSUE = 5_000
"""The newest articles offered for one issue: a group without subscribers may have waited for a year."""


def positions(connection: Connection, edition: Edition, after: int, through: int) -> list[ReleasedPosition]:
    """Return the positions of the articles that fit the edition, in gather order; see ComposeStore.

    They are found without their texts, so that an article of many editions is read once.
    """
    fitting = (
        select(summaries.c.position, story_articles.c.story, summaries.c.made_at)
        .join(story_articles, story_articles.c.position == summaries.c.position, isouter=True)
        .where(summaries.c.position > after, summaries.c.position <= through)
        .order_by(summaries.c.position.desc())
        .limit(MAX_ARTICLES_PER_ISSUE)
    )
    if edition.topics:
        fitting = fitting.where(
            summaries.c.position.in_(
                select(article_topics.c.position).where(
                    article_topics.c.topic.in_(edition.topics),
                    article_topics.c.position > after,
                    article_topics.c.position <= through,
                )
            )
        )
    rows = connection.execute(fitting).all()
    return [ReleasedPosition(position, story or "", made_at) for position, story, made_at in reversed(rows)]


def read(connection: Connection, at: Collection[int]) -> list[CondensedArticle]:
    """Return the condensed articles at these positions, in gather order."""
    found = (
        select(articles, *SUMMARY_COLUMNS, story_articles.c.story)
        .join(summaries, summaries.c.position == articles.c.position)
        .join(story_articles, story_articles.c.position == articles.c.position, isouter=True)
        .where(is_in(connection, articles.c.position, at))
        .order_by(articles.c.position)
    )
    rows = connection.execute(found).mappings().all()
    return [CondensedArticle(article_of(r), summary_of(r), r["story"] or "") for r in rows]
