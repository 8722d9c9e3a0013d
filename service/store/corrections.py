"""Corrections: what publishers edited of articles that are stored, and which words count from then on.

Until an article was told, its new words take the place of the old ones: at once while it waits for condense,
else together with their summary, so that nothing behind the article has to wait for that. Once it was told it
keeps its words, which are what its readers know, and the new ones are kept beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    Text,
    and_,
    case,
    delete,
    exists,
    literal,
    literal_column,
    select,
    type_coerce,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from service.condense.ports import FailureResult
from service.core.model import Article, Summary
from service.store.columns import storable
from service.store.database import Database
from service.store.dialect import is_in
from service.store.mappers import Row, article_of
from service.store.schema import articles, corrections, issues, told_corrections

NEW = (corrections.c.title.label("new_title"), corrections.c.text.label("new_text"))
# Word for word the index's condition, and not a parameter: only so do the databases use the index.
STILL_WAITING = corrections.c.state == literal_column("'waiting'")


async def correct(connection: AsyncConnection, database: Database, edited: Sequence[Article]) -> None:
    """Take in the new title and text of articles that are stored; what is not stored is passed over."""
    by_id = {article.id: article for article in edited}
    asked = (articles.c[name] for name in ("id", "position", "state", "title", "text"))
    stored = select(*asked, told().label("told"), corrected_before().label("corrected"))
    stored = stored.where(is_in(connection, articles.c.id, by_id)).order_by(articles.c.position)
    for row in (await connection.execute(stored.with_for_update(of=articles))).all():
        article = by_id[row.id]
        title, text = storable(article.title), storable(article.text)
        mine = articles.c.position == row.position
        if row.state == "new":
            words = {"title": title, "text": text, "tries": 0, "problem": ""}
            await connection.execute(update(articles).where(mine).values(words))
        elif (title, text) == (row.title, row.text) and not row.corrected:
            await _forget(connection, row.position)
        else:
            words = {"title": title, "text": text, "tries": 0, "at": article.gathered_at}
            words["state"] = "kept" if row.told else "waiting"
            await connection.execute(
                database.insert(corrections)
                .values(position=row.position, **words)
                .on_conflict_do_update(index_elements=["position"], set_=words)
            )


def told() -> ColumnElement[bool]:
    """Return the condition that an issue told the article of this row."""
    # Ids are hex digits, so that one in quotes is found nowhere but in the list as itself.
    listed = type_coerce(issues.c.article_ids, Text).contains(literal('"') + articles.c.id + literal('"'))
    return (
        exists(1)
        .select_from(issues)
        .where(issues.c.told_through >= articles.c.position, listed)
        .correlate(articles)
    )


def corrected_before() -> ColumnElement[bool]:
    """Return the condition that an issue told an edit of this row's article.

    Taking that edit back is then an edit like any other.
    """
    mine = told_corrections.c.position == articles.c.position
    return exists(1).select_from(told_corrections).where(mine).correlate(articles)


def waiting(limit: int) -> Select[*tuple[Any, ...]]:
    """Return the query for articles whose new words wait for condense, with these words, in gather order."""
    return (
        select(articles, *NEW)
        .join(corrections, corrections.c.position == articles.c.position)
        .where(STILL_WAITING)
        .order_by(corrections.c.position)
        .limit(limit)
    )


def corrected(row: Row) -> Article:
    """Return the article of a row of `waiting` as its publisher wants it read."""
    return replace(article_of(row), title=row["new_title"], text=row["new_text"])


async def count_failure(connection: AsyncConnection, article_id: str, allowed: int) -> FailureResult:
    """Count a failed try with an article's new words, of which so many are allowed."""
    tries = corrections.c.tries + 1
    its = select(articles.c.position).where(articles.c.id == article_id).scalar_subquery()
    failed = (
        update(corrections)
        .where(corrections.c.position == its, STILL_WAITING)
        .values(tries=tries, state=case((tries >= allowed, "kept"), else_="waiting"))
        .returning(corrections.c.state)
    )
    state: str | None = (await connection.execute(failed)).scalar_one_or_none()
    if state is None:
        return FailureResult.NOT_WAITING
    return FailureResult.EDIT_SET_ASIDE if state == "kept" else FailureResult.EDIT_RETRY


async def settle(connection: AsyncConnection, article_id: str, summary: Summary) -> int | None:
    """Let an article have the words that this summary was made of; return its position.

    None when the summary cannot stand beside the article: it is not stored, was told meanwhile in its first
    words, or has been edited once more since.
    """
    # First the lock and then the question, so that PostgreSQL answers as of when nobody else edits it.
    its = articles.c.id == article_id
    position: int | None = await connection.scalar(select(articles.c.position).where(its).with_for_update())
    if position is None:
        return None
    asked = (
        select(articles.c.text, *NEW, told().label("told"))
        .select_from(articles)
        .join(corrections, and_(corrections.c.position == articles.c.position, STILL_WAITING), isouter=True)
        .where(articles.c.position == position)
    )
    row = (await connection.execute(asked)).one()
    if not summary.is_verbatim(row.text if row.new_text is None else row.new_text):
        return None
    if row.new_text is None:
        return position
    if row.told:
        await _keep(connection, position)
        return None
    words = {"title": row.new_title, "text": row.new_text}
    await connection.execute(update(articles).where(articles.c.position == position).values(words))
    await _forget(connection, position)
    return position


async def _keep(connection: AsyncConnection, position: int) -> None:
    mine = corrections.c.position == position
    await connection.execute(update(corrections).where(mine).values(state="kept"))


async def _forget(connection: AsyncConnection, position: int) -> None:
    await connection.execute(delete(corrections).where(corrections.c.position == position))
