"""Edits of stored articles by their publishers.

Before an article is sent, the edited text replaces the stored text: immediately while the article waits for
condense, otherwise together with the new summary, so that later articles do not wait. After an article was
sent, it keeps the sent text, and the edited text is stored in the table `corrections`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Delete,
    Integer,
    Text,
    bindparam,
    case,
    delete,
    exists,
    literal,
    literal_column,
    or_,
    select,
    type_coerce,
    update,
)
from sqlalchemy import Row as FoundRow

from service.condense.ports import FailureResult
from service.core.model import Article, Summary
from service.store.cancel import was_kept
from service.store.columns import storable
from service.store.connection import StoreConnection
from service.store.database import Database
from service.store.dialect import is_in
from service.store.mappers import Row, article_of, blocks_of, blocks_values
from service.store.schema import articles, corrections, deliveries, issues, told_corrections

NEW = (
    corrections.c.title.label("new_title"),
    corrections.c.text.label("new_text"),
    corrections.c.blocks.label("new_blocks"),
    corrections.c.text_note.label("new_text_note"),
)
# Literally the index's condition, without a parameter: the databases use a partial index only then.
STILL_WAITING = corrections.c.state == literal_column("'waiting'")


def correct(connection: Connection, database: Database, edited: Sequence[Article]) -> None:
    """Store the new title and text of edited articles; articles that are not stored are skipped."""
    by_id = {article.id: article for article in edited}
    columns = articles.c["id", "position", "state", "title", "text"]
    stored = select(*columns, was_sent().label("sent"), was_corrected().label("corrected"))
    stored = stored.where(is_in(connection, articles.c.id, by_id)).order_by(articles.c.position)
    for row in connection.execute(stored.with_for_update(of=articles)).all():
        article = by_id[row.id]
        title, text = storable(article.title), storable(article.text)
        this = articles.c.position == row.position
        values = {
            "title": title,
            "text": text,
            "blocks": blocks_values(article.blocks),
            "text_note": article.text_note,
            "tries": 0,
        }
        if row.state == "new":
            connection.execute(update(articles).where(this).values(values | {"problem": ""}))
        elif (title, text) == (row.title, row.text) and not row.corrected:
            connection.execute(_deleted(row.position))
        else:
            values |= {"at": article.gathered_at, "state": "kept" if row.sent else "waiting"}
            connection.execute(
                database.insert(corrections)
                .values(position=row.position, **values)
                .on_conflict_do_update(index_elements=["position"], set_=values)
            )


def was_sent() -> ColumnElement[bool]:
    """Return the condition that an issue that was not cancelled for everybody contains this row's article."""
    # Ids are hex digits, so an id in quotes can only match a whole list item.
    listed = type_coerce(issues.c.article_ids, Text).contains(literal('"') + articles.c.id + literal('"'))
    kept = exists(1).where(deliveries.c.issue == issues.c.number, was_kept()).correlate(issues)
    return (
        exists(1)
        .select_from(issues)
        .where(
            issues.c.told_through >= articles.c.position, listed, or_(issues.c.cancelled_at.is_(None), kept)
        )
        .correlate(articles)
    )


def was_corrected() -> ColumnElement[bool]:
    """Return the condition that an issue contains a correction of this row's article.

    Then a return to the first text is an edit like any other.
    """
    same = told_corrections.c.position == articles.c.position
    return exists(1).select_from(told_corrections).where(same).correlate(articles)


WAITING = (
    select(articles, *NEW)
    .join(corrections, corrections.c.position == articles.c.position)
    .where(STILL_WAITING)
    .order_by(corrections.c.position)
    .limit(bindparam("most", type_=Integer))
)
"""At most `most` articles with an edit that waits for condense, in order of position."""


def corrected(row: Row) -> Article:
    """Return the edited article of a row of WAITING."""
    return replace(
        article_of(row),
        title=row["new_title"],
        text=row["new_text"],
        blocks=blocks_of(row["new_blocks"]),
        text_note=row["new_text_note"] or "",
    )


async def count_failure(connection: StoreConnection, article_id: str, max_attempts: int) -> FailureResult:
    """Count a failed attempt to condense an article's edit; after `max_attempts` the edit is set aside."""
    tries = corrections.c.tries + 1
    position = select(articles.c.position).where(articles.c.id == article_id).scalar_subquery()
    failed = (
        update(corrections)
        .where(corrections.c.position == position, STILL_WAITING)
        .values(tries=tries, state=case((tries >= max_attempts, "kept"), else_="waiting"))
        .returning(corrections.c.state)
    )
    state: str | None = (await connection.execute(failed)).scalar_one_or_none()
    if state is None:
        return FailureResult.NOT_WAITING
    return FailureResult.EDIT_SET_ASIDE if state == "kept" else FailureResult.EDIT_RETRY


_LOCKED = (
    select(*articles.c["id", "position", "text"])
    .where(articles.c.id.in_(bindparam("ids", expanding=True)))
    .order_by(articles.c.position)
    .with_for_update()
)
_WAITING_EDITS = (
    select(corrections.c.position, *NEW, was_sent().label("sent"))
    .join(articles, articles.c.position == corrections.c.position)
    .where(corrections.c.position.in_(bindparam("positions", expanding=True)), STILL_WAITING)
)


def accept_edits(connection: Connection, made: Mapping[str, Summary]) -> dict[str, int]:
    """Give articles the edited text that their summary was made of, if there is one; return their positions.

    `made` maps the ids of articles to summaries. An article is missing from the result if its summary does
    not fit it: it is not stored, its first text was sent meanwhile, or it was edited again.
    """
    # The locks first, then the edits, so that PostgreSQL reads them as no other transaction changes them.
    stored = connection.execute(_LOCKED, {"ids": list(made)}).all()
    if not stored:
        return {}
    waiting_edits = connection.execute(_WAITING_EDITS, {"positions": [row.position for row in stored]})
    edits = {row.position: row for row in waiting_edits}
    positions: dict[str, int] = {}
    for article_id, position, text in stored:
        edit = edits.get(position)
        if not made[article_id].is_verbatim(text if edit is None else edit.new_text):
            continue
        if edit is None or _accept(connection, edit):
            positions[article_id] = position
    return positions


def _accept(connection: Connection, edit: FoundRow[Any]) -> bool:
    """Give an article its edited text; return False for one that was sent, which keeps its text."""
    this = corrections.c.position == edit.position
    if edit.sent:
        connection.execute(update(corrections).where(this).values(state="kept"))
        return False
    values = {
        "title": edit.new_title,
        "text": edit.new_text,
        "blocks": edit.new_blocks,
        "text_note": edit.new_text_note,
    }
    connection.execute(update(articles).where(articles.c.position == edit.position).values(values))
    connection.execute(_deleted(edit.position))
    return True


def _deleted(position: int) -> Delete:
    return delete(corrections).where(corrections.c.position == position)
