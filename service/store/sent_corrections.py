"""Told corrections: which edits of told articles readers have not heard of, and what issues said of edits.

A correction is told by an issue and stored with it, each sentence as it was told and as it is now. The words
that these are taken from are kept as well: a publisher may edit once more, and what was said stays provable.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from service.compose.ports import EditedArticle
from service.core.ids import edit_key
from service.core.model import Correction, Edit, Excerpt, Issue, SentenceChange
from service.core.read_models import CorrectionDetails
from service.store.database import Database
from service.store.dialect import is_in
from service.store.mappers import Row, article_of, summary_of
from service.store.schema import articles, corrections, edits, issues, summaries, told_corrections

EDIT = (corrections.c.at.label("edited_at"), corrections.c.title.label("title_now"))
NOW = (*EDIT, corrections.c.text.label("text_now"))
MADE = (summaries.c.method.label("made_by"), summaries.c.key_points, summaries.c.context)

Pair = tuple[list[Any], list[Any] | None]
"""A change as it is stored: the fields of both excerpts."""

Told = dict[int, list[tuple[str, tuple[SentenceChange, ...]]]]
"""Position -> the edits that were told of it, each with its changes, oldest first."""


async def edited(
    connection: AsyncConnection, given: Collection[int], edited_by: datetime
) -> list[EditedArticle]:
    """Return the articles of these issues (numbers) with an edit, seen by then, that none of them tells."""
    asked = select(issues.c.number, issues.c.article_ids).where(is_in(connection, issues.c.number, given))
    ids = {number: set(found) for number, found in (await connection.execute(asked)).all()}
    found = (
        select(articles, *MADE, *NOW)
        .join(summaries, summaries.c.position == articles.c.position)
        .join(corrections, corrections.c.position == articles.c.position)
        .where(is_in(connection, articles.c.id, set().union(*ids.values())))
        .where(corrections.c.state == "kept", corrections.c.at <= edited_by)
        .order_by(articles.c.position)
    )
    rows = (await connection.execute(found)).mappings().all() if any(ids.values()) else []
    if not rows:
        return []
    told = await _told(connection, ids, [row["position"] for row in rows])
    new = [row for row in rows if _key(row) not in [key for key, _ in told.get(row["position"], ())][-1:]]
    fresh = {row["id"] for row in new}
    texts = await _texts(connection, [number for number, named in ids.items() if named & fresh])
    return [
        EditedArticle(
            article_of(row),
            summary_of(row["made_by"], row["key_points"], row["context"]),
            _edit(row),
            tuple(text for number, text in texts.items() if row["id"] in ids[number]),
            tuple(changes for _, changes in told.get(row["position"], ())),
        )
        for row in new
    ]


async def record(connection: AsyncConnection, database: Database, number: int, issue: Issue) -> None:
    """Store what a new issue corrects, and the words of the edits that it tells."""
    for told in issue.corrections:
        position = told.article.position
        words = {**asdict(told.edit), "position": position}
        await connection.execute(database.insert(edits).values(words).on_conflict_do_nothing())
        line = {"issue": number, "position": position, "edit": told.edit.key, "changes": _written(told)}
        await connection.execute(told_corrections.insert().values(line))


@dataclass(frozen=True, slots=True)
class CorrectionQueries:
    """What was corrected, for listings. Reads only."""

    database: Database

    async def of_issue(self, issue_id: str) -> Sequence[CorrectionDetails]:
        """Return what an issue corrected, in gather order of the articles."""
        return await self._lines(issues.c.id == issue_id)

    async def of_article(self, article_id: str) -> Sequence[CorrectionDetails]:
        """Return every correction of an article that was told, oldest first."""
        return await self._lines(articles.c.id == article_id)

    async def latest_edit(self, article_id: str) -> Edit | None:
        """Return the words that are kept beside an article which was told, None when it was not edited."""
        asked = (
            select(articles.c.id, *NOW)
            .join(corrections, corrections.c.position == articles.c.position)
            .where(articles.c.id == article_id, corrections.c.state == "kept")
        )
        async with self.database.read() as connection:
            row = (await connection.execute(asked)).mappings().one_or_none()
        return None if row is None else _edit(row)

    async def count_edited(self, article_ids: Collection[str]) -> int:
        """Return how many of these articles were edited after they had been told."""
        async with self.database.read() as connection:
            asked = (
                select(articles.c.id)
                .join(corrections, corrections.c.position == articles.c.position)
                .where(is_in(connection, articles.c.id, article_ids), corrections.c.state == "kept")
            )
            return len((await connection.execute(asked)).all())

    async def _lines(self, which: Any) -> list[CorrectionDetails]:  # noqa: ANN401 - SQLAlchemy's conditions
        kept = (edits.c.key, edits.c.at, edits.c.title.label("title_then"), edits.c.text.label("text_then"))
        asked = (
            select(articles, issues.c.id.label("issue_id"), told_corrections.c.changes, *kept)
            .join(told_corrections, told_corrections.c.position == articles.c.position)
            .join(issues, issues.c.number == told_corrections.c.issue)
            .join(edits, edits.c.key == told_corrections.c.edit)
            .where(which)
            .order_by(issues.c.number, articles.c.position)
        )
        async with self.database.read() as connection:
            rows = (await connection.execute(asked)).mappings().all()
            words = select(edits.c.position, edits.c.key, edits.c.text)
            words = words.where(is_in(connection, edits.c.position, {row["position"] for row in rows}))
            kept_words: dict[int, dict[str, str]] = {row["position"]: {"": row["text"]} for row in rows}
            for position, key, text in (await connection.execute(words)).all() if rows else ():
                kept_words[position][key] = text
        return [_line(row, kept_words[row["position"]]) for row in rows]


def _line(row: Row, words: Mapping[str, str]) -> CorrectionDetails:
    edit = Edit(row["key"], row["title_then"], row["text_then"], row["at"])
    return CorrectionDetails(row["issue_id"], Correction(article_of(row), edit, _read(row["changes"])), words)


async def _told(connection: AsyncConnection, given: Collection[int], positions: Collection[int]) -> Told:
    asked = (
        select(told_corrections)
        .where(is_in(connection, told_corrections.c.issue, given))
        .where(is_in(connection, told_corrections.c.position, positions))
        .order_by(told_corrections.c.issue)
    )
    told: Told = {}
    for row in (await connection.execute(asked)).all():
        told.setdefault(row.position, []).append((row.edit, _read(row.changes)))
    return told


async def _texts(connection: AsyncConnection, numbers: Collection[int]) -> dict[int, str]:
    asked = select(issues.c.number, issues.c.text).where(is_in(connection, issues.c.number, numbers))
    return {row.number: row.text for row in await connection.execute(asked)}


def _edit(row: Row) -> Edit:
    return Edit(_key(row), row["title_now"], row["text_now"], row["edited_at"])


def _key(row: Row) -> str:
    return edit_key(row["id"], row["title_now"], row["text_now"])


def _written(told: Correction) -> list[Pair]:
    return [
        (_fields(change.sent), _fields(change.current) if change.current else None) for change in told.changes
    ]


def _fields(excerpt: Excerpt) -> list[Any]:
    return [excerpt.text, excerpt.start, excerpt.end, excerpt.edit]


def _read(changes: list[Pair]) -> tuple[SentenceChange, ...]:
    return tuple(SentenceChange(Excerpt(*told), Excerpt(*now) if now else None) for told, now in changes)
