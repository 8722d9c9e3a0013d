"""Sent corrections: edits of sent articles that a group has not got yet, and the corrections in issues.

A correction is stored with its issue: each sentence as it was sent and as it is now. The texts with these
sentences are stored as well, so that a correction can be verified after a further edit.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, select

from service.compose.ports import EditedArticle
from service.core.ids import edit_key
from service.core.model import Correction, Edit, Excerpt, Issue, SentenceChange
from service.core.read_models import CorrectionDetails
from service.store.database import Database
from service.store.dialect import insert_into, is_in
from service.store.mappers import SUMMARY_COLUMNS, Row, article_of, summary_of
from service.store.schema import articles, corrections, edits, issues, summaries, told_corrections

EDIT_COLUMNS = (
    corrections.c.at.label("edited_at"),
    corrections.c.title.label("title_now"),
    corrections.c.text.label("text_now"),
)

StoredChange = tuple[list[Any], list[Any] | None]
"""A SentenceChange as JSON: the fields of both excerpts."""

SentEdits = dict[int, list[tuple[str, tuple[SentenceChange, ...]]]]
"""Position -> the keys of the sent edits of that article, each with its changes, oldest first."""


def unsent_edits(
    connection: Connection, numbers: Collection[int], edited_until: datetime
) -> list[EditedArticle]:
    """Return the articles of these issues (row numbers) with an edit that none of these issues contains."""
    query = select(issues.c.number, issues.c.article_ids).where(is_in(connection, issues.c.number, numbers))
    ids = {number: set(article_ids) for number, article_ids in connection.execute(query).all()}
    edited = (
        select(articles, *SUMMARY_COLUMNS, *EDIT_COLUMNS)
        .join(summaries, summaries.c.position == articles.c.position)
        .join(corrections, corrections.c.position == articles.c.position)
        .where(is_in(connection, articles.c.id, set().union(*ids.values())))
        .where(corrections.c.state == "kept", corrections.c.at <= edited_until)
        .order_by(articles.c.position)
    )
    rows = connection.execute(edited).mappings().all() if any(ids.values()) else []
    if not rows:
        return []
    sent = _sent_edits(connection, ids, [row["position"] for row in rows])
    new = [row for row in rows if _key(row) not in [key for key, _ in sent.get(row["position"], ())][-1:]]
    new_ids = {row["id"] for row in new}
    texts = _texts(connection, [number for number, article_ids in ids.items() if article_ids & new_ids])
    return [
        EditedArticle(
            article_of(row),
            summary_of(row),
            _edit(row),
            tuple(text for number, text in texts.items() if row["id"] in ids[number]),
            tuple(changes for _, changes in sent.get(row["position"], ())),
        )
        for row in new
    ]


def record(connection: Connection, number: int, issue: Issue) -> None:
    """Store the corrections of a new issue, and the texts of their edits."""
    for correction in issue.corrections:
        position, edit = correction.article.position, correction.edit
        values = {**asdict(edit), "position": position}
        connection.execute(insert_into(connection, edits).values(values).on_conflict_do_nothing())
        row = {"issue": number, "position": position, "edit": edit.key, "changes": _written(correction)}
        connection.execute(told_corrections.insert().values(row))


@dataclass(frozen=True, slots=True)
class CorrectionQueries:
    """Listings of corrections. Reads only."""

    database: Database

    async def of_issue(self, issue_id: str) -> Sequence[CorrectionDetails]:
        """Return the corrections in an issue, in order of the articles' positions."""
        return await self._details(issues.c.id == issue_id)

    async def of_article(self, article_id: str) -> Sequence[CorrectionDetails]:
        """Return the sent corrections of an article, oldest first."""
        return await self._details(articles.c.id == article_id)

    async def latest_edit(self, article_id: str) -> Edit | None:
        """Return the latest edit of a sent article, or None."""
        query = (
            select(articles.c.id, *EDIT_COLUMNS)
            .join(corrections, corrections.c.position == articles.c.position)
            .where(articles.c.id == article_id, corrections.c.state == "kept")
        )
        async with self.database.read() as connection:
            row = (await connection.execute(query)).mappings().one_or_none()
        return None if row is None else _edit(row)

    async def count_edited(self, article_ids: Collection[str]) -> int:
        """Return how many of these articles were edited after they had been sent."""
        async with self.database.read() as connection:
            query = (
                select(articles.c.id)
                .join(corrections, corrections.c.position == articles.c.position)
                .where(is_in(connection, articles.c.id, article_ids), corrections.c.state == "kept")
            )
            return len((await connection.execute(query)).all())

    async def _details(self, condition: ColumnElement[bool]) -> list[CorrectionDetails]:
        edit = (edits.c.key, edits.c.at, edits.c.title.label("title_then"), edits.c.text.label("text_then"))
        query = (
            select(articles, issues.c.id.label("issue_id"), told_corrections.c.changes, *edit)
            .join(told_corrections, told_corrections.c.position == articles.c.position)
            .join(issues, issues.c.number == told_corrections.c.issue)
            .join(edits, edits.c.key == told_corrections.c.edit)
            .where(condition)
            .order_by(issues.c.number, articles.c.position)
        )
        async with self.database.read() as connection:
            rows = (await connection.execute(query)).mappings().all()
            edited = select(edits.c.position, edits.c.key, edits.c.title, edits.c.text)
            edited = edited.where(is_in(connection, edits.c.position, {row["position"] for row in rows}))
            texts: dict[int, dict[str, str]] = {row["position"]: {"": row["text"]} for row in rows}
            titles: dict[int, dict[str, str]] = {row["position"]: {"": row["title"]} for row in rows}
            for position, key, title, text in (await connection.execute(edited)).all() if rows else ():
                texts[position][key], titles[position][key] = text, title
        return [_correction(row, texts[row["position"]], titles[row["position"]]) for row in rows]


def _correction(row: Row, texts: Mapping[str, str], titles: Mapping[str, str]) -> CorrectionDetails:
    edit = Edit(row["key"], row["title_then"], row["text_then"], row["at"])
    correction = Correction(article_of(row), edit, _read(row["changes"]))
    return CorrectionDetails(row["issue_id"], correction, texts, titles)


def _sent_edits(connection: Connection, numbers: Collection[int], positions: Collection[int]) -> SentEdits:
    query = (
        select(told_corrections)
        .where(is_in(connection, told_corrections.c.issue, numbers))
        .where(is_in(connection, told_corrections.c.position, positions))
        .order_by(told_corrections.c.issue)
    )
    sent: SentEdits = {}
    for row in connection.execute(query).all():
        sent.setdefault(row.position, []).append((row.edit, _read(row.changes)))
    return sent


def _texts(connection: Connection, numbers: Collection[int]) -> dict[int, str]:
    query = select(issues.c.number, issues.c.text).where(is_in(connection, issues.c.number, numbers))
    return {row.number: row.text for row in connection.execute(query)}


def _edit(row: Row) -> Edit:
    return Edit(_key(row), row["title_now"], row["text_now"], row["edited_at"])


def _key(row: Row) -> str:
    return edit_key(row["id"], row["title_now"], row["text_now"])


def _written(correction: Correction) -> list[StoredChange]:
    return [
        (_fields(change.sent), _fields(change.current) if change.current else None)
        for change in correction.changes
    ]


def _fields(excerpt: Excerpt) -> list[Any]:
    fields = [excerpt.text, excerpt.start, excerpt.end, excerpt.edit]
    return [*fields, True] if excerpt.is_headline else fields


def _read(changes: list[StoredChange]) -> tuple[SentenceChange, ...]:
    return tuple(
        SentenceChange(Excerpt(*sent), Excerpt(*current) if current else None) for sent, current in changes
    )
